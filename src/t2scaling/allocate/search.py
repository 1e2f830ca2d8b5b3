"""Minima of functions that may have several valleys, for whole arrays at once.

`minimise` scans a grid of points, takes the deepest three valleys of each element and refines each: by the root of
the slope where there is one, and by golden section where there is none, or where the slope has led astray (a score
that underflows is flat, and its slope says nothing). All arrays share one shape (n,); each element is a problem of its
own. A function may return inf where it is not defined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.solvers.rootfind import golden, root

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_VALLEYS = 3


def minimise(score: Function, lo: Array, hi: Array, slope: Function | None = None, points: int = 64) -> Array:
    """The x in [lo, hi] of least `score`; `lo` where hi ≤ lo.

    slope   derivative of `score`; with it the answer is a root to rounding, without it good to about 1e-8
    """
    hi = np.maximum(lo, hi)
    if np.all(hi <= lo):
        return np.array(lo, dtype=float)
    span = (hi - lo) / (points - 1)
    # F: (points, n). Scanned point by point, so that what a law computes stays in the cache.
    values = np.stack([_finite(score(lo + i * span)) for i in range(points)])
    best_x, best = lo.copy(), np.full(lo.shape, np.inf)
    for index, exists in _valleys(values):
        if not exists.any():
            break
        at = np.minimum(lo + index * span, hi)
        left, right = np.maximum(lo, at - span), np.minimum(hi, at + span)
        x = _refined(score, slope, left, right, at, np.take_along_axis(values, index[None], axis=0)[0])
        value = _finite(score(x))
        better = exists & (value < best)
        best_x, best = np.where(better, x, best_x), np.where(better, value, best)
    return best_x


def _valleys(values: Array) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """The deepest local minima over the grid, the deepest first: (index, whether there is such a one), each (n,)."""
    padded = np.pad(values, ((1, 1), (0, 0)), constant_values=np.inf)
    local = (values <= padded[:-2]) & (values < padded[2:])
    local[np.argmin(values, axis=0), np.arange(values.shape[1])] = True
    depth = np.where(local & np.isfinite(values), values, np.inf)
    order = np.argsort(depth, axis=0)[:_VALLEYS]
    found = np.take_along_axis(depth, order, axis=0)
    return [(index, np.isfinite(value)) for index, value in zip(order, found, strict=True)]


def _refined(score: Function, slope: Function | None, left: Array, right: Array, at: Array, value: Array) -> Array:
    """The minimum between two neighbours of the grid point `at`, or `at` itself where nothing is lower."""
    if slope is None:
        x = golden(score, left, right)
        return np.where(_finite(score(x)) <= value, x, at)
    x = root(slope, left, right)
    # Near a minimum the score is flat to rounding, where the slope still tells left from right.
    good = _finite(score(x)) <= value + 1e-12 * np.abs(value)
    if good.all():
        return x
    return np.where(good, x, _refined(score, None, left, right, at, value))


def last(holds: Callable[[Array], NDArray[np.bool_]], lo: Array, hi: Array, iterations: int = 60) -> Array:
    """The greatest x in [lo, hi] where `holds`, which is True from `lo` up to some point and False beyond it."""
    good, bad = np.array(lo, dtype=float), np.array(hi, dtype=float)
    good = np.where(holds(bad), bad, good)
    for _ in range(iterations):
        middle = (good + bad) / 2
        yes = holds(middle)
        good, bad = np.where(yes, middle, good), np.where(yes, bad, middle)
    return good


def _finite(values: Array) -> Array:
    """NaN as inf: no minimum is there."""
    return np.where(np.isnan(values), np.inf, values)
