"""Strategies against numbers from outside: exact rational arithmetic, equal to brute force over all subsets."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2scaling.strategies import (
    AllOf,
    BetaSuccess,
    PointSuccess,
    Verifier,
    all_of,
    at_least,
    best_of,
    majority,
    majority_of_chances,
    verifier,
    weighted_vote,
)

SCORES = (0.1, 0.9, 0.5, 0.5, 0.7, 0.3, 0.9, 0.2)
RIGHT = (0, 0, 1, 0, 1, 0, 1, 1)


@pytest.mark.parametrize(
    ("counts", "k", "expected"),
    [
        ((3, 2, 1), 3, F(3, 5)),
        ((4, 3, 3), 1, F(2, 5)),
        ((4, 3, 3), 5, F(10, 21)),
        ((4, 3, 3), 10, F(1)),
        ((2, 5, 1, 1), 4, F(37, 252)),
        ((5, 4, 3, 2, 1), 7, F(50, 99)),
    ],
)
def test_majority(counts: tuple[int, ...], k: int, expected: F) -> None:
    assert majority(counts, k) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("chances", "k", "expected"),
    [
        ((0.4, 0.3, 0.3), 5, 0.4470400000),
        ((0.4, 0.3, 0.3), 25, 0.5922060825),
        ((0.3, 0.4, 0.3), 5, 0.27648),
        ((0.3, 0.4, 0.3), 25, 0.2038969587),
        ((0.6, 0.4), 11, 0.7534981325),
    ],
)
def test_majority_of_chances(chances: tuple[float, ...], k: int, expected: float) -> None:
    assert majority_of_chances(chances, k) == pytest.approx(expected, abs=1e-10)


def test_best_of() -> None:
    expected = [F(1, 2), F(4, 7), F(65, 112), F(61, 112), F(1, 2)]
    np.testing.assert_allclose(best_of(SCORES, RIGHT, [1, 2, 3, 5, 8]), [float(x) for x in expected], rtol=1e-12)


def test_weighted_vote(rng: np.random.Generator) -> None:
    found = weighted_vote(
        (0, 1, 1, 0, 2, 0, 1, 2), (0.9, 0.5, 0.5, 0.7, 0.3, 0.2, 0.8, 0.1), [1, 3, 5, 8], right=0, rng=rng
    )
    np.testing.assert_allclose(found.value, [3 / 8, 1 / 2, 27 / 56, 1 / 2], rtol=1e-12)
    np.testing.assert_array_equal(found.error, 0)


def test_verifier_by_rates() -> None:
    found = verifier(0.1, [1, 10, 100], tpr=0.9, fpr=0.05)
    np.testing.assert_allclose(found, [0.1, 0.5130378682, 0.6666663371], atol=1e-10)
    assert Verifier(tpr=0.9, fpr=0.05).ceiling(0.1) == pytest.approx(2 / 3, rel=1e-14)
    assert verifier(0.02, 1000, tpr=0.9, fpr=0.05) == pytest.approx(0.2686567164, abs=1e-10)


def test_verifier_by_rank() -> None:
    from scipy.special import ndtr

    for p, d, k, expected in (
        (0.1, 1, 10, 0.2897984773),
        (0.1, 1, 100, 0.5206027559),
        (0.1, 2, 100, 0.9166746879),
        (0.02, 1, 1000, 0.2659262865),
    ):
        assert verifier(p, k, auc=float(ndtr(d / np.sqrt(2)))) == pytest.approx(expected, abs=1e-9)


def test_a_verdict_per_sample_is_a_score() -> None:
    """tp 3, fp 2, fn 1, tn 4: one of the accepted of 4 samples is drawn evenly, or any where none is accepted."""
    accepted, right = [1] * 5 + [0] * 5, [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert best_of(accepted, right, 4) == pytest.approx(float(F(62, 105)), rel=1e-12)


def test_reliability() -> None:
    assert all_of(10, 7, 3) == pytest.approx(7 / 24, rel=1e-12)
    assert all_of(10, 9, 8) == pytest.approx(1 / 5, rel=1e-12)
    assert at_least(16, 10, 8, 0.75) == pytest.approx(87 / 286, rel=1e-12)
    assert AllOf().value(BetaSuccess(2, 3), 5) == pytest.approx(1 / 21, rel=1e-12)


def test_unbiased_where_the_plug_in_is_not() -> None:
    """p = (.3, .4, .3), n = 10, majority at 5, over all draws: .27648, as for chances; the plug-in's mean is off."""
    chances, unbiased, plug_in = (0.3, 0.4, 0.3), 0.0, 0.0
    for a in range(11):
        for b in range(11 - a):
            drawn = np.array([a, b, 10 - a - b])
            weight = comb(10, a) * comb(10 - a, b) * np.prod(np.power(chances, drawn))
            unbiased += weight * float(majority(drawn, 5))
            plug_in += weight * float(majority_of_chances(drawn / 10, 5))
    assert unbiased == pytest.approx(0.27648, rel=1e-12)
    assert plug_in == pytest.approx(0.28464, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(0, 4), min_size=1, max_size=4), k=st.integers(1, 6))
def test_majority_is_the_mean_over_subsets(counts: list[int], k: int) -> None:
    samples = [label for label, count in enumerate(counts) for _ in range(count)]
    if k > len(samples):
        assert np.isnan(majority(counts, k))
        return
    total = F(0)
    for chosen in combinations(samples, k):
        votes = [chosen.count(label) for label in range(len(counts))]
        if votes[0] == max(votes):
            total += F(1, votes.count(max(votes)))
    assert majority(counts, k) == pytest.approx(float(total / comb(len(samples), k)), rel=1e-12, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(data=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=8), k=st.integers(1, 8))
def test_best_of_is_the_mean_over_subsets(data: list[tuple[int, bool]], k: int) -> None:
    scores, correct = zip(*data, strict=True)
    if k > len(data):
        assert np.isnan(best_of(scores, correct, k))
        return
    total = F(0)
    for chosen in combinations(data, k):
        top = [right for score, right in chosen if score == max(score for score, _ in chosen)]
        total += F(sum(top), len(top))
    assert best_of(scores, correct, k) == pytest.approx(float(total / comb(len(data), k)), rel=1e-12, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 8), c=st.integers(0, 8), k=st.integers(1, 8), tpr=st.floats(0.3, 1), fpr=st.floats(0, 0.3))
def test_verifier_from_counts_is_the_mean_over_subsets(n: int, c: int, k: int, tpr: float, fpr: float) -> None:
    c, k = min(c, n), min(k, n)
    total = 0.0
    for chosen in combinations([1] * c + [0] * (n - c), k):
        right = sum(chosen)
        for accepted in np.ndindex(*([2] * k)):
            chance = np.prod(
                [(tpr if y else fpr) if a else 1 - (tpr if y else fpr) for y, a in zip(chosen, accepted, strict=True)]
            )
            kept = [y for y, a in zip(chosen, accepted, strict=True) if a]
            total += chance * (np.mean(kept) if kept else right / k)
    found = Verifier(tpr=tpr, fpr=fpr).from_counts(n, c, k)
    assert found == pytest.approx(total / comb(n, k), rel=1e-9, abs=1e-12)


def test_a_mean_over_questions_is_the_mean_of_the_questions() -> None:
    p, k = np.array([0.01, 0.2, 0.7]), np.array([1.0, 8.0, 64.0])
    for strategy in (Verifier(tpr=0.9, fpr=0.1), Verifier(auc=0.8), AllOf()):
        each = strategy.value(PointSuccess(p[:, None], [1.0]), k[:, None])
        np.testing.assert_allclose(strategy.value(PointSuccess(p, [1 / 3] * 3), k), each.mean(axis=-1), rtol=1e-12)


@pytest.mark.parametrize("strategy", [Verifier(tpr=0.9, fpr=0.1), Verifier(auc=0.8)])
def test_over_a_beta_distribution(strategy: Verifier) -> None:
    from scipy.integrate import quad
    from scipy.stats import beta

    for a, b, k in ((0.3, 4.0, 30.0), (2.0, 3.0, 5.0)):

        def along(u: float, a: float = a, b: float = b, k: float = k) -> float:
            """The integrand in u = p^a, which has no singularity at 0."""
            p = u ** (1 / a)
            return float(strategy.at(np.array(p), np.array(k))) * beta.pdf(p, a, b) * u ** (1 / a - 1) / a

        expected, _ = quad(along, 0, 1, limit=400)
        assert strategy.value(BetaSuccess(a, b), k) == pytest.approx(expected, rel=1e-6)


def test_an_independent_package_agrees(rng: np.random.Generator) -> None:
    scorio = pytest.importorskip("scorio")
    graded = (rng.random((20, 16)) < rng.random((20, 1))).astype(int)
    n, c = np.full(20, 16), graded.sum(axis=1)
    for k in (1, 3, 8, 16):
        assert np.mean(all_of(n, c, k)) == pytest.approx(scorio.eval.pass_hat_k(graded, k), abs=1e-12)
        for tau in (0.25, 0.5, 0.75, 1.0):
            theirs = scorio.eval.g_pass_at_k_tau(graded, k, tau)
            assert np.mean(at_least(n, c, k, tau)) == pytest.approx(theirs, abs=1e-12)
