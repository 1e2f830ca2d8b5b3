"""Damped Newton descent within a box, for many small problems side by side.

Each problem has P parameters (three for the power laws, five for the Beta law) and its own objective; all of them
step together as array arithmetic, and a problem leaves the batch when it has converged. Curvature is made positive
by taking the absolute value of its eigenvalues (saddle-free Newton, Dauphin et al. 2014, arXiv 1406.2572), a multiple
of the identity is added that grows on a failed step and shrinks on a good one (Levenberg 1944, Marquardt 1963), and
parameters that press against a bound are held there while the gradient points outward (projected Newton, Bertsekas
1982).
Shapes: B problems, P parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags, Positions

# (x of shape (b, P), which of the B problems they belong to (b,)) → value (b,), gradient (b, P), curvature (b, P, P)
Objective = Callable[[Array, Positions], tuple[Array, Array, Array]]

_FLAT = 1e-13  # eigenvalues below this share of the largest are lifted to it
_TINY = float(np.finfo(float).tiny)
_HOPELESS = 1e10  # damping, in units of the largest curvature, at which no step can help any more


def in_blocks(objective: Objective, rows: int) -> Objective:
    """The same objective, worked off at most `rows` problems at a time, so that intermediates stay in the cache."""

    def evaluate(x: Array, index: Positions) -> tuple[Array, Array, Array]:
        if len(x) <= rows:
            return objective(x, index)
        parts = [objective(x[i : i + rows], index[i : i + rows]) for i in range(0, len(x), rows)]
        value, gradient, curvature = (np.concatenate(part) for part in zip(*parts, strict=True))
        return value, gradient, curvature

    return evaluate


@dataclass(frozen=True)
class Descent:
    """Where a batch of descents ended.

    x           shape (B, P)
    value       shape (B,)
    converged   shape (B,), False where `max_iter` ran out first
    """

    x: Array
    value: Array
    converged: Flags

    def lower_of(self, other: Descent, rows: Positions) -> Descent:
        """The better of the two for each problem; `other` holds the problems `rows` of this one."""
        x, value, converged = self.x.copy(), self.value.copy(), self.converged.copy()
        better = other.value < value[rows]
        x[rows[better]], value[rows[better]] = other.x[better], other.value[better]
        converged[rows[better]] = other.converged[better]
        return Descent(x, value, converged)


def minimise(
    objective: Objective,
    start: Array,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    max_iter: int = 200,
    tolerance: float = 1e-14,
    radius: float = 1.0,
) -> Descent:
    """Descend from each row of `start`, shape (B, P), within [lower, upper].

    tolerance   stop when a full step would lower the value by less than this share of it
    radius      longest step in the parameters' own units
    """
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    x = np.clip(start, lower, upper)
    value, gradient, curvature = objective(x, np.arange(len(x)))
    active = np.flatnonzero(np.isfinite(value))
    value = np.where(np.isfinite(value), value, np.inf)
    damping = np.full(len(x), 1e-3)
    converged = np.zeros(len(x), dtype=bool)
    for _ in range(max_iter):
        if not active.size:
            break
        step, promise = _step(x[active], gradient[active], curvature[active], damping[active], lower, upper, radius)
        done = promise <= tolerance * np.abs(value[active])
        converged[active[done]] = True
        active, step = active[~done], step[~done]
        if not active.size:
            break
        trial = np.clip(x[active] + step, lower, upper)
        new_value, new_gradient, new_curvature = objective(trial, active)
        better = new_value < value[active]
        good = active[better]
        x[good], value[good] = trial[better], new_value[better]
        gradient[good], curvature[good] = new_gradient[better], new_curvature[better]
        damping[good] = np.where(damping[good] < 1e-9, 0.0, damping[good] / 10)
        bad = active[~better]
        damping[bad] = np.maximum(damping[bad] * 10, 1e-6)
        # No step down at any length: the value is at its floor to rounding.
        stuck = damping[active] > _HOPELESS
        converged[active[stuck]] = True
        active = active[~stuck]
    return Descent(x, value, converged)


def _step(
    x: Array, gradient: Array, curvature: Array, damping: Array, lower: Array, upper: Array, radius: float
) -> tuple[Array, Array]:
    """The damped Newton step of each problem, ending inside the box, and the decrease that the undamped one promises.

    A parameter on its bound is held if the gradient, or the step it would take, points outward. A step that crosses
    a bound is cut short there: bending it along the bound could lead uphill in a narrow valley.
    """
    at_lower, at_upper = x <= lower, x >= upper
    held = (at_lower & (gradient > 0)) | (at_upper & (gradient < 0))
    step, promise = _free_step(gradient, curvature, damping, ~held)
    for _ in range(x.shape[1]):
        outward = (at_lower & (step < 0)) | (at_upper & (step > 0))
        rows = np.flatnonzero(outward.any(axis=1))
        if not rows.size:
            break
        held[rows] |= outward[rows]
        step[rows], promise[rows] = _free_step(gradient[rows], curvature[rows], damping[rows], ~held[rows])
    with np.errstate(over="ignore"):
        length = np.linalg.norm(step, axis=1)
    length = np.where(np.isfinite(length), length, np.hypot.reduce(step, axis=1))  # the squares of long steps overflow
    room = np.where(step < 0, lower - x, upper - x)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(step != 0, room / step, np.inf).min(axis=1)
    return step * np.minimum(np.minimum(1.0, radius / np.maximum(length, _TINY)), reach)[:, None], promise


def _free_step(gradient: Array, curvature: Array, damping: Array, free: Flags) -> tuple[Array, Array]:
    """Damped step and promise over the free parameters; the others stay."""
    gradient = gradient * free
    values, vectors = np.linalg.eigh(curvature * free[:, :, None] * free[:, None, :])  # (b, P), columns of (b, P, P)
    size = np.abs(values)
    largest = np.maximum(size.max(axis=1, keepdims=True), _TINY)
    size = np.maximum(size, _FLAT * largest)
    along = np.einsum("bpq,bp->bq", vectors, gradient)  # (b, P): the gradient along each eigenvector
    promise = 0.5 * np.sum(along**2 / size, axis=1)
    return -np.einsum("bpq,bq->bp", vectors, along / (size + damping[:, None] * largest)) * free, promise
