"""Properties of the estimators: shapes, bounds, agreement, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2scaling.passk import (
    guessing,
    log_fail_from_nll,
    mean_and_error,
    neg_log_pass_at_k_from_nll,
    pass_at_k,
    pass_at_k_from_nll,
)

counts = st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


def test_shapes_are_outcomes_then_k() -> None:
    assert pass_at_k(10, 3, 2).shape == ()
    assert pass_at_k([10, 12, 14], 3, 2).shape == (3,)
    assert pass_at_k([10, 12, 14], [1, 2, 3], [1, 2]).shape == (3, 2)
    assert pass_at_k_from_nll([[1.0, 2.0, 3.0]], [1, 2, 4, 8]).shape == (1, 3, 4)
    assert pass_at_k(np.zeros(0), np.zeros(0), [1, 2]).shape == (0, 2)


def test_undefined_is_nan() -> None:
    assert np.isnan(pass_at_k([4, 8], [4, 8], [5.0])).ravel().tolist() == [True, False]
    assert np.isnan(pass_at_k_from_nll(np.nan, 2))


@given(counts)
def test_bounds_and_pass_at_1(case: tuple[int, int, int]) -> None:
    n, c, k = case
    value = pass_at_k(n, c, k)
    assert 0 <= value <= 1
    assert (value == 0) == (c == 0)
    assert pass_at_k(n, c, 1) == pytest.approx(c / n, rel=1e-12)
    assert pass_at_k(n, c, n) == (c > 0)


@given(counts)
def test_symmetric_in_c_and_k(case: tuple[int, int, int]) -> None:
    n, c, k = case
    assert pass_at_k(n, c, k) == pytest.approx(pass_at_k(n, k, max(c, 1)) if c else 0.0, rel=1e-11)


@given(counts)
def test_grows_with_k(case: tuple[int, int, int]) -> None:
    n, c, _ = case
    grid = np.unique(np.geomspace(1, n, 9))
    assert np.all(np.diff(pass_at_k(n, c, grid)) >= -1e-12)


@given(st.floats(0, 900), st.floats(1, 1e9))
def test_likelihood_forms_agree(nll: float, k: float) -> None:
    value, loss = pass_at_k_from_nll(nll, k), neg_log_pass_at_k_from_nll(nll, k)
    assert 0 <= value <= 1
    assert loss >= 0
    assert np.exp(-loss) == pytest.approx(value, rel=1e-11, abs=1e-300)
    assert neg_log_pass_at_k_from_nll(nll, 1) == pytest.approx(nll, rel=1e-12, abs=1e-15)


def test_many_samples_approach_the_likelihood(rng: np.random.Generator) -> None:
    p, n = 0.03, 10**7
    c = round(p * n)
    k = np.array([1, 10, 100])
    assert pass_at_k(n, c, k) == pytest.approx(pass_at_k_from_nll(-np.log(p), k), rel=1e-5)


def test_repeated_pairs_are_computed_once_and_put_back(rng: np.random.Generator) -> None:
    n = rng.integers(20, 40, 500)
    c = rng.binomial(n, 0.2)
    together = pass_at_k(n, c, [1, 5, 20])
    one_by_one = np.array([pass_at_k(a, b, [1, 5, 20]) for a, b in zip(n, c, strict=True)])
    assert np.array_equal(together, one_by_one)


def test_unequal_counts_far_apart_agree_with_one_by_one() -> None:
    n, c = np.array([10, 10**7, 37, 10**7]), np.array([3, 12345, 36, 12345])
    assert pass_at_k(n, c, 4).tolist() == [float(pass_at_k(a, b, 4)) for a, b in zip(n, c, strict=True)]


@pytest.mark.parametrize(
    ("n", "c", "k", "words"),
    [
        ([8, 8], [3, 9], 2, r"`c` exceeds `n` for 1 question\(s\), first at index 1: c=9, n=8"),
        (8, -1, 2, r"`c` = -1 at index 0 is not a count"),
        (8.5, 1, 2, r"`n` = 8.5"),
        (8, np.nan, 2, r"`c` = nan"),
        (8, 2, 0.5, r"`k` = 0.5 is below one sample"),
        (8, 2, np.nan, r"`k` = nan"),
    ],
)
def test_refuses_impossible_counts(n: object, c: object, k: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pass_at_k(n, c, k)  # type: ignore[arg-type]


def test_refuses_log_probabilities_of_the_wrong_sign() -> None:
    with pytest.raises(ValueError, match=r"`nll` = -3 is negative"):
        pass_at_k_from_nll([2.0, -3.0], 1)


def test_mean_and_error_takes_the_question_as_the_unit(rng: np.random.Generator) -> None:
    x = rng.random((4, 50))
    mean, error = mean_and_error(x)
    assert mean == pytest.approx(x.mean(axis=1))
    assert error == pytest.approx(x.std(axis=1, ddof=1) / np.sqrt(50))
    holes = x.copy()
    holes[:, ::2] = np.nan
    assert mean_and_error(holes)[0] == pytest.approx(x[:, 1::2].mean(axis=1))
    assert np.isnan(mean_and_error([[0.3]])[1]).all()
    assert np.isnan(mean_and_error([[np.nan, np.nan]])[0]).all()


def test_mean_weights_are_relative() -> None:
    assert mean_and_error([1.0, 3.0], weights=[3, 1])[0] == pytest.approx(1.5)


@given(st.lists(st.floats(0, 50), min_size=2, max_size=30), st.floats(1, 1e4))
def test_jensen(nll: list[float], k: float) -> None:
    mean_of_logs, _ = mean_and_error(neg_log_pass_at_k_from_nll(nll, k))
    assert mean_of_logs >= -np.log(mean_and_error(pass_at_k_from_nll(nll, k))[0]) - 1e-9


@pytest.mark.parametrize(("n", "c", "k"), [(10, 3, 2.5), (10, 8, 2.5), (7, 4, 3.25), (1000, 7, 31.7), (20, 18, 2.9)])
def test_between_whole_k_the_binomials_are_gamma_functions(n: int, c: int, k: float) -> None:
    # (10, 8, 2.5): fewer wrong samples than k, and yet not sure to be right, as whole numbers would have it.
    log = [math.lgamma(x) for x in (n - c + 1, n - k + 1, n + 1)]
    # Γ(n − c − k + 1) may have an argument in (0, 1); its log is that of a positive number all the same.
    fail = math.exp(log[0] + log[1] - log[2] - math.lgamma(n - c - k + 1))
    found = float(pass_at_k(n, c, k))
    assert found == pytest.approx(1 - fail, rel=1e-10)
    assert float(pass_at_k(n, c, math.floor(k))) < found < float(pass_at_k(n, c, math.ceil(k))) or fail < 1e-12


def test_the_chance_to_fail_keeps_its_digits_near_certainty() -> None:
    nll = np.array([1e-300, 1e-18, 1e-9, 0.3, 0.69, 0.71, 5.0, 40.0, 700.0])
    with np.errstate(under="ignore"):
        exact = [math.log(-math.expm1(-x)) if x < 0.5 else math.log1p(-math.exp(-x)) for x in nll]
    np.testing.assert_allclose(log_fail_from_nll(nll), exact, rtol=1e-14)
    assert log_fail_from_nll(0.0) == -np.inf
    # ten samples at p = 1 − 1e-18 fail with 1e-180, which 1 − p would have lost
    assert 10 * float(log_fail_from_nll(1e-18)) == pytest.approx(-180 * math.log(10), rel=1e-12)


def test_a_guessers_questions_count_by_their_weights():
    assert guessing([0.25, 0.0], 1, weights=[3, 1]) == pytest.approx(0.1875)
    np.testing.assert_allclose(guessing([0.25, 0.0], [1, 2], weights=[3, 1]), np.array([0.25, 0.4375]) * 0.75)
