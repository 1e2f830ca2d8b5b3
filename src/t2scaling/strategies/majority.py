"""The most frequent answer of k samples, exactly: plurality, ties drawn evenly.

Of n samples of a question c_0 are right and c_1 … c_m are the wrong answers' counts. Over all subsets of k
    majority@k = 1/C(n, k) · Σ_j C(c_0, j) · Σ_t 1/(1 + t)·[x^(k−j) y^t] Π_i (Σ_{r<j} C(c_i, r) x^r + y·C(c_i, j) x^j),
j being how often the right answer is drawn and t how many wrong ones tie with it. Since Σ_t y^t/(1 + t) is an
integral of y^t over [0, 1], Gauss–Legendre nodes in y do the sum over t exactly. A wrong answer with c_i < j cannot
reach j, so all of these together are one binomial; where 2j > k none can. Terms are positive: no digits cancel.
With chances instead of counts (samples drawn with replacement, any k) C(c_i, r) becomes p_i^r/r! and 1/C(n, k) k!.
Each table holds C(c, r)·ρ^r with ρ = K/n, which keeps numbers near 1. Shapes: Q questions, m answers, r = 0 … K.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.strategies.base import register
from t2scaling.strategies.counts import whole_k
from t2scaling.strategies.success import Success

MOST_K = 512  # the terms' spread then leaves double precision's range
_BLOCK = 128  # questions at a time


def majority(counts: ArrayLike | Sequence[ArrayLike], k: ArrayLike) -> Array:
    """Unbiased chance that the plurality of k samples is right.

    counts   (…, 1 + m): how often the right answer came, then each wrong one (zeros may pad); or a list of such rows
    k        whole, at most 512
    Returns the shape of counts without its last axis, then that of k; NaN where a question has fewer than k samples.
    Raises ArgumentError for counts that are not whole or k that is not.

    >>> round(float(majority([4, 3, 3], 5)), 10)  # 10/21
    0.4761904762
    """
    table = _padded(counts)
    if np.any(~((table >= 0) & (table == np.round(table)))):
        raise ArgumentError(
            "`counts` must be whole numbers of samples, 0 or more: right first, then each wrong answer."
        )
    k = _checked(k)
    rows = table.reshape(-1, table.shape[-1])
    values = np.concatenate([_plurality(rows[at : at + _BLOCK], k.ravel()) for at in range(0, len(rows), _BLOCK)])
    return values.reshape(table.shape[:-1] + k.shape)


def majority_of_chances(chances: ArrayLike, k: ArrayLike) -> Array:
    """The same when each sample is drawn from answers with these chances: right first; each row sums to 1.

    >>> round(float(majority_of_chances([0.4, 0.3, 0.3], 5)), 10)
    0.44704
    """
    table = np.asarray(chances, dtype=float)
    if np.any(~(table >= 0)) or not np.allclose(table.sum(axis=-1), 1, rtol=0, atol=1e-9):
        raise ArgumentError("`chances` must be 0 or more and sum to 1 for each question.")
    k = _checked(k)
    rows = table.reshape(-1, table.shape[-1])
    values = np.stack([_plurality(rows, np.array([each]), replace=True)[:, 0] for each in k.ravel()], axis=-1)
    return values.reshape(table.shape[:-1] + k.shape)


def limit(counts: ArrayLike) -> Array:
    """k → ∞ with chances in place of counts: 1 where the right answer is the most frequent, shared where it ties."""
    table = _padded(counts)
    top = table == table.max(axis=-1, keepdims=True)
    return np.where(top[..., 0], 1 / top.sum(axis=-1), 0.0)


def _padded(counts: ArrayLike | Sequence[ArrayLike]) -> Array:
    try:
        return np.asarray(counts, dtype=float)
    except ValueError:
        rows = [np.asarray(row, dtype=float) for row in counts]  # type: ignore[union-attr]
    table = np.zeros((len(rows), max(map(len, rows))))
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


def _checked(k: ArrayLike) -> Array:
    k = whole_k(k)
    if np.any(k > MOST_K):
        raise ArgumentError(f"`k` = {k.max():g} is beyond {MOST_K}, where the exact sum ends: draw random subsets.")
    return k


def _plurality(counts: Array, k: Array, replace: bool = False) -> Array:
    """(Q, 1 + m) counts (or chances, with `replace`) and k (n,) → (Q, n)."""
    n = counts.sum(axis=1)
    most = int(k.max())
    scale = np.full(len(n), k[0]) if replace else most / np.maximum(n, most)
    right, wrong = counts[:, 0], -np.sort(-counts[:, 1:], axis=1)
    first = _terms(right, scale, most, replace)
    rivals = _terms(wrong, scale[:, None], most // 2, replace)
    whole = _terms(n, scale, most, replace)
    total = np.zeros((len(n), len(k)))
    for j in range(1, most + 1):
        rows = np.flatnonzero(first[:, j] > 0)
        if not len(rows):
            break
        if 2 * j > most:
            rest = _terms((n - right)[rows], scale[rows], most - j, replace)
        else:
            rest = _below(wrong[rows], rivals[rows, :, : j + 1], scale[rows], j, most, replace)
        for column, samples in enumerate(k.astype(int)):
            if samples >= j:
                total[rows, column] += first[rows, j] * rest[:, samples - j]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = total / whole[:, k.astype(int)]
    return share if replace else np.where(n[:, None] < k, np.nan, share)


def _terms(c: Array, scale: Array, degree: int, replace: bool) -> Array:
    """C(c, r)·scale^r, or (c·scale)^r/r! with `replace`, for r = 0 … degree along a new last axis."""
    r = np.arange(degree)
    left = c[..., None] - (0 if replace else r)
    ratio = np.maximum(left, 0.0) * np.asarray(scale)[..., None] / (r + 1)
    return np.concatenate(
        [np.ones((*c.shape, 1)), np.cumprod(np.broadcast_to(ratio, (*c.shape, degree)), axis=-1)], axis=-1
    )


def _below(wrong: Array, rivals: Array, scale: Array, j: int, most: int, replace: bool) -> Array:
    """Coefficients (q, most − j + 1) of the product over wrong answers, the ties' 1/(1 + t) summed in.

    wrong (q, m) in falling order, rivals (q, m, j + 1) their terms up to j
    """
    degree = most - j
    reach = wrong > 0 if replace else wrong >= j  # those that can tie; in falling order, so the first ones
    ties = min(int(reach.sum(axis=1).max(initial=0)), degree // j)
    nodes, weights = np.polynomial.legendre.leggauss(ties // 2 + 1)
    y, weights = (nodes + 1) / 2, weights / 2
    start = _terms(np.where(reach, 0.0, wrong).sum(axis=1), scale, degree, replace)
    product = np.repeat(start[:, None, :], len(y), axis=1)
    for i in range(wrong.shape[1]):
        rows = np.flatnonzero(reach[:, i])
        if not len(rows):
            break
        old = product if len(rows) == len(product) else product[rows]
        new = old.copy()  # the term r = 0 is 1
        for r in range(1, j + 1):
            term = rivals[rows, i, r, None] * (y if r == j else np.ones(1))
            new[:, :, r:] += term[:, :, None] * old[:, :, : degree + 1 - r]
        if old is product:
            product = new
        else:
            product[rows] = new
    return np.asarray(np.einsum("g,qgd->qd", weights, product))


@register
@dataclass(frozen=True)
class Majority:
    """Plurality of k answers; needs how often each wrong answer came."""

    name: ClassVar[str] = "majority"
    label: ClassVar[str] = "majority of k"
    rising: ClassVar[bool] = False

    def value(self, success: Success, k: ArrayLike) -> Array:
        """Not to be had from success alone: how wrong answers spread decides. Raises ArgumentError."""
        raise ArgumentError(
            "`strategy` = majority needs how often each wrong answer came, which no law predicts: it is judged on "
            "measured runs only (`t2 score`), or choose oracle, all, at_least or verifier."
        )

    def from_counts(
        self, n: ArrayLike, c: ArrayLike, k: ArrayLike, *, wrong_counts: Sequence[ArrayLike] | None = None, **more: Any
    ) -> Array:
        """One question per row of `wrong_counts`: shape (Q,) + k.shape. Answers missing in them do not vote."""
        if wrong_counts is None:
            raise ArgumentError("`strategy` = majority needs `wrong_counts`, how often each wrong answer came.")
        right = np.atleast_1d(np.asarray(c, dtype=float))
        return majority(
            [np.concatenate([[a], np.asarray(w, dtype=float)]) for a, w in zip(right, wrong_counts, strict=True)], k
        )
