"""Best of k by a score: a reward model, a verifier's logit, the model's own likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.passk import log_gamma_second_difference
from t2scaling.strategies.base import register
from t2scaling.strategies.counts import whole_k
from t2scaling.strategies.success import Success


def best_of(scores: ArrayLike, correct: ArrayLike, k: ArrayLike) -> Array:
    """Chance that the highest-scored of k samples is right, over all subsets of k of one question; ties evenly.

    Per group of g samples that tie, with L strictly below and a share q right: q·[C(L + g, k) − C(L, k)]/C(n, k).
    scores, correct   shape (n,); correct is 0 or 1
    Returns the shape of k, NaN where k > n. Raises ArgumentError for lengths that differ, a NaN score, or k not whole.

    >>> best_of([.1, .9, .5, .5, .7, .3, .9, .2], [0, 0, 1, 0, 1, 0, 1, 1], [1, 8])
    array([0.5, 0.5])
    """
    scores, correct = np.asarray(scores, dtype=float), np.asarray(correct, dtype=float)
    if scores.ndim != 1 or scores.shape != correct.shape or not len(scores):
        raise ArgumentError(f"`scores` has {scores.size} values and `correct` {correct.size}: one of each per sample.")
    if np.any(np.isnan(scores)):
        raise ArgumentError("`scores` holds NaN: every sample needs a score to be ranked.")
    k, n = whole_k(k), len(scores)
    _, group, size = np.unique(scores, return_inverse=True, return_counts=True)
    share = np.bincount(group, weights=correct) / size
    upto = np.cumsum(size)
    steps = np.diff(_subset_share(np.concatenate([[0], upto]), n, k), axis=0)
    return np.where(k > n, np.nan, np.tensordot(share, steps, axes=(0, 0)))


def _subset_share(m: Array, n: int, k: Array) -> Array:
    """C(m, k)/C(n, k) for each m, shape (len(m), *k.shape); 0 where m < k."""
    m = np.asarray(m, dtype=float)[(...,) + (None,) * k.ndim]
    able = (m >= k) & (k <= n)
    with np.errstate(invalid="ignore"):
        log_share = -log_gamma_second_difference(np.where(able, m - k + 1, 1.0), n - m, k)
    return np.where(able, np.exp(log_share), 0.0)


@register
@dataclass(frozen=True)
class BestOf:
    """The sample of highest score; needs a score and a grade per sample."""

    name: ClassVar[str] = "best_of"
    label: ClassVar[str] = "best of k by score"
    rising: ClassVar[bool] = False

    def value(self, success: Success, k: ArrayLike) -> Array:
        """Not to be had from success alone: how well scores rank decides. Raises ArgumentError."""
        raise ArgumentError("`strategy` = best_of needs scores per sample, which no law predicts: use verifier:auc=…")

    def from_counts(
        self, n: ArrayLike, c: ArrayLike, k: ArrayLike, *,
        scores: Sequence[ArrayLike] | None = None, correct: Sequence[ArrayLike] | None = None, **more: Any,
    ) -> Array:  # fmt: skip
        """One question per row of `scores` and `correct`: shape (Q,) + k.shape."""
        if scores is None or correct is None:
            raise ArgumentError("`strategy` = best_of needs `scores` and `correct` of every sample: there are none.")
        return np.stack([best_of(score, right, k) for score, right in zip(scores, correct, strict=True)])
