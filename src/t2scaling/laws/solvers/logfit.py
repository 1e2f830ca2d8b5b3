"""Fits in log space: Hoffmann's Huber loss, and its limit of squared log errors.

    min Σ w·Huber_δ(log(e^{a − alpha·log N} + e^{b − beta·log D} [+ e^{g − gamma·log k}] + e^{e}) − log y)

with A = e^a and so on (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 3 and App. D.3): summed, not averaged, since an
average lets the descent stop early (Besiroglu et al. 2024, arXiv 2404.10102). δ = 1e-3 is close to absolute errors,
so that single bad points do not pull; δ = ∞ gives squared log errors. All starts descend together (`newton`).
Shapes: b starts, M observed entries, T power terms (2 or 3), P = 2T + 1 parameters.
"""

from collections.abc import Callable
from itertools import product

import numpy as np

from t2scaling.arrays import Array, Positions
from t2scaling.errors import DataError
from t2scaling.laws.options import DELTA, EXPONENT_BOUNDS
from t2scaling.laws.solvers.newton import minimise
from t2scaling.laws.solvers.powers import design, project
from t2scaling.laws.solvers.varpro import FULL, REFIT, PowerFits, fit_powers

STARTS = 96  # of the grid of starts, the best are descended from
_LOG_RANGE = 60.0  # a term smaller than e^−60 of the values is nothing in double precision


def fit_logs(
    N: Array,
    D: Array,
    k: Array,
    y: Array,
    weight: Array,
    *,
    delta: float = DELTA,
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    starts: int = STARTS,
    warm: Array | None = None,
) -> PowerFits:
    """Fit one table.

    N, D     shape (R,); k shape (K,); y shape (R, K), positive, NaN where not measured; weight shape (R,)
    delta    where the Huber loss turns from squares to absolute values, in log units; np.inf for squares
    starts   how many of Hoffmann's grid of starts are descended from, lowest objective first
    warm     exponents (1, P) to start from in place of the grid, with the best terms of raw squares at them
    Returns a batch of one (see `varpro.PowerFits`); its value is the summed objective.
    Raises DataError if y is not positive.
    """
    if np.any(y <= 0):
        raise DataError(f"a fit in log space needs positive losses, got {np.nanmin(y):g}: use `objective` = 'sse'.")
    run, column = np.nonzero(np.isfinite(y))
    origin = [float(np.mean(np.log(N))), float(np.mean(np.log(D))), 0.0][: 2 if len(k) == 1 else 3]
    covariates = [np.log(N)[run], np.log(D)[run], np.log(k)[column]][: len(origin)]
    centred = np.stack(covariates) - np.array(origin)[:, None]
    objective = log_objective(centred, np.log(y[run, column]), weight[run], delta)
    problem = design(N, D, k, y[None], weight[None])
    squares = fit_powers(problem, bounds=bounds, warm=warm, search=FULL if warm is None else REFIT)
    begin = _inner(squares.coefficients[0], squares.exponents[0], origin)
    if warm is None:
        grid = _hoffmann_grid(origin) if len(origin) == 2 else _share_grid(np.log(y[run, column]))
        begin = np.concatenate([grid, begin])
    else:
        c, _ = project(problem, warm, np.zeros(1, dtype=np.intp))
        c[0, 1:] *= np.exp(warm[0] * np.array(origin))
        begin = np.concatenate([_inner(c[0], warm[0], origin), begin])
    size, T = begin.shape[1], len(origin)
    low = np.array([-_LOG_RANGE] * (T + 1) + [bounds[0]] * T)
    high = np.array([_LOG_RANGE] * (T + 1) + [bounds[1]] * T)
    begin = np.clip(begin, low, high)
    values = np.concatenate(
        [objective(part, np.arange(len(part)))[0] for part in np.array_split(begin, max(1, len(begin) // 100))]
    )
    chosen = np.union1d(np.argsort(values)[:starts], [len(begin) - 1])
    descent = minimise(objective, begin[chosen], low, high, max_iter=500, radius=2.0)
    best = int(np.argmin(descent.value))
    x = descent.x[best]
    exponents = x[size - T :]
    coefficients = np.exp(x[: T + 1])
    coefficients[1:] *= np.exp(exponents * np.array(origin))
    return PowerFits(coefficients[None], exponents[None], descent.value[[best]], descent.converged[[best]])


def log_objective(
    covariates: Array, log_y: Array, weight: Array, delta: float
) -> Callable[[Array, Positions], tuple[Array, Array, Array]]:
    """Value, gradient and exact Hessian at x (b, P) = (e, a, b[, g], alpha, beta[, gamma]), for `newton.minimise`.

    covariates   log N, log D[, log k], centred, shape (T, M)
    """
    T = len(covariates)

    def evaluate(x: Array, _: Positions) -> tuple[Array, Array, Array]:
        logs = np.concatenate([np.zeros((len(x), 1)), x[:, T + 1 :]], axis=1)
        covariate = np.concatenate([np.zeros((1, covariates.shape[1])), covariates])
        terms = x[:, : T + 1, None] - logs[:, :, None] * covariate  # (b, T + 1, M)
        top = terms.max(axis=1)
        parts = np.exp(terms - top[:, None])
        total = parts.sum(axis=1)
        share = parts / total[:, None]
        residual = top + np.log(total) - log_y  # (b, M), the log-sum-exp less log y
        inside = np.abs(residual) < delta
        size = np.abs(residual)
        outer = size if np.isinf(delta) else delta * (size - 0.5 * delta)
        value = np.sum(weight * np.where(inside, 0.5 * residual**2, outer), axis=1)
        pull = weight * np.clip(residual, -delta, delta)
        # Each term moves with its own log coefficient by 1 and with its exponent by −covariate.
        slope = np.concatenate([share, -share[:, 1:] * covariates], axis=1)  # (b, P, M)
        gradient = np.einsum("bpm,bm->bp", slope, pull)
        hessian = (slope * (weight * inside - pull)[:, None]) @ slope.transpose(0, 2, 1)
        # Second derivatives of log-sum-exp beyond slope·slopeᵀ: each term has its own share and covariate.
        same = np.einsum("bm,btm->bt", pull, share)
        mixed = -np.einsum("bm,btm->bt", pull, share[:, 1:] * covariates)
        square = np.einsum("bm,btm->bt", pull, share[:, 1:] * covariates**2)
        coefficient, exponent = np.arange(T + 1), np.arange(T + 1, 2 * T + 1)
        hessian[:, coefficient, coefficient] += same
        hessian[:, exponent, exponent] += square
        hessian[:, coefficient[1:], exponent] += mixed
        hessian[:, exponent, coefficient[1:]] += mixed
        return value, gradient, hessian

    return evaluate


def _hoffmann_grid(origin: list[float]) -> Array:
    """Hoffmann's starts: exponents {0, ½, …, 2}, e {−1, −½, …, 1}, a and b {0, 5, …, 25}; logs moved to `origin`."""
    exponent, level, size = np.arange(0, 2.1, 0.5), np.arange(-1, 1.1, 0.5), np.arange(0, 26.0, 5)
    rows = np.array(list(product(level, size, size, exponent, exponent)))
    rows[:, 1] -= rows[:, 3] * origin[0]
    rows[:, 2] -= rows[:, 4] * origin[1]
    return rows


def _share_grid(log_y: Array) -> Array:
    """Starts with a term in k, which Hoffmann's law has not: four equal terms, three values of each exponent."""
    exponents = np.array(list(product((0.1, 0.3, 0.8), repeat=3)))
    return np.concatenate([np.full((len(exponents), 4), log_y.mean() - np.log(4)), exponents], axis=1)


def _inner(coefficients: Array, exponents: Array, origin: list[float]) -> Array:
    """A law's coefficients (p,) and exponents (T,) as a start, shape (1, P)."""
    logs = np.log(np.maximum(coefficients, np.exp(-_LOG_RANGE)))
    logs[1:] -= exponents * np.array(origin)
    return np.concatenate([logs, exponents])[None]
