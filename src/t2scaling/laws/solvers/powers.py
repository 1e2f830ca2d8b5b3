"""Sums of power laws by variable projection: y(r, k) ≈ E + A·N^−alpha + B·D^−beta + G·k^−gamma with E, A, B, G ≥ 0.

Given the exponents the law is linear, so E, A, B, G follow from an exact non-negative least squares (`nnls`), and
only the exponents are searched: first on a grid, then from the grid's local minima by Newton descent (`newton`)
with the exact gradient and Hessian of the reduced objective (Golub & Pereyra 1973; for Chinchilla's law see
arXiv 2603.22339). Without a k column (one k only) the same code fits Chinchilla's law.

Every run is measured at the same k, so a complete table needs no R·K residuals. Write y = mean + row effect + column
effect + interaction; the model has no interaction, hence

    Σ_r w_r Σ_k (y − model)² = Σ w·interaction² + K·Σ_r w_r (row − f_r)² + W·Σ_k (column − g_k)² + K·W·(mean − f̄ − ḡ)²

with f and g the model's centred parts: R + K + 1 residuals, formed without cancellation. Tables with gaps use all
their observed entries. Both are a `Design`: rows with weights, targets and a linear map from powers to columns.
Shapes: B problems (bootstrap replicates), R runs, K values of k, M rows, p = 3 or 4 columns, P = p − 1 exponents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.laws.solvers.nnls import nnls, solve_on

Lift = Callable[[Array, Positions], Array]


@dataclass(frozen=True)
class Design:
    """B least-squares problems that share N, D and k.

    logs       log N, log D (R,) and, unless there is one k only, log k (K,); each less its `origin`
    origin     what was subtracted: powers are then of order one
    constant   column of E, shape (B, M)
    weight     row weights, shape (B, M)
    target     shape (B, M)
    floor      the sum of squares no law in this family can explain, shape (B,)
    lifts      per exponent, the map from powers (b, R) or (b, K) of the problems `rows` (b,) to columns (b, M)
    """

    logs: tuple[Array, ...]
    origin: tuple[float, ...]
    constant: Array
    weight: Array
    target: Array
    floor: Array
    lifts: tuple[Lift, ...]

    @property
    def size(self) -> int:
        """How many problems."""
        return len(self.floor)


def design(N: Array, D: Array, k: Array, y: Array, weight: Array) -> Design:
    """Set up the problems.

    N, D     shape (R,)
    k        shape (K,)
    y        shape (B, R, K); NaN where not measured, in the same places for all B
    weight   shape (B, R), at least zero: a run's multiplicity or inverse variance
    """
    observed = np.isfinite(y[0])
    origin: tuple[float, ...] = (float(np.mean(np.log(N))), float(np.mean(np.log(D))), 0.0)
    logs: tuple[Array, ...] = (np.log(N) - origin[0], np.log(D) - origin[1], np.log(k))
    if len(k) == 1:
        logs, origin = logs[:2], origin[:2]
    if len(k) > 1 and observed.all():
        return _complete(logs, origin, y, weight)
    return _sparse(logs, origin, y, weight, observed)


def _complete(logs: tuple[Array, ...], origin: tuple[float, ...], y: Array, weight: Array) -> Design:
    B, R, K = y.shape
    W = weight.sum(axis=1)
    share = weight / W[:, None]
    row, column = y.mean(axis=2), np.einsum("br,brk->bk", share, y)  # (B, R), (B, K): two-way means, runs weighted
    mean = column.mean(axis=1)
    interaction = y - row[:, :, None] - (column - mean[:, None])[:, None, :]
    target = np.concatenate([row - mean[:, None], column - mean[:, None], mean[:, None]], axis=1)
    weights = np.concatenate([K * weight, np.repeat(W[:, None], K, axis=1), K * W[:, None]], axis=1)
    constant = np.zeros((B, R + K + 1))
    constant[:, -1] = 1.0

    def lift_run(power: Array, rows: Positions) -> Array:
        centre = np.sum(share[rows] * power, axis=1, keepdims=True)
        return np.concatenate([power - centre, np.zeros((len(power), K)), centre], axis=1)

    def lift_k(power: Array, rows: Positions) -> Array:
        centre = power.mean(axis=1, keepdims=True)
        return np.concatenate([np.zeros((len(power), R)), power - centre, centre], axis=1)

    floor = np.einsum("br,brk->b", weight, interaction**2)  # (B,): what no sum of a run and a k effect explains
    return Design(logs, origin, constant, weights, target, floor, (lift_run, lift_run, lift_k))


def _sparse(logs: tuple[Array, ...], origin: tuple[float, ...], y: Array, weight: Array, observed: Flags) -> Design:
    run, column = np.nonzero(observed)
    target = y[:, run, column]

    def lift_run(power: Array, rows: Positions) -> Array:
        return power[:, run]

    def lift_k(power: Array, rows: Positions) -> Array:
        return power[:, column]

    lifts = (lift_run, lift_run, lift_k)[: len(logs)]
    return Design(logs, origin, np.ones_like(target), weight[:, run], target, np.zeros(len(y)), lifts)


def project(problem: Design, exponents: Array, rows: Positions) -> tuple[Array, Array]:
    """Best E, A, B(, G) ≥ 0 at the given exponents, and the sum of squares left.

    exponents   shape (b, P)
    rows        which problem each belongs to, shape (b,)
    Returns coefficients (b, p), for logs less `origin`, and values (b,).
    """
    columns = _columns(problem, exponents, rows)
    c, residual = _project(problem, columns, rows)
    return c, problem.floor[rows] + np.sum(problem.weight[rows] * residual**2, axis=1)


def reduced_objective(problem: Design) -> Callable[[Array, Positions], tuple[Array, Array, Array]]:
    """The sum of squares as a function of log exponents alone, with gradient and Hessian, for `newton.minimise`.

    The coefficients are at their optimum, so the gradient is the partial one (envelope theorem), and the Hessian is
    the Schur complement of the full one over the coefficients that are not held at zero.
    """

    def evaluate(log_exponents: Array, rows: Positions) -> tuple[Array, Array, Array]:
        exponents = np.exp(log_exponents)
        columns = _columns(problem, exponents, rows)
        first, second = _slopes(problem, exponents, rows)
        c, residual = _project(problem, columns, rows)
        weight = problem.weight[rows]
        pull = weight * residual  # (b, M)
        value = problem.floor[rows] + np.sum(pull * residual, axis=1)
        gain = np.einsum("bpm,bm->bp", first, pull)  # (b, P): each exponent's slope along the residual
        inner = c[:, 1:]  # A, B(, G); E has no exponent
        gradient = -2 * inner * gain
        # f(c, x) = Σ w·r² has f_xx (`direct`), f_xc (`cross`) and f_cc = 2·Gram; at the best c, the Hessian in x is
        # f_xx − f_xc·f_cc⁻¹·f_cx (Golub & Pereyra 1973).
        weighted = first * weight[:, None, :]
        # (b, P, P) from the products of first slopes; the second slopes stand on the diagonal alone
        direct = 2 * inner[:, :, None] * inner[:, None, :] * (weighted @ first.transpose(0, 2, 1))
        P = inner.shape[1]
        direct[:, range(P), range(P)] -= 2 * inner * np.einsum("bpm,bm->bp", second, pull)
        cross = 2 * inner[:, :, None] * (weighted @ columns.transpose(0, 2, 1))  # (b, P, p)
        cross[:, range(P), range(1, P + 1)] -= 2 * gain
        return value, gradient, direct - _schur(columns, weight, c > 0, cross)

    return evaluate


def _schur(columns: Array, weight: Array, support: Flags, cross: Array) -> Array:
    """cross · (2·Gram on the support)⁻¹ · crossᵀ, shape (b, P, P)."""
    gram = (columns * weight[:, None, :]) @ columns.transpose(0, 2, 1)  # (b, p, p)
    # Columns of powers differ by orders of magnitude: the Gram matrix is solved with a unit diagonal.
    scale = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    gram = gram / (scale[:, :, None] * scale[:, None, :])
    scaled = cross / scale[:, None, :]
    solved, valid = solve_on(gram[:, None], scaled, support[:, None, :])
    return 0.5 * scaled @ np.where(valid[..., None], solved, 0.0).transpose(0, 2, 1)


def _columns(problem: Design, exponents: Array, rows: Positions) -> Array:
    """The p columns at each row of exponents, shape (b, p, M)."""
    powers = [
        lift(np.exp(-exponents[:, i, None] * log), rows)
        for i, (lift, log) in enumerate(zip(problem.lifts, problem.logs, strict=True))
    ]
    return np.stack([problem.constant[rows], *powers], axis=1)


def _slopes(problem: Design, exponents: Array, rows: Positions) -> tuple[Array, Array]:
    """First and second derivatives of the P power columns in the log of their exponent, each (b, P, M)."""
    first, second = [], []
    for i, (lift, log) in enumerate(zip(problem.lifts, problem.logs, strict=True)):
        turn = -exponents[:, i, None] * log
        power = np.exp(turn)
        first.append(lift(turn * power, rows))
        second.append(lift((turn + turn**2) * power, rows))
    return np.stack(first, axis=1), np.stack(second, axis=1)


def _project(problem: Design, columns: Array, rows: Positions) -> tuple[Array, Array]:
    """Coefficients (b, p) and residuals (b, M)."""
    weight, target = problem.weight[rows], problem.target[rows]
    weighted = columns * weight[:, None, :]  # (b, p, M)
    gram = weighted @ columns.transpose(0, 2, 1)
    c = nnls(gram, np.einsum("bpm,bm->bp", weighted, target))
    residual = target - np.einsum("bp,bpm->bm", c, columns)
    # One step of refinement gives back the digits that the normal equations lose.
    scale = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    normal = gram / (scale[:, :, None] * scale[:, None, :])
    change, valid = solve_on(normal, np.einsum("bpm,bm->bp", weighted, residual) / scale, c > 0)
    refined = c + change / scale
    keep = valid & np.all(refined >= 0, axis=1)
    c = np.where(keep[:, None], refined, c)
    return c, target - np.einsum("bp,bpm->bm", c, columns)
