"""One-dimensional roots and minima for whole arrays at once.

`root` finds where a slope changes sign inside a bracket (Chandrupatla 1997: inverse quadratic steps, safeguarded by
bisection), `valley` the minimum of a function with one valley (Brent 1973). All arrays share one shape S, and each
element is a problem of its own.
"""

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


def valley(score: Function, lo: Array, hi: Array, start: Array, tolerance: float = 1e-10) -> Array:
    """Minimum of a function with one valley in [lo, hi], from `start`: Brent's (1973, ch. 5).

    Parabolic steps, safeguarded by golden section. Good to `tolerance`, or to half the digits where the score is flat
    to rounding.
    """
    a, b, x = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (lo, hi, start)))
    best = second = third = np.stack([x, score(x)])  # (2, *S): points and their values
    step = before = np.zeros(x.shape)
    for _ in range(100):
        x = best[0]
        middle = (a + b) / 2
        open_ = np.abs(x - middle) > 2 * tolerance - (b - a) / 2
        if not open_.any():
            break
        parabolic = _bottom(best, second, third)
        safe = (np.abs(parabolic) < np.abs(before) / 2) & (a < x + parabolic) & (x + parabolic < b)
        side = np.where(x < middle, b, a) - x
        before, step = np.where(safe, step, side), np.where(safe, parabolic, (1 - GOLDEN) * side)
        # Closer than this no two points can be told apart; beside an end the next one is on the other side of x.
        near = (x + step - a < 2 * tolerance) | (b - x - step < 2 * tolerance)
        least = np.copysign(tolerance, np.where(near, middle - x, step))
        step = np.where(near | (np.abs(step) < tolerance), least, step)
        u = np.where(open_, x + step, x)
        new = np.stack([u, score(u)])
        better, above = new[1] < best[1], step > 0
        a = np.where(open_ & (better == above), np.where(better, x, u), a)
        b = np.where(open_ & (better != above), np.where(better, x, u), b)
        runner = ~better & ((new[1] <= second[1]) | (second[0] == x))
        last = (new[1] <= third[1]) | (third[0] == x) | (third[0] == second[0])
        third = np.where(better | runner, second, np.where(last, new, third))
        second = np.where(better, best, np.where(runner, new, second))
        best = np.where(better, new, best)
    return np.asarray(best[0])


def _bottom(best: Array, second: Array, third: Array) -> Array:
    """How far from the best of three points, (2, *S) each, their parabola is flat; NaN where there is none."""
    (x, fx), (w, fw), (v, fv) = best, second, third
    with np.errstate(all="ignore"):
        by_v, by_w = (x - w) * (fx - fv), (x - v) * (fx - fw)
        return np.asarray(((x - w) * by_v - (x - v) * by_w) / (2 * (by_w - by_v)))
