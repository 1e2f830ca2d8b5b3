"""Averages over questions: both targets, gaps, standard errors, resampled questions."""

import numpy as np
import pytest

from t2scaling.errors import DataError
from t2scaling.laws import Curves, Measurements, curves
from t2scaling.laws.curves import most_samples, resampled_curves, sample_counts
from t2scaling.passk import neg_log_pass_at_k_from_nll, pass_at_k, pass_at_k_from_nll

NAMES = ("a", "b", "c")
SIZES, TOKENS = np.array([1e8, 2e8, 4e8]), np.array([2e9, 4e9, 8e9])


def likelihoods(rng, Q=40, **more):
    return Measurements("t", NAMES, SIZES, TOKENS, np.full(Q, 1 / Q), nll=rng.uniform(0.5, 9, (3, Q)), **more)


def samples(n, c):
    n, c = np.asarray(n, dtype=float), np.asarray(c, dtype=float)
    R, Q = n.shape
    return Measurements("t", NAMES[:R], SIZES[:R], TOKENS[:R], np.full(Q, 1 / Q), n=n, c=c)


def test_likelihoods_average_the_negative_log(rng):
    m = likelihoods(rng)
    found = curves(m, [1, 3.5, 10])
    assert isinstance(found, Curves)
    assert found.target == "mean_neg_log"
    np.testing.assert_allclose(found.value, neg_log_pass_at_k_from_nll(m.nll, found.k).mean(axis=1))
    np.testing.assert_allclose(found.pass_at_k, pass_at_k_from_nll(m.nll, found.k).mean(axis=1))
    np.testing.assert_allclose(found.loss, m.nll.mean(axis=1))
    expected = pass_at_k_from_nll(m.nll, found.k).std(axis=1, ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(found.se, expected)


def test_counts_take_the_log_of_the_mean():
    found = curves(samples([[10, 10, 10, 10]] * 2, [[0, 3, 5, 9], [0, 0, 1, 2]]), [2])
    np.testing.assert_array_equal(found.k, [1, 2])
    assert found.target == "neg_log_mean"
    np.testing.assert_allclose(found.value, -np.log(found.pass_at_k))
    np.testing.assert_allclose(found.pass_at_k[0, 1], pass_at_k([10] * 4, [0, 3, 5, 9], 2).mean())


def test_a_likelihood_that_a_run_lacks_is_left_out_of_its_means(rng):
    m = likelihoods(rng)
    m.nll[1, :10] = np.nan
    found = curves(m, [1, 4])
    np.testing.assert_allclose(found.value[1], neg_log_pass_at_k_from_nll(m.nll[1, 10:], found.k).mean(axis=0))
    value, passed = resampled_curves(m, found, np.ones((1, 40)))
    np.testing.assert_allclose(value[0], found.value)
    np.testing.assert_allclose(passed[0], found.pass_at_k)


def test_more_samples_help_even_where_pass_at_k_underflows():
    m = Measurements("t", ("a",), SIZES[:1], TOKENS[:1], np.ones(1), nll=np.array([[750.0]]))
    np.testing.assert_allclose(curves(m, [1, 8]).value[0], [750, 750 - np.log(8)], rtol=1e-15)


def test_jensen_orders_the_targets(rng):
    m = likelihoods(rng)
    k = np.geomspace(1, 100, 6)
    assert np.all(curves(m, k, "mean_neg_log").value >= curves(m, k, "neg_log_mean").value)


def test_too_few_samples_give_nan_for_that_run_only():
    found = curves(samples([[8, 8], [8, 3]], [[2, 1], [2, 1]]), [1, 4])
    np.testing.assert_array_equal(np.isnan(found.value), [[False, False], [False, True]])
    np.testing.assert_array_equal(np.isnan(found.pass_at_k), np.isnan(found.value))


def test_questions_that_a_run_lacks_are_left_out():
    found = curves(samples([[8, 0, 8]], [[2, 0, 4]]), [1])
    assert found.pass_at_k[0, 0] == pytest.approx((2 / 8 + 4 / 8) / 2)


def test_a_run_that_solves_nothing_has_a_rate_but_no_loss():
    found = curves(samples([[8, 8]], [[0, 0]]), [1])
    assert found.pass_at_k[0, 0] == 0
    assert np.isnan(found.value[0, 0])


def test_error_of_a_macro_average_is_taken_within_tasks():
    """Two tasks of constant but different difficulty: no question differs from its task, so there is no error."""
    nll = np.tile(np.repeat([1.0, 6.0], [10, 30]), (3, 1))
    weight = np.repeat([0.5 / 10, 0.5 / 30], [10, 30])
    group = np.repeat([0, 1], [10, 30])
    m = Measurements("macro", NAMES, SIZES, TOKENS, weight, nll=nll, question_group=group)
    found = curves(m, [1])
    np.testing.assert_allclose(found.value, 3.5)
    np.testing.assert_allclose(found.se, 0, atol=1e-12)


@pytest.mark.parametrize("target", ["mean_neg_log", "neg_log_mean"])
def test_resampling_equals_repeating_questions(rng, target):
    m = likelihoods(rng)
    fitted = curves(m, [1, 5], target)
    counts = rng.multinomial(40, np.full(40, 1 / 40), size=4)
    value, passed = resampled_curves(m, fitted, counts)
    for b in range(4):
        drawn = Measurements("t", NAMES, SIZES, TOKENS, np.full(40, 1 / 40), nll=np.repeat(m.nll, counts[b], axis=1))
        again = curves(drawn, [1, 5], target)
        np.testing.assert_allclose(value[b], again.value)
        np.testing.assert_allclose(passed[b], again.pass_at_k)


def test_resampling_counts_keeps_the_gaps(rng):
    m = samples([[8, 8, 2], [8, 8, 8]], [[2, 1, 1], [2, 0, 0]])
    fitted = curves(m, [1, 4])
    value, passed = resampled_curves(m, fitted, np.array([[1, 1, 1], [0, 3, 0]]))
    np.testing.assert_allclose(value[0], fitted.value)
    assert np.isnan(value[1, 0, 1])  # a gap of the full data
    assert np.isnan(value[1, 1, 0])  # nothing solved in this draw
    assert passed[1, 1, 0] == 0


def test_k_is_sorted_distinct_and_starts_at_one():
    np.testing.assert_array_equal(sample_counts([8, 2, 2]), [1, 2, 8])
    with pytest.raises(ValueError, match=r"`k` = 0.5"):
        sample_counts([0.5, 2])


def test_most_samples():
    assert most_samples(samples([[8, 4], [9, 9], [2, 3]], [[0, 0]] * 3)) == 4


def test_neither_likelihoods_nor_counts():
    with pytest.raises(DataError, match="neither"):
        curves(Measurements("t", NAMES, SIZES, TOKENS, np.ones(1)), [1])


def test_macro_mean_and_error_by_hand(rng):
    """Mean of the task means; errors of the tasks' means, each with its own spread, added in squares over T²."""
    sizes = (4, 9, 25)
    rates = [rng.uniform(0.1, 0.9, (3, size)) for size in sizes]
    m = Measurements(
        "macro", NAMES, SIZES, TOKENS, np.repeat([1 / 3 / size for size in sizes], sizes),
        nll=-np.log(np.concatenate(rates, axis=1)), question_group=np.repeat([0, 1, 2], sizes),
    )  # fmt: skip
    found = curves(m, [1])
    mean = np.mean([part.mean(axis=1) for part in rates], axis=0)
    variance = sum(part.var(axis=1, ddof=1) / size for part, size in zip(rates, sizes, strict=True)) / 9
    np.testing.assert_allclose(found.pass_at_k[:, 0], mean, rtol=1e-12)
    np.testing.assert_allclose(found.se[:, 0], np.sqrt(variance), rtol=1e-12)


def test_a_missing_question_does_not_excuse_a_short_one():
    n, c = [[0, 8, 3], [0, 8, 8], [0, 0, 0]], [[0, 2, 1], [0, 2, 1], [0, 0, 0]]
    found = curves(samples(n, c), [1, 4])
    # Run 0 lacks one question and has too few samples of another; run 1 only lacks one; run 2 lacks all.
    assert np.isnan(found.pass_at_k).tolist() == [[False, True], [False, False], [True, True]]
    assert found.pass_at_k[1, 1] == pytest.approx(np.mean([pass_at_k(8, 2, 4), pass_at_k(8, 1, 4)]))
