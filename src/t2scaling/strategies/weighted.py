"""Strategies that have no closed form, judged on subsets of the samples: the vote weighted by scores."""

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.errors import ArgumentError
from t2scaling.strategies.counts import whole_k

SUBSETS = 2000


class Estimate(NamedTuple):
    """A mean over subsets and its standard error: 0 where all subsets were counted."""

    value: Array
    error: Array


def subsets(n: int, k: int, rng: np.random.Generator, most: int = SUBSETS) -> tuple[Positions, bool]:
    """Subsets of k of n samples (S, k), all of them or `most` drawn at random; and whether it is all.

    Drawn once and handed to every strategy, so that their difference is not noise of the draw.
    """
    if comb(n, k) <= most:
        return np.array(list(combinations(range(n), k))), True
    return np.argpartition(rng.random((most, n)), k - 1, axis=1)[:, :k], False


def weighted_vote(
    answers: ArrayLike,
    weights: ArrayLike,
    k: ArrayLike,
    *,
    right: object,
    rng: np.random.Generator,
    most: int = SUBSETS,
) -> Estimate:
    """Chance that the answer with the largest summed weight among k samples is `right`; ties evenly; one question.

    answers, weights   (n,); weights 0 or more (scores, likelihoods)
    Returns value and standard error, each of the shape of k (whole), NaN where k > n.

    >>> rng = np.random.default_rng(0)
    >>> answers, weights = [0, 1, 1, 0, 2, 0, 1, 2], [.9, .5, .5, .7, .3, .2, .8, .1]
    >>> weighted_vote(answers, weights, [1, 5], right=0, rng=rng).value.round(6)
    array([0.375   , 0.482143])
    """
    labels, answer = np.unique(np.asarray(answers), return_inverse=True)
    weights = np.asarray(weights, dtype=float)
    if answer.shape != weights.shape or weights.ndim != 1:
        raise ArgumentError(f"`answers` has {answer.size} values and `weights` {weights.size}: one of each per sample.")
    if np.any(~(weights >= 0)):
        raise ArgumentError("`weights` must be 0 or more.")
    k = whole_k(k)
    value, error = np.full(k.shape, np.nan), np.full(k.shape, np.nan)
    for at, samples in np.ndenumerate(k):
        if samples <= len(answer):
            drawn, every = subsets(len(answer), int(samples), rng, most)
            won = _share_won(answer[drawn], weights[drawn], len(labels), labels == right)
            value[at], error[at] = won.mean(), 0.0 if every else won.std(ddof=1) / np.sqrt(len(won))
    return Estimate(value, error)


def _share_won(answer: Positions, weights: Array, labels: int, right: Flags) -> Array:
    """Per subset (S,): 1/ties where the right answer is on top, else 0."""
    sums = np.zeros((len(answer), labels))
    np.add.at(sums, (np.arange(len(answer))[:, None], answer), weights)
    # Sums of the same weights in another order differ by rounding: equal within 1e-12 is a tie.
    top = sums >= sums.max(axis=1, keepdims=True) * (1 - 1e-12)
    return np.asarray((top & right).any(axis=1) / top.sum(axis=1))
