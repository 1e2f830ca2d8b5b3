"""Minima of functions that may have several valleys, for whole arrays at once.

`minimise` scans a grid of points, takes the deepest three valleys of each element and refines each: by the root of
the slope where there is one, and by Brent's method where there is none, or where the slope has led astray (a score
that underflows is flat, and its slope says nothing). Each element of an array is a problem of its own. Points of the
grid and valleys are leading axes, so that a search within a search scans many points at once. A function may return
inf where it is not defined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.solvers.rootfind import root, valley

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_VALLEYS = 3
_BLOCK = 4096  # elements


def minimise(score: Function, lo: Array, hi: Array, slope: Function | None = None, points: int = 64) -> Array:
    """The x in [lo, hi] of least `score`, shape S as lo and hi; `lo` where hi ≤ lo.

    score   called with x of shape (m, *S): m points for each element
    slope   derivative of `score`; with it the answer is a root to rounding, without it good to about 1e-8
    """
    hi = np.maximum(lo, hi)
    if np.all(hi <= lo):
        return np.array(lo, dtype=float)
    span = (hi - lo) / (points - 1)
    # F: (points, *S)
    values = _scanned(score, lo, span, points)
    index, exists = _valleys(values)  # (V, *S)
    at = np.minimum(lo + index * span, hi)
    left, right = np.maximum(lo, at - span * exists), np.minimum(hi, at + span * exists)
    x = _refined(score, slope, left, right, at, np.take_along_axis(values, index, axis=0))
    deepest = np.argmin(np.where(exists, _finite(score(x)), np.inf), axis=0)[None]
    return np.where(exists.any(axis=0), np.take_along_axis(x, deepest, axis=0)[0], lo)


def _scanned(score: Function, lo: Array, span: Array, points: int) -> Array:
    """The score at lo, lo + span, …, in blocks small enough that what a law computes stays in the cache."""
    steps = np.arange(points).reshape(-1, *(1 for _ in lo.shape))
    rows = max(1, _BLOCK // max(lo.size, 1))
    return np.concatenate([_finite(score(lo + steps[i : i + rows] * span)) for i in range(0, points, rows)])


def _valleys(values: Array) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The deepest local minima over the grid, the deepest first: (index, whether there is such a one), each (V, *S)."""
    edge = np.full((1, *values.shape[1:]), np.inf)
    before, after = np.concatenate([edge, values[:-1]]), np.concatenate([values[1:], edge])
    local = (values <= before) & (values < after)
    np.put_along_axis(local, np.argmin(values, axis=0)[None], True, axis=0)
    depth = np.where(local & np.isfinite(values), values, np.inf)
    order = np.argsort(depth, axis=0)[:_VALLEYS]
    exists = np.isfinite(np.take_along_axis(depth, order, axis=0))
    most = max(1, int(exists.sum(axis=0).max(initial=0)))
    return order[:most], exists[:most]


def _refined(score: Function, slope: Function | None, left: Array, right: Array, at: Array, value: Array) -> Array:
    """The minimum between two neighbours of the grid point `at`, or `at` itself where nothing is lower."""
    if slope is None:
        return valley(lambda x: _finite(score(x)), left, right, at)
    x = root(slope, left, right)
    # Near a minimum the score is flat to rounding, where the slope still tells left from right.
    good = _finite(score(x)) <= value + 1e-12 * np.abs(value)
    if good.all():
        return x
    return np.where(good, x, _refined(score, None, left, right, at, value))


def last(holds: Callable[[Array], NDArray[np.bool_]], lo: Array, hi: Array, iterations: int = 60) -> Array:
    """The greatest x in [lo, hi] where `holds`, which is True from `lo` up to some point and False beyond it."""
    good, bad = np.asarray(lo, dtype=float), np.asarray(hi, dtype=float)
    good = np.where(holds(bad), bad, good)
    for _ in range(iterations):
        middle = (good + bad) / 2
        yes = holds(middle)
        good, bad = np.where(yes, middle, good), np.where(yes, bad, middle)
    return good


def _finite(values: Array) -> Array:
    """NaN as inf: no minimum is there."""
    return np.where(np.isnan(values), np.inf, values)
