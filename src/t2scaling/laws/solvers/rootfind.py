"""One-dimensional roots and minima for whole arrays at once.

`root` finds where a slope changes sign inside a bracket (Chandrupatla 1997: inverse quadratic steps, safeguarded by
bisection). `minimise` scans a grid of points first, so that a function with several valleys is not trusted to have
one, and then refines by the root of its slope or, where no slope is known, by golden section. All arrays share one
shape (n,), and each element is a problem of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from t2scaling.arrays import Array

Function = Callable[[Array], Array]

GOLDEN = (np.sqrt(5) - 1) / 2


def root(slope: Function, lo: Array, hi: Array, iterations: int = 100) -> Array:
    """Where `slope` rises through zero in [lo, hi]: `lo` where it is positive throughout, `hi` where negative.

    Stops when every bracket is down to rounding. A jump through zero counts as a root.
    """
    a, b = np.array(lo, dtype=float), np.array(hi, dtype=float)
    fa, fb = slope(a), slope(b)
    at_lo, at_hi = ~(fa < 0), fb <= 0
    c, fc, t = a.copy(), fa.copy(), np.full(a.shape, 0.5)
    for _ in range(iterations):
        x = a + t * (b - a)
        fx = slope(x)
        same = np.sign(fx) == np.sign(fa)
        c, fc, b, fb = np.where(same, a, b), np.where(same, fa, fb), np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        width = np.abs(b - a)
        tolerance = 2 * np.finfo(float).eps * np.maximum(np.abs(best), 1e-3)
        if np.all((width <= 2 * tolerance) | (fa == 0) | at_lo | at_hi):
            break
        t = np.clip(_step(a, b, c, fa, fb, fc), *_margins(tolerance, width))
    return np.where(at_lo, lo, np.where(at_hi, hi, best))


def _step(a: Array, b: Array, c: Array, fa: Array, fb: Array, fc: Array) -> Array:
    """Chandrupatla's next position in [0, 1] between a and b: inverse quadratic where it is safe, else one half."""
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(safe & np.isfinite(quadratic), quadratic, 0.5)


def _margins(tolerance: Array, width: Array) -> tuple[Array, Array]:
    margin = np.minimum(0.5, tolerance / np.maximum(width, np.finfo(float).tiny))
    return margin, 1 - margin


def minimise(score: Function, lo: Array, hi: Array, slope: Function | None = None, points: int = 64) -> Array:
    """The x in [lo, hi] of least `score`, from a grid of `points` and a refinement around the best of them.

    slope   derivative of `score`; with it the answer is a root to rounding, without it good to about 1e-8
    """
    fractions = np.linspace(0, 1, points)
    best, index = score(lo), np.zeros(lo.shape)
    for i, fraction in enumerate(fractions[1:], start=1):
        value = score(lo + fraction * (hi - lo))
        better = value < best
        best, index = np.where(better, value, best), np.where(better, i, index)
    span = (hi - lo) / (points - 1)
    left, right = np.maximum(lo, lo + (index - 1) * span), np.minimum(hi, lo + (index + 1) * span)
    refined = golden(score, left, right) if slope is None else root(slope, left, right)
    on_grid = np.where(index == points - 1, hi, lo + index * span)
    # Near a minimum the score is flat to rounding, where the slope still tells left from right.
    return np.where(score(refined) <= best + 1e-9 * np.abs(best), refined, on_grid)


def golden(score: Function, lo: Array, hi: Array, iterations: int = 60) -> Array:
    """Minimum of a function with one valley in [lo, hi], by golden section."""
    a, b = np.array(lo, dtype=float), np.array(hi, dtype=float)
    x1, x2 = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    f1, f2 = score(x1), score(x2)
    for _ in range(iterations):
        left = f1 <= f2
        a, b = np.where(left, a, x1), np.where(left, x2, b)
        x1, x2 = np.where(left, b - GOLDEN * (b - a), x2), np.where(left, x1, a + GOLDEN * (b - a))
        fresh = score(np.where(left, x1, x2))
        f1, f2 = np.where(left, fresh, f2), np.where(left, f1, fresh)
    return np.where(f1 <= f2, x1, x2)
