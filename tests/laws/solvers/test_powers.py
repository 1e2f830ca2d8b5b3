"""The reduced objective: against brute force, finite differences, and between its two forms."""

import numpy as np
import pytest
from scipy.optimize import nnls as scipy_nnls

from t2scaling.laws.solvers.powers import design, project, reduced_objective


@pytest.fixture
def table(rng):
    """N, D, k, y (B, R, K) and weight (B, R) of three noisy problems over 14 runs × 5 k."""
    N, D = np.exp(rng.uniform(15, 21, 14)), np.exp(rng.uniform(18, 25, 14))
    k = np.geomspace(1, 60, 5)
    mean = 1 + 40 * N**-0.2 + 90 * D**-0.25
    y = mean[:, None] + 3 * k**-0.3 + 0.1 * rng.standard_normal((3, 14, 5))
    return N, D, k, y, rng.integers(0, 4, (3, 14)).astype(float)


def brute_force(N, D, k, y, weight, exponents):
    """Non-negative least squares over all R·K entries, by scipy."""
    alpha, beta, gamma = exponents
    shape = y.shape
    columns = [np.ones(shape), np.broadcast_to((N**-alpha)[:, None], shape)]
    columns += [np.broadcast_to((D**-beta)[:, None], shape), np.broadcast_to(k**-gamma, shape)]
    root = np.sqrt(np.broadcast_to(weight[:, None], shape)).ravel()
    X = np.stack([column.ravel() for column in columns], axis=1) * root[:, None]
    scale = np.linalg.norm(X, axis=0)
    c, norm = scipy_nnls(X / scale, y.ravel() * root)
    return c / scale, norm**2


EXPONENTS = np.array([[0.2, 0.25, 0.3], [1.5, 0.05, 0.9], [0.02, 2.5, 0.02]])


def test_projection_is_exact(table):
    N, D, k, y, weight = table
    problem = design(N, D, k, y, weight)
    c, value = project(problem, EXPONENTS, np.arange(3))
    c[:, 1:] *= np.exp(EXPONENTS * np.array(problem.origin))
    for i in range(3):
        expected, objective = brute_force(N, D, k, y[i], weight[i], EXPONENTS[i])
        assert value[i] == pytest.approx(objective, rel=1e-10)
        np.testing.assert_allclose(c[i], expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


def test_complete_and_sparse_forms_agree(table):
    """One row without weight and with a gap takes the general form, and must not change anything."""
    N, D, k, y, weight = table
    weight[:, 0] = 0
    gap = y.copy()
    gap[:, 0, 2] = np.nan
    rows = np.arange(3)
    full, holed = (reduced_objective(design(N, D, k, data, weight))(np.log(EXPONENTS), rows) for data in (y, gap))
    for a, b in zip(full, holed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["complete", "sparse", "one_k"])
def test_gradient_and_hessian_match_finite_differences(table, kind):
    N, D, k, y, weight = table
    if kind == "sparse":
        y = y.copy()
        y[:, 2, 3:] = np.nan
    if kind == "one_k":
        k, y = k[:1], y[:, :, :1]
    problem = design(N, D, k, y, weight)
    P = len(problem.lifts)
    evaluate = reduced_objective(problem)
    x = np.log(EXPONENTS[:, :P])
    rows = np.arange(3)
    _, gradient, hessian = evaluate(x, rows)
    h = 1e-5
    for p in range(P):
        step = np.zeros(P)
        step[p] = h
        up, down = evaluate(x + step, rows), evaluate(x - step, rows)
        slope, turn = (up[0] - down[0]) / (2 * h), (up[1] - down[1]) / (2 * h)
        scale = np.abs(hessian).max(axis=(1, 2)) + 1e-6
        np.testing.assert_allclose(slope / scale, gradient[:, p] / scale, atol=1e-6)
        np.testing.assert_allclose(turn / scale[:, None], hessian[:, p] / scale[:, None], atol=1e-5)


def test_weights_count_like_copies_of_a_run(table):
    N, D, k, y, _ = table
    times = np.array([1, 0, 2, 3, 1, 1, 0, 1, 2, 1, 1, 1, 1, 1])
    copied = [np.repeat(part, times, axis=0) for part in (N, D, y[0])]
    once = np.ones((1, times.sum()))
    weighted = design(N, D, k, y[:1], times[None].astype(float))
    repeated = design(copied[0], copied[1], k, copied[2][None], once)
    rows = np.zeros(1, dtype=int)
    a, b = (project(problem, EXPONENTS[:1], rows)[1] for problem in (weighted, repeated))
    np.testing.assert_allclose(a, b, rtol=1e-12)


def test_an_exact_law_leaves_nothing(table):
    N, D, k, _, weight = table
    y = 2 + 30 * N[:, None] ** -0.2 + 50 * D[:, None] ** -0.25 + 4 * k**-0.3
    _, value = project(design(N, D, k, y[None], weight[:1]), EXPONENTS[:1], np.zeros(1, dtype=int))
    assert value[0] < 1e-25
