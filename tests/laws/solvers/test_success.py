"""Stage 2 of the accuracy law: Jacobians, planted θ, and agreement with L-BFGS-B."""

import numpy as np
import pytest

from t2scaling.laws import AccuracyLaw, ChinchillaLaw, NaiveLaw
from t2scaling.laws.solvers.restarts import fit_success_restarts
from t2scaling.laws.solvers.success import (
    beta_curve,
    fit_success,
    from_inner,
    naive_curve,
    standardise,
    success_objective,
    to_inner,
)

LOSS = ChinchillaLaw(1.0, 2.0, 0.3, 3.0, 0.3)  # stands in: only its name is needed
K = np.geomspace(1, 200, 9)


def pass_at(law_class, theta, loss):
    """pass@k (R, K) by the law's own formula, at given losses."""
    from t2scaling.laws.solvers.beta import log_beta_fail, mean_success

    if law_class is NaiveLaw:
        return -np.expm1(K * np.log1p(-mean_success(loss, theta)[0])[:, None])
    a, b = AccuracyLaw(LOSS, theta).shape(loss)
    return -np.expm1(log_beta_fail(a[:, None], b[:, None], K))


def draw_theta(rng):
    return (
        rng.uniform(6, 12),
        rng.uniform(0.4, 1.2),
        rng.uniform(0.3, 0.95),
        rng.uniform(-0.5, 1.5),
        rng.uniform(-0.2, 0.1),
    )


@pytest.mark.parametrize(("curve", "P"), [(beta_curve, 5), (naive_curve, 3)])
def test_jacobian_matches_finite_differences(rng, curve, P):
    u = np.array([[0.3, 0.2, -0.4, 0.5, -0.3], [-1.0, 0.8, -3.0, -2.0, 0.7]])[:, :P]
    ell = rng.standard_normal((2, 6))
    _, jacobian = curve(u, ell, K)
    for p in range(P):
        step = np.zeros(P)
        step[p] = 1e-5
        slope = (curve(u + step, ell, K)[0] - curve(u - step, ell, K)[0]) / 2e-5
        np.testing.assert_allclose(jacobian[p], slope, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("curve", [beta_curve, naive_curve])
def test_gradient_of_the_objective_matches_finite_differences(rng, curve):
    ell = rng.standard_normal(7)
    passed = rng.random((7, len(K)))
    passed[2, 5:] = np.nan
    objective = success_objective(curve, ell, K, passed, rng.random(7))
    x = np.array([0.3, 0.2, -0.4, 0.5, -0.3])[: 5 if curve is beta_curve else 3]
    _, gradient = objective(x)
    for p in range(len(x)):
        step = np.zeros(len(x))
        step[p] = 1e-6
        assert gradient[p] == pytest.approx((objective(x + step)[0] - objective(x - step)[0]) / 2e-6, rel=1e-5)


def test_curve_agrees_with_the_law(rng):
    theta = (10.0, 0.6, 0.9, 1.0, -0.1)
    loss = rng.uniform(4, 14, 8)
    centre, scale = standardise(loss)
    u = to_inner(np.array([theta]), centre, scale)
    predicted, _ = beta_curve(u, ((loss - centre) / scale)[None], K)
    np.testing.assert_allclose(predicted[0], pass_at(AccuracyLaw, theta, loss), rtol=1e-10)
    np.testing.assert_allclose(from_inner(u, centre, scale)[0], theta)


@pytest.mark.parametrize("seed", range(12))
def test_planted_theta_is_recovered(seed):
    rng = np.random.default_rng(seed)
    theta = draw_theta(rng)
    loss = rng.uniform(2, 15, 60)
    found = fit_success(beta_curve, loss[None], K, pass_at(AccuracyLaw, theta, loss)[None], np.ones((1, 60)))
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_planted_naive_theta_is_recovered(seed):
    rng = np.random.default_rng(seed)
    theta = draw_theta(rng)[:3]
    loss = rng.uniform(2, 15, 40)
    found = fit_success(naive_curve, loss[None], K, pass_at(NaiveLaw, theta, loss)[None], np.ones((1, 40)))
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_no_higher_than_lbfgs_from_every_start(seed):
    rng = np.random.default_rng(seed)
    loss = rng.uniform(4, 14, 25)
    noisy = np.clip(pass_at(AccuracyLaw, draw_theta(rng), loss) + 0.03 * rng.standard_normal((25, len(K))), 0, 1)
    tables = (loss[None], K, noisy[None], np.ones((1, 25)))
    found, reference = fit_success(beta_curve, *tables), fit_success_restarts(beta_curve, *tables)
    assert found.value[0] <= reference.value[0] * (1 + 1e-7)


def test_gaps_are_left_out(rng):
    theta = draw_theta(rng)
    loss = rng.uniform(2, 15, 60)
    passed = pass_at(AccuracyLaw, theta, loss)
    passed[rng.random(passed.shape) < 0.2] = np.nan
    found = fit_success(beta_curve, loss[None], K, passed[None], np.ones((1, 60)))
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-6, atol=1e-7)


def test_losses_that_do_not_differ_are_fitted_by_their_mean():
    passed = np.array([0.2, 0.3, 0.4, 0.3])[:, None] * np.ones(3)
    found = fit_success(naive_curve, np.full((1, 4), 2.0), np.array([1.0, 1.0, 1.0]), passed[None], np.ones((1, 4)))
    assert found.value[0] == pytest.approx(3 * 0.02, rel=1e-6)
