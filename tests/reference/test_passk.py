"""pass@k against numbers from outside: published oracles, brute-force enumeration, many-digit arithmetic."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from t2scaling.passk import neg_log_pass_at_k_from_nll, pass_at_k, pass_at_k_from_nll

# (n, c, k, pass@k): Chen et al. 2021's estimator, computed independently.
ORACLES = [
    (10, 3, 5, 0.9166666667),
    (10, 3, 1, 0.3),
    (200, 1, 100, 0.5),
    (200, 5, 100, 0.9703083948),
    (100, 37, 10, 0.9926167972),
    (5, 0, 2, 0.0),
    (10, 8, 5, 1.0),
]


@pytest.mark.parametrize(("n", "c", "k", "expected"), ORACLES)
def test_estimator_oracles(n: int, c: int, k: int, expected: float) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(expected, abs=5e-11)


@pytest.mark.parametrize(("n", "c"), [(6, 0), (6, 1), (6, 3), (7, 5), (8, 8)])
def test_estimator_counts_the_subsets(n: int, c: int) -> None:
    for k in range(1, n + 1):
        draws = list(combinations(range(n), k))
        hits = sum(any(item < c for item in draw) for draw in draws)
        assert pass_at_k(n, c, k) == pytest.approx(hits / len(draws), abs=1e-14)


# (n, p, k, true pass@k, standard deviation of the estimator, mean of the plug-in 1 − (1 − c/n)^k)
MOMENTS = [
    (100, 0.05, 10, 0.4012630608, 0.138847, 0.387335),
    (200, 0.01, 100, 0.6339676587, 0.295994, 0.547006),
    (20, 0.1, 5, 0.40951, 0.225245, 0.377874),
]


@pytest.mark.parametrize(("n", "p", "k", "truth", "deviation", "plug_in"), MOMENTS)
def test_estimator_is_unbiased_and_the_plug_in_is_not(
    n: int, p: float, k: int, truth: float, deviation: float, plug_in: float
) -> None:
    c = np.arange(n + 1)
    weight = binom.pmf(c, n, p)
    estimate = pass_at_k(n, c, k)
    assert weight @ estimate == pytest.approx(truth, abs=1e-9)
    assert np.sqrt(weight @ (estimate - truth) ** 2) == pytest.approx(deviation, abs=1e-6)
    assert weight @ (1 - (1 - c / n) ** k) == pytest.approx(plug_in, abs=1e-6)


def test_large_counts_keep_their_digits() -> None:
    # 60-digit arithmetic (mpmath): 1 − C(n − c, k)/C(n, k)
    assert pass_at_k(10**7, 1, 1) == pytest.approx(1e-7, rel=1e-14)
    assert pass_at_k(10**7, 3, 10**6) == pytest.approx(
        1 - 0.9 * (9e6 - 1) / (1e7 - 1) * (9e6 - 2) / (1e7 - 2), rel=1e-13
    )
    assert pass_at_k(44649, 13744, 1) == pytest.approx(13744 / 44649, rel=1e-14)


@pytest.mark.parametrize("k", [1.0, 1.5, 7.0, 1e4])
@pytest.mark.parametrize("exponent", [-300, -200, -30, -17, -8])
def test_likelihoods_are_exact_for_tiny_p(k: float, exponent: int) -> None:
    nll = -exponent * np.log(10)
    p = np.exp(-nll)
    # For p·k this small, pass@k = pk(1 − (k − 1)p/2) to all digits.
    assert pass_at_k_from_nll(nll, k) == pytest.approx(
        p * k * (1 - (k - 1) * p / 2), rel=1e-9 if exponent == -8 else 1e-13
    )
    assert neg_log_pass_at_k_from_nll(nll, k) == pytest.approx(
        nll - np.log(k) + (k - 1) * p / 2, rel=1e-10 if exponent == -8 else 1e-14
    )


def test_likelihoods_beyond_double_range_stay_finite_in_the_log() -> None:
    assert neg_log_pass_at_k_from_nll(2000.0, 100.0) == pytest.approx(2000 - np.log(100), rel=1e-15)
    assert pass_at_k_from_nll(2000.0, 100.0) == 0


def test_certain_answers() -> None:
    assert pass_at_k_from_nll(0.0, [1, 3]).tolist() == [1, 1]
    assert neg_log_pass_at_k_from_nll(0.0, [1, 3]).tolist() == [0, 0]
    assert pass_at_k_from_nll(np.log(2), 2) == pytest.approx(0.75, rel=1e-15)
