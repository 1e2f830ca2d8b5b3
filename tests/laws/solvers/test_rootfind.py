"""Minima in one dimension, against scipy's and against what can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from t2scaling.laws.solvers.rootfind import valley


@pytest.mark.parametrize(
    "score",
    [
        lambda x: (x - 0.3) ** 2,
        lambda x: np.cosh(3 * (x - 0.3)),
        lambda x: np.exp(-x) + np.exp(5 * (x - 1)),
        lambda x: -np.exp(-200 * (x - 0.9) ** 2),
    ],
)
def test_smooth_valleys_are_where_scipy_finds_them(score):
    found = valley(score, np.array([0.0]), np.array([1.0]), np.array([0.8]))
    assert score(found)[0] <= minimize_scalar(score, bounds=(0, 1), method="bounded", options={"xatol": 1e-12}).fun
    assert found.shape == (1,)


def test_kinks_ends_and_closed_brackets_are_met_to_the_tolerance():
    """Each element is a problem of its own, among them a kink, either end, and a bracket of one point."""
    at = np.array([0.123, -1.0, 2.0, 0.5])
    lo, hi = np.array([0.0, 0.0, 0.0, 0.5]), np.array([1.0, 1.0, 1.0, 0.5])
    for start in (lo, hi, (lo + hi) / 2):
        calls = []

        def score(x, calls=calls):
            calls.append(x)
            assert np.all((lo <= x) & (x <= hi))
            return np.abs(x - at)

        np.testing.assert_allclose(valley(score, lo, hi, start), np.clip(at, lo, hi), rtol=0, atol=1e-9)
        assert len(calls) < 70


def test_a_score_that_is_infinite_or_flat_on_one_side_does_not_lead_astray():
    found = valley(lambda x: np.where(x > 0.7, np.inf, -x), np.zeros(1), np.ones(1), np.array([0.5]))
    assert found[0] == pytest.approx(0.7, abs=1e-9)
    found = valley(lambda x: np.maximum(0.2, x), np.zeros(1), np.ones(1), np.array([0.6]))
    assert found[0] <= 0.2 + 1e-9


def test_noise_in_the_last_digits_ends_the_search():
    """Where the score is flat to rounding, points a tolerance apart cannot be told apart, and it stops all the same."""
    calls = []

    def score(x):
        calls.append(x)
        return 1e6 + (x - 0.4) ** 2

    assert valley(score, np.zeros(3), np.ones(3), np.full(3, 0.9))[0] == pytest.approx(0.4, abs=1e-4)
    assert len(calls) < 70
