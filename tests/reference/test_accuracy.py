"""Approach 2: the Beta law at stated θ, and pass@k of Beta-distributed success rates."""

import numpy as np
import pytest

from t2scaling.laws import AccuracyLaw, ChinchillaLaw, NaiveLaw
from t2scaling.laws.solvers.beta import log_beta_fail

THETA = (10.0, 0.6, 0.9, 1.0, -0.1)


def at_loss(loss):
    """The accuracy law and its naive foil where the task's loss is a constant."""
    flat = ChinchillaLaw(loss, 0.0, 0.3, 0.0, 0.3)
    return AccuracyLaw(flat, THETA), NaiveLaw(flat, THETA[:3])


@pytest.mark.parametrize(("loss", "mean", "concentration"), [(8.0, 0.6916723, 1.2214028), (12.0, 0.2083277, 0.8187308)])
def test_shape_of_the_beta(loss, mean, concentration):
    a, b = at_loss(loss)[0].shape(loss)
    assert a / (a + b) == pytest.approx(mean, abs=5e-8)
    assert a + b == pytest.approx(concentration, abs=5e-8)


@pytest.mark.parametrize(
    ("loss", "k", "accuracy", "naive"),
    [
        (8.0, 2.5, 0.8380989, 0.9472125),
        (8.0, 27.0, 0.9763324, None),
        (12.0, 2.5, 0.3065693, 0.4423475),
        (12.0, 27.0, 0.5310771, 0.9981772),
    ],
)
def test_pass_at_k(loss, k, accuracy, naive):
    law, foil = at_loss(loss)
    assert law.predict(1e8, 2e9, k) == pytest.approx(accuracy, abs=5e-8)
    assert foil.predict(1e8, 2e9, k) >= law.predict(1e8, 2e9, k)
    if naive is not None:
        assert foil.predict(1e8, 2e9, k) == pytest.approx(naive, abs=5e-8)


@pytest.mark.parametrize(
    ("a", "b", "k", "expected"), [(1, 1, 9, 0.9), (0.5, 2, 10, 0.6122353888), (0.3, 6, 100, 0.5844654002)]
)
def test_beta_pass_at_k(a, b, k, expected):
    assert -np.expm1(log_beta_fail(a, b, k)) == pytest.approx(expected, abs=5e-11)


def test_asymptote_of_the_beta():
    """1 − pass@k → Γ(a + b)/Γ(b)·k^−a."""
    from scipy.special import gamma

    a, b, k = 0.3, 6.0, 1e9
    assert np.exp(log_beta_fail(a, b, k)) == pytest.approx(gamma(a + b) / gamma(b) * k**-a, rel=1e-6)


def test_mean_rate_is_bounded_by_the_floor_of_the_loss():
    """L̂ ≥ E bounds μ ≤ θ2/(1 + exp(θ1(E − θ0))) however much is spent on training."""
    law = AccuracyLaw(ChinchillaLaw(4.0, 220.0, 0.25, 900.0, 0.3), THETA)
    bound = THETA[2] / (1 + np.exp(THETA[1] * (4.0 - THETA[0])))
    assert law.predict(1e30, 1e30) <= bound
    assert law.predict(1e30, 1e30) == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize(
    ("a", "b", "k", "log_fail"),
    [
        # lnΓ(b + k) − lnΓ(a + b + k) − lnΓ(b) + lnΓ(a + b) in 50 digits (mpmath): the four terms cancel to nothing
        # in double precision.
        (1.3394174540374745e-09, 1.1219110402715973, 895780.272475098, -1.8883428808250734e-08),
        (1.6155663013232494e-09, 28426.46746255681, 852063.6769551715, -5.5465219853574904e-09),
        (0.04119644243601412, 761672.2128167832, 4.796684412464491, -2.5943684450272607e-07),
    ],
)
def test_tiny_success_keeps_its_digits(a, b, k, log_fail):
    assert log_beta_fail(a, b, k) == pytest.approx(log_fail, rel=1e-7)


def test_no_mass_and_all_mass():
    assert log_beta_fail(0.0, 1.0, 3.0) == 0
    assert log_beta_fail(1.0, 0.0, 3.0) == -np.inf
