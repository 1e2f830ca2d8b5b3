"""Distributions of success and the oracle, against exact fractions and the closed forms."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from t2scaling.errors import ArgumentError
from t2scaling.laws import LAWS, AccuracyLaw, ChinchillaLaw, NaiveLaw
from t2scaling.strategies import BetaSuccess, Oracle, PointSuccess, parse


@pytest.mark.parametrize(("k", "passed"), [(1, 2 / 5), (2, 1 - 12 / 30), (5, 1 - 1 / 6)])
def test_the_oracle_over_a_beta_distribution_in_fractions(k, passed):
    # Beta(2, 3): E[(1 − p)^k] = Γ(3 + k)·Γ(5)/(Γ(3)·Γ(5 + k)) = 3·4/((3 + k)(4 + k))
    assert Oracle().value(BetaSuccess(2, 3), k) == pytest.approx(1 - 12 / ((3 + k) * (4 + k)), abs=1e-14)
    assert Oracle().value(BetaSuccess(2, 3), k) == pytest.approx(passed, abs=1e-14)


def test_all_k_right_over_a_beta_distribution():
    assert np.exp(BetaSuccess(2, 3).log_all(5)) == pytest.approx(1 / 21, rel=1e-13)


def test_the_oracle_from_counts_is_the_share_of_subsets_that_hold_a_right_sample():
    assert Oracle().from_counts(10, 3, [1, 4]) == pytest.approx([0.3, 1 - comb(7, 4) / comb(10, 4)], rel=1e-13)


@pytest.mark.parametrize(("a", "b"), [(0.01, 2.0), (0.3, 30.0), (2.0, 3.0), (80.0, 4.0), (5e-3, 5.0), (5e4, 5e5)])
@pytest.mark.parametrize("k", [1.0, 7.5, 400.0])
def test_the_mean_of_any_function_agrees_with_the_closed_form(a, b, k):
    success = BetaSuccess(a, b)
    assert success.expect(lambda p: 1 - (1 - p) ** k) == pytest.approx(-np.expm1(success.log_fail(k)), abs=1e-7)
    assert success.expect(lambda p: p**k) == pytest.approx(np.exp(success.log_all(k)), abs=1e-7)


def test_points_are_a_plain_weighted_mean_and_keep_the_digits_of_rare_success():
    p, weight = np.array([[1e-13, 0.0], [0.2, 1.0]]), np.array([0.25, 0.75])
    success = PointSuccess(p, weight)
    assert success.mean == pytest.approx([2.5e-14, 0.8])
    assert -np.expm1(success.log_fail([10, 10])) == pytest.approx([2.5e-13, 0.25 * (1 - 0.8**10) + 0.75], rel=1e-12)
    assert np.exp(success.log_all([2, 2])) == pytest.approx([0.25e-26, 0.25 * 0.04 + 0.75], rel=1e-12)
    assert PointSuccess([1.0], [1.0]).log_fail(3) == -np.inf


def test_arrays_broadcast():
    value = Oracle().value(BetaSuccess(np.array([0.5, 1.0]), 2.0), np.array([[1.0], [8.0]]))
    assert value.shape == (2, 2)
    assert value[0] == pytest.approx([0.2, 1 / 3])


@pytest.mark.parametrize(
    ("text", "part"),
    [("orakle", "did you mean oracle"), ("oracle:tpr=.9", "takes no settings"), ("", "is not known")],
)
def test_what_is_no_strategy_is_named(text, part):
    with pytest.raises(ArgumentError, match=part):
        parse(text)


def test_a_strategy_is_handed_back_as_it_is():
    assert parse(Oracle()) == parse(" oracle ") == Oracle()


@pytest.mark.parametrize("name", ["accuracy", "naive", "bottleneck"])
def test_a_law_s_distribution_says_what_the_law_says(name):
    loss = ChinchillaLaw(E=0 if name == "bottleneck" else 4, A=400, alpha=0.34, B=1200, beta=0.37)
    law = {
        "accuracy": AccuracyLaw(loss, (10, 0.6, 0.9, 1, -0.1)),
        "naive": NaiveLaw(loss, (10, 0.6, 0.9)),
        "bottleneck": LAWS["bottleneck"](loss, 0.7, (0.5, 1.6, 1.0, 0.6, -0.2)),
    }[name]
    N, D, k = np.array([1e7, 1e9]), np.array([2e10, 2e11]), np.array([1.0, 37.5])
    assert Oracle().value(law.success(N, D), k) == pytest.approx(law.predict(N, D, k), rel=1e-12)
