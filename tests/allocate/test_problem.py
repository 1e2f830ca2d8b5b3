"""What budgets leave: the edges of the closed forms, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.allocate.limits import Limits
from t2scaling.allocate.problem import Lifetime
from t2scaling.laws import ChinchillaLaw

LAW = ChinchillaLaw(E=1.7, A=400, alpha=0.34, B=410, beta=0.28)
PRODUCT, SERVED = np.array([1e19]), np.array([1e9])


def test_with_nothing_served_the_optimum_is_chinchillas():
    N, D = LAW.served_optimum(PRODUCT, np.array([1e-9]))
    expected = LAW.optimum(6 * PRODUCT)
    np.testing.assert_allclose([N, D], expected, rtol=1e-9)


def test_served_tokens_make_the_best_model_smaller_and_the_condition_holds():
    N, D = LAW.served_optimum(PRODUCT, SERVED)
    assert LAW.optimum(6 * PRODUCT)[0] > N
    np.testing.assert_allclose(N * (D + SERVED), PRODUCT)
    np.testing.assert_allclose(
        LAW.alpha * LAW.A * N**-LAW.alpha, LAW.beta * LAW.B * D**-LAW.beta * (1 + SERVED / D), rtol=1e-9
    )


def test_where_a_term_is_zero_the_optimum_runs_to_an_end():
    """Without A no parameter helps, and the smallest model is best; without B no token does, and the largest is."""
    smallest, _ = ChinchillaLaw(1.7, 0, 0.34, 410, 0.28).served_optimum(PRODUCT, SERVED)
    largest, tokens = ChinchillaLaw(1.7, 400, 0.34, 0, 0.28).served_optimum(PRODUCT, SERVED)
    assert smallest == 0
    assert largest == pytest.approx(1e19 / 1e9)
    assert tokens < 1


def test_the_most_samples_leave_the_least_tokens():
    problem = Lifetime(np.array([1e20]), np.array([1e9]), Limits(min_tokens=1e8))
    N = np.array([1e7, 1e9])
    k = problem.most_samples(N)
    left = problem.tokens(N, k)
    assert np.all(left >= 1e8)
    assert np.all(left <= 1e8 * (1 + 1e-6) + 1e-9 * 1e20 / (6 * N))
    assert problem.affords(N, k).all()
    assert not problem.affords(N, k * 1.01).any()


def test_where_limits_pin_both_n_and_d_samples_cost_no_loss():
    """The budget pays for more than the largest size on all tokens there are: further samples are free."""
    limits = Limits(n_range=(1e6, 1e7), max_tokens=1e9)
    N, D, slope = Lifetime(np.array([1e20]), np.array([1e6]), limits).training(LAW)(np.array([2.0]))
    assert (N, D, slope) == (1e7, 1e9, 0)
    free = Lifetime(np.array([1e20]), np.array([1e6])).training(LAW)(np.array([2.0]))
    assert free[2] > 0
