"""The paper's protocol, kept as the reference: many random starts of L-BFGS-B over all parameters at once.

The loss law has seven parameters, (log A, log B, log E, alpha, beta, log G, gamma), Chinchilla's law the first five;
the sum of squares over runs × k is minimised from 500 random starts with at most 5,000 iterations each and tolerance
1e-15 (arXiv 2604.01411, App. F). `varpro` finds the same minima, faster; tests hold it to that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.laws.options import EXPONENT_BOUNDS, RESTARTS
from t2scaling.laws.solvers import success
from t2scaling.laws.solvers.success import Curve, SuccessFits
from t2scaling.laws.solvers.varpro import PowerFits

GRID = np.linspace(0.01, 0.95, 40)  # values of E that `fit_profile` tries, as shares of the smallest loss
STARTS = 50  # per value of E
MAX_ITER = 5000
FTOL, GTOL = 1e-15, 1e-12


@dataclass(frozen=True)
class SumOfSquares:
    """The objective of the loss law, or of Chinchilla's where there is one k.

    log_N, log_D   shape (R,)
    log_k          shape (K,)
    y              shape (R, K), NaN where not measured
    weight         shape (R,)
    """

    log_N: Array
    log_D: Array
    log_k: Array
    y: Array
    weight: Array

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient at (log A, log B, log E, alpha, beta[, log G, gamma])."""
        of_N, of_D, E = _exp(x[0] - x[3] * self.log_N), _exp(x[1] - x[4] * self.log_D), _exp(x[2])
        of_k = _exp(x[5] - x[6] * self.log_k) if len(x) == 7 else np.zeros(1)
        residual = np.nan_to_num(self.y - (E + of_N + of_D)[:, None] - of_k)
        pull = -2 * self.weight[:, None] * residual
        by_run, by_k = pull.sum(axis=1), pull.sum(axis=0)
        pull_N, pull_D, pull_k = by_run * of_N, by_run * of_D, by_k * of_k
        gradient = [
            pull_N.sum(),
            pull_D.sum(),
            E * by_run.sum(),
            -(pull_N @ self.log_N),
            -(pull_D @ self.log_D),
            pull_k.sum(),
            -(pull_k @ self.log_k),
        ]
        return float(-0.5 * np.sum(pull * residual)), np.array(gradient[: len(x)])


def fit_restarts(
    N: Array,
    D: Array,
    k: Array,
    y: Array,
    weight: Array,
    *,
    restarts: int = RESTARTS,
    seed: int = 0,
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    warm: Array | None = None,
    advance: Callable[[int], object] | None = None,
    floor: float | None = None,
) -> PowerFits:
    """Fit one table y of shape (R, K); see `SumOfSquares` for shapes, `varpro.PowerFits` for what comes back.

    warm      exponents (1, P) to start from as well, with terms of random size
    advance   called with 1 after each start, for a progress bar
    floor     E, where it is not to be fitted
    """
    from scipy.optimize import Bounds, minimize

    objective = SumOfSquares(np.log(N), np.log(D), np.log(k), y, weight)
    rng = np.random.default_rng(seed)
    size = 7 if len(k) > 1 else 5
    # The logs stay free: were every parameter boxed, the first step would jump straight into a corner of the box.
    low = np.array([*[-np.inf] * 3, bounds[0], bounds[0], -np.inf, bounds[0]])[:size]
    high = np.array([*[np.inf] * 3, bounds[1], bounds[1], np.inf, bounds[1]])[:size]
    if floor is not None:
        low[2] = high[2] = np.log(floor)
    options = {"maxiter": MAX_ITER, "maxfun": 10 * MAX_ITER, "ftol": FTOL, "gtol": GTOL}
    best = None
    for step in range(restarts):
        start = _random_start(objective, size, rng, None if warm is None or step else warm[0])
        found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=Bounds(low, high), options=options)
        if best is None or found.fun < best.fun:
            best = found
        if advance is not None:
            advance(1)
    if best is None:
        raise ArgumentError(f"`restarts` = {restarts} must be at least 1.")
    x = best.x
    order = (2, 0, 1, 5)[: (size + 1) // 2]
    return PowerFits(
        coefficients=np.exp(x[list(order)])[None],
        exponents=x[[3, 4, 6][: size // 2]][None],
        value=np.array([best.fun]),
        # Status 1 is the iteration limit; an abnormal line search (2) happens at the floor of double precision.
        converged=np.array([best.status != 1]),
    )


def fit_profile(N: Array, D: Array, y: Array, weight: Array, *, starts: int = STARTS, **options: Any) -> PowerFits:
    """Stage 1 of Approach 2 as the paper has it: E on a grid, the rest by `fit_restarts` (arXiv 2604.01411, App. F).

    E takes 40 values in [0.01, 0.95] of the smallest loss; for each, log A, log B, alpha and beta descend from 50
    random starts, and the E of least sum of squares wins. So E is never zero, and is known to a fortieth of the
    smallest loss; `varpro` profiles E exactly and allows zero.

    y        shape (R, 1)
    starts   per value of E
    options  of `fit_restarts`
    """
    fits = [
        fit_restarts(N, D, np.ones(1), y, weight, restarts=starts, floor=E, **options)
        for E in GRID * float(np.nanmin(y))
    ]
    return min(fits, key=lambda found: float(found.value[0]))


def _exp(value: Array) -> Array:
    """exp, held below overflow where a line search tries too long a step."""
    return np.asarray(np.exp(np.minimum(value, 100.0)))


def _random_start(
    objective: SumOfSquares, size: int, rng: np.random.Generator, exponents: Array | None = None
) -> Array:
    """Exponents uniform in (0.05, 1) unless given; each term a random share of the values at the mean log N, log D."""
    low, spread = float(np.nanmin(objective.y)), float(np.nanmax(objective.y) - np.nanmin(objective.y))
    alpha, beta, gamma = rng.uniform(0.05, 1.0, 3)
    if exponents is not None:
        alpha, beta, gamma = (*exponents, gamma)[:3]
    share_N, share_D, share_k = np.log((spread + 1e-12) * rng.uniform(0.01, 1.5, 3))
    log_E = np.log((abs(low) + 1e-12) * rng.uniform(0.01, 0.99))
    log_A = share_N + alpha * objective.log_N.mean()
    log_B = share_D + beta * objective.log_D.mean()
    return np.array([log_A, log_B, log_E, alpha, beta, share_k, gamma])[:size]


def fit_success_restarts(curve: Curve, loss: Array, k: Array, passed: Array, weight: Array) -> SuccessFits:
    """Stage 2 of Approach 2 by L-BFGS-B from every start of the sigmoid-seeded grid; shapes as in `fit_success`."""
    from scipy.optimize import Bounds, minimize

    P = 5 if curve is success.beta_curve else 3
    options = {"maxiter": MAX_ITER, "maxfun": 10 * MAX_ITER, "ftol": FTOL, "gtol": GTOL}
    theta, value, converged = [], [], []
    for i in range(len(loss)):
        centre, scale = success.standardise(loss[i])
        ell = (loss[i] - centre) / scale
        objective = success.success_objective(curve, ell, k, passed[i], weight[i])
        grid = np.clip(success.start_grid(ell, passed[i], P), success.LOWER[:P], success.UPPER[:P])
        bounds = Bounds(success.LOWER[:P], success.UPPER[:P])
        runs = [minimize(objective, x, jac=True, method="L-BFGS-B", bounds=bounds, options=options) for x in grid]
        best = min(runs, key=lambda run: run.fun)
        theta.append(success.from_inner(best.x[None], centre, scale)[0])
        value.append(best.fun)
        converged.append(best.status != 1)
    return SuccessFits(np.array(theta), np.array(value), np.array(converged))
