"""Success of every question, carried along the index without a family of distributions."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws.solvers.quantiles import carry, log_loss_quantiles, mean_pass


def test_bins_hold_equal_shares_and_keep_the_mean(rng):
    nll = np.exp(rng.standard_normal((3, 101)))
    weight = np.full(101, 1 / 101)
    x = log_loss_quantiles(nll, weight, bins=7)
    assert np.all(np.diff(x, axis=1) >= 0)
    assert x.mean(axis=1) == pytest.approx(np.log(nll).mean(axis=1), rel=1e-12)


def test_as_many_bins_as_questions_are_the_questions(rng):
    nll = np.exp(rng.standard_normal((2, 50)))
    assert log_loss_quantiles(nll, np.full(50, 0.02), bins=50) == pytest.approx(np.sort(np.log(nll), axis=1))


def test_a_question_of_double_weight_counts_as_two(rng):
    nll = np.exp(rng.standard_normal((1, 9)))
    weight = np.array([2, 1, 1, 1, 1, 1, 1, 1, 1]) / 10
    listed = np.concatenate([nll, nll[:, :1]], axis=1)
    twice = log_loss_quantiles(listed, np.full(10, 0.1), bins=4)
    assert log_loss_quantiles(nll, weight, bins=4) == pytest.approx(twice)


def test_missing_questions_are_left_out(rng):
    nll = np.exp(rng.standard_normal((1, 12)))
    gappy = np.concatenate([nll, [[np.nan, np.nan]]], axis=1)
    whole = log_loss_quantiles(nll, np.full(12, 1 / 12), bins=6)
    assert log_loss_quantiles(gappy, np.full(14, 1 / 14), bins=6) == pytest.approx(whole)


def test_a_shift_in_log_loss_is_carried_exactly():
    theta = np.linspace(-1, 1, 9)
    shape = np.linspace(-2, 2, 20)
    x = shape + 0.7 * theta[:, None]
    at = np.array([-1.5, 0.123, 4.0])  # also beyond the runs
    assert np.log(carry(theta, x, at)) == pytest.approx(shape + 0.7 * at[:, None])


def test_mean_pass_is_the_mean_over_bins():
    nll = np.array([[0.1, 1.0, 5.0], [0.5, 0.5, 9.0]])
    row, k = np.array([0, 1, 1]), np.array([1.0, 1.0, 4.0])
    p = np.exp(-nll)
    by_hand = [p[0].mean(), p[1].mean(), (1 - (1 - p[1]) ** 4).mean()]
    assert mean_pass(nll, row, k, neg_log=False) == pytest.approx(by_hand, rel=1e-12)
    logs = [nll[0].mean(), nll[1].mean(), -np.log(1 - (1 - p[1]) ** 4).mean()]
    assert mean_pass(nll, row, k, neg_log=True) == pytest.approx(logs, rel=1e-12)
