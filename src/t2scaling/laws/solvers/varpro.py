"""The default solver of power laws: variable projection on a grid, then Newton from the grid's local minima.

The lowest end is then checked along strips through it, and left again where a strip holds a lower point.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.laws.options import EXPONENT_BOUNDS
from t2scaling.laws.solvers.newton import Descent, minimise
from t2scaling.laws.solvers.nnls import nnls
from t2scaling.laws.solvers.powers import Design, project, reduced_objective

ROUNDS = 5  # times that a way further down is looked for
_NEAR = np.log([0.9, 0.97, 0.99, 1.01, 1.03, 1.1])
_ZOOM = np.linspace(-0.3, 0.3, 25)


@dataclass(frozen=True)
class Search:
    """How widely the exponents are searched; points are evenly spaced in the exponents' logarithm.

    grid     points per exponent of the coarse grid over all exponents
    starts   of its local minima, how many are descended from, lowest first
    plane    points per exponent of the finer grid over alpha and beta, at the gamma found so far; 0 for none
    descents of its local minima, how many are descended from
    strip    points across the bounds on each strip through the best solution; 0 for none
    """

    grid: int = 6
    starts: int = 3
    plane: int = 24
    descents: int = 10
    strip: int = 30


FULL = Search()
REFIT = Search(grid=5, starts=2, plane=0, strip=0)  # for refits, which start from the full fit as well


@dataclass(frozen=True)
class PowerFits:
    """Best fits of B problems.

    coefficients   E, A, B(, G), shape (B, p), in the original units of N, D and k
    exponents      alpha, beta(, gamma), shape (B, p − 1)
    value          weighted sum of squares, shape (B,)
    converged      shape (B,)
    """

    coefficients: Array
    exponents: Array
    value: Array
    converged: Flags


def fit_powers(
    problem: Design,
    *,
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    search: Search = FULL,
    warm: Array | None = None,
    max_iter: int = 200,
    tolerance: float = 1e-14,
) -> PowerFits:
    """Fit every problem of the design.

    bounds   smallest and largest exponent
    warm     further exponents to start from, shape (n, P), e.g. those of the full data for a bootstrap
    """
    low, high = np.log(bounds[0]), np.log(bounds[1])
    descend = partial(_descend, problem, low, high, max_iter, tolerance)
    every, P = np.arange(problem.size), len(problem.lifts)
    axis = np.broadcast_to(np.linspace(low, high, search.grid), (problem.size, search.grid))
    begin = _grid_minima(problem, [axis] * P, search.starts)
    if warm is not None:
        begin = np.concatenate([begin, np.broadcast_to(np.log(warm), (problem.size, *warm.shape))], axis=1)
    ends = descend(begin, every)
    if search.plane:
        fine = np.broadcast_to(np.linspace(low, high, search.plane), (problem.size, search.plane))
        axes = [fine, fine, ends.x[:, 2:]][:P]
        ends = ends.lower_of(descend(_grid_minima(problem, axes, search.descents), every), every)
    for _ in range(ROUNDS if search.strip else 0):
        rows, begin = _lower_points(problem, ends, np.linspace(low, high, search.strip))
        if not rows.size:
            break
        ends = ends.lower_of(descend(begin, rows), rows)
    exponents = np.exp(ends.x)
    coefficients, value = project(problem, exponents, every)
    coefficients[:, 1:] *= np.exp(exponents * np.array(problem.origin))
    return PowerFits(coefficients, exponents, value, ends.converged)


def _descend(
    problem: Design, low: float, high: float, max_iter: int, tolerance: float, begin: Array, which: Positions
) -> Descent:
    """The lowest end of the descents of each problem in `which` (b,) from its starts `begin` (b, S, P)."""
    b, S, P = begin.shape
    rows = np.repeat(which, S)
    evaluate = reduced_objective(problem)
    ends = minimise(
        lambda x, index: evaluate(x, rows[index]),
        begin.reshape(-1, P),
        np.full(P, low),
        np.full(P, high),
        max_iter=max_iter,
        tolerance=tolerance,
    )
    best = np.argmin(ends.value.reshape(b, S), axis=1) + S * np.arange(b)
    return Descent(ends.x[best], ends.value[best], ends.converged[best])


def _grid_minima(problem: Design, axes: list[Array], count: int) -> Array:
    """The lowest local minima (B, count, P) of the objective on the grid of log exponents `axes`, P of (B, points)."""
    index = _lowest_minima(_grid_values(problem, [np.exp(axis) for axis in axes]), count)
    return np.stack([np.take_along_axis(axis, index[:, :, p], axis=1) for p, axis in enumerate(axes)], axis=-1)


def _lower_points(problem: Design, ends: Descent, axis: Array) -> tuple[Positions, Array]:
    """Problems for which a lower point than where they ended lies on a strip through it, and the lowest of each strip.

    A term that a descent has lost (its coefficient at zero) has no slope in its exponent any more, and where D and N
    nearly go together the valleys are narrow in one exponent and far apart in the other. So each strip is fine in
    alpha and as wide as the bounds in beta, or the other way round; beta close to alpha is where N and D can share a
    term. A line along gamma completes the check.
    """
    B, P = ends.x.shape
    wide = np.broadcast_to(axis, (B, len(axis)))
    strips = []
    for p in range(P):
        axes = [ends.x[:, [q]] for q in range(P)]
        axes[p] = wide
        if p < 2:
            axes[1 - p] = np.clip(ends.x[:, [1 - p]] + _ZOOM, axis[0], axis[-1])
            axes[p] = np.clip(np.concatenate([wide, ends.x[:, [1 - p]] + _NEAR], axis=1), axis[0], axis[-1])
        strips.append(_grid_lowest(problem, axes))
    begin = np.stack(strips, axis=1)
    which = np.repeat(np.arange(B), P)
    lowest = project(problem, np.exp(begin.reshape(-1, P)), which)[1].reshape(B, P).min(axis=1)
    rows = np.flatnonzero(lowest < ends.value * (1 - 1e-10))
    return rows, begin[rows]


def _grid_lowest(problem: Design, axes: list[Array]) -> Array:
    """The lowest point (B, P) of the grid of log exponents `axes`."""
    values = _grid_values(problem, [np.exp(axis) for axis in axes])
    index = np.unravel_index(np.argmin(values.reshape(len(values), -1), axis=1), values.shape[1:])
    return np.stack(
        [np.take_along_axis(axis, i[:, None], axis=1)[:, 0] for axis, i in zip(axes, index, strict=True)], axis=-1
    )


def _grid_values(problem: Design, axes: list[Array]) -> Array:
    """The explained sum of squares, negated, at every combination of exponents `axes`, P of (B, points)."""
    B, P = problem.size, len(axes)
    every, sizes = np.arange(B), [axis.shape[1] for axis in axes]
    columns = [problem.constant[:, None, :]]
    for lift, log, axis in zip(problem.lifts, problem.logs, axes, strict=True):
        powers = np.exp(-axis[:, :, None] * log).reshape(-1, len(log))
        columns.append(lift(powers, np.repeat(every, axis.shape[1])).reshape(B, axis.shape[1], -1))
    weight = problem.weight[:, None, :]  # (B, 1, M); columns[i] is (B, points of exponent i, M)
    # Each entry of the Gram matrix depends on one or two exponents only, so it is worked out on their plane of the
    # grid and broadcast over the rest: points² products instead of points^P.
    gram = np.empty((B, *sizes, P + 1, P + 1))
    rhs = np.empty((B, *sizes, P + 1))
    for i in range(P + 1):
        rhs[..., i] = _along(np.einsum("bgm,bm->bg", columns[i] * weight, problem.target), (i,), P)
        for j in range(i, P + 1):
            table = (columns[i] * weight) @ columns[j].transpose(0, 2, 1)  # (B, points of i, points of j)
            if i == j:
                table = np.diagonal(table, axis1=1, axis2=2)
            gram[..., i, j] = gram[..., j, i] = _along(table, (i,) if i == j else (i, j), P)
    c = nnls(gram, rhs)
    return -np.sum(c * rhs, axis=-1)


def _along(table: Array, columns: tuple[int, ...], P: int) -> Array:
    """Place a table indexed by the exponents of `columns` (0 is the constant) into the grid's axes, to broadcast."""
    shape = [len(table)] + [1] * P
    for axis, column in enumerate(columns, start=1):
        if column > 0:
            shape[column] = table.shape[axis]
    return table.reshape(shape)


def _lowest_minima(values: Array, count: int) -> Positions:
    """Grid indices (B, count, P) of the lowest local minima, padded with the next lowest points."""
    B, P = len(values), values.ndim - 1
    padded = np.pad(values, [(0, 0)] + [(1, 1)] * P, constant_values=np.inf)
    minimal = np.ones(values.shape, dtype=bool)
    for shift in product((0, 1, 2), repeat=P):
        window = (slice(None), *(slice(s, s + n) for s, n in zip(shift, values.shape[1:], strict=True)))
        minimal &= values <= padded[window]
    ranked = np.where(minimal, values, values + np.ptp(values, axis=tuple(range(1, P + 1)), keepdims=True) + 1)
    flat = ranked.reshape(B, -1)
    count = min(count, flat.shape[1])
    order = np.argpartition(flat, count - 1, axis=1)[:, :count] if count < flat.shape[1] else np.argsort(flat, axis=1)
    return np.stack(np.unravel_index(order, values.shape[1:]), axis=-1)
