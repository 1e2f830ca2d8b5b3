"""The default solver of power laws: variable projection on a grid, then Newton from the grid's local minima."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.newton import minimise
from t2scaling.laws.nnls import nnls
from t2scaling.laws.powers import Design, project, reduced_objective

Array = NDArray[np.float64]

EXPONENT_BOUNDS = (0.01, 3.0)
GRID = 14  # points per exponent, evenly spaced in its logarithm
STARTS = 12  # local minima of the grid that are descended from


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
    converged: NDArray[np.bool_]


def fit_powers(
    problem: Design,
    *,
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    grid: int = GRID,
    starts: int = STARTS,
    warm: Array | None = None,
    max_iter: int = 200,
    tolerance: float = 1e-14,
) -> PowerFits:
    """Fit every problem of the design.

    bounds   smallest and largest exponent
    grid     points per exponent
    starts   descents per problem, from the lowest local minima of the grid
    warm     further exponents to start from, shape (n, P), e.g. those of the full data for a bootstrap
    """
    P = len(problem.lifts)
    low, high = np.log(bounds[0]), np.log(bounds[1])
    axis = np.linspace(low, high, grid)
    values = _grid_values(problem, np.exp(axis))
    begin = axis[_lowest_minima(values, starts)]  # (B, starts, P)
    if warm is not None:
        begin = np.concatenate([begin, np.broadcast_to(np.log(warm), (problem.size, *warm.shape))], axis=1)
    rows = np.repeat(np.arange(problem.size), begin.shape[1])
    evaluate = reduced_objective(problem)
    descent = minimise(
        lambda x, index: evaluate(x, rows[index]),
        begin.reshape(-1, P),
        np.full(P, low),
        np.full(P, high),
        max_iter=max_iter,
        tolerance=tolerance,
    )
    best = np.argmin(descent.value.reshape(problem.size, -1), axis=1) + begin.shape[1] * np.arange(problem.size)
    exponents = np.exp(descent.x[best])
    coefficients, value = project(problem, exponents, np.arange(problem.size))
    coefficients[:, 1:] *= np.exp(exponents * np.array(problem.origin))
    return PowerFits(coefficients, exponents, value, descent.converged[best])


def _grid_values(problem: Design, exponents: Array) -> Array:
    """The explained sum of squares, negated, at every combination of exponents: shape (B, grid, …)."""
    B, g, P = problem.size, len(exponents), len(problem.lifts)
    every = np.arange(B)
    columns = [problem.constant[:, None, :]]
    for lift, log in zip(problem.lifts, problem.logs, strict=True):
        power = np.exp(-exponents[:, None] * log)
        columns.append(np.stack([lift(np.broadcast_to(row, (B, len(log))), every) for row in power], axis=1))
    weight = problem.weight[:, None, :]
    gram = np.empty((B, *([g] * P), P + 1, P + 1))
    rhs = np.empty((B, *([g] * P), P + 1))
    for i in range(P + 1):
        rhs[..., i] = _along(np.einsum("bgm,bm->bg", columns[i] * weight, problem.target), (i,), P)
        for j in range(i, P + 1):
            table = (columns[i] * weight) @ columns[j].transpose(0, 2, 1)
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


def _lowest_minima(values: Array, count: int) -> NDArray[np.intp]:
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
