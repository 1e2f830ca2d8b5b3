"""One law, one solver, many tables at once: what the full fit and every bootstrap replicate go through.

`Table` is the data, a batch of B problems that share N, D and k; `Recipe` is the choice of law, solver and options;
`solve` gives parameters in the order of `serialise.PARAMETERS[law]`. The full fit is the batch of one.
Shapes: B problems, R runs, K values of k, P parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.forms import ChinchillaLaw
from t2scaling.laws.logfit import DELTA, fit_logs
from t2scaling.laws.powers import design
from t2scaling.laws.restarts import RESTARTS, fit_restarts, fit_success_restarts
from t2scaling.laws.success import Curve, beta_curve, fit_success, naive_curve
from t2scaling.laws.varpro import EXPONENT_BOUNDS, FULL, REFIT, PowerFits, Search, fit_powers

Array = NDArray[np.float64]
LawName = Literal["loss", "accuracy", "chinchilla", "naive"]
Solver = Literal["varpro", "restarts", "huber", "log_sse"]
LAW_NAMES: tuple[LawName, ...] = ("loss", "accuracy", "chinchilla", "naive")
SOLVERS: tuple[Solver, ...] = ("varpro", "restarts", "huber", "log_sse")


@dataclass(frozen=True)
class Table:
    """B tables of measurements over the same runs and k.

    value    shape (B, R, K): the target in nats, NaN where not measured, in the same places for all B
    passed   shape (B, R, K): mean pass@k, likewise
    weight   shape (B, R): how often each run counts
    inverse_variance   shape (R,): weights of stage 1 of the accuracy law, mean 1
    """

    N: Array
    D: Array
    k: Array
    value: Array
    passed: Array
    weight: Array
    inverse_variance: Array


@dataclass(frozen=True)
class Recipe:
    """What to fit and how.

    bounds     smallest and largest exponent
    restarts   random starts of the solver "restarts"
    delta      of the solver "huber", in log units
    loss_law   a loss law given from outside, in place of stage 1 of the accuracy law
    search     how widely "varpro" searches
    """

    law: LawName
    solver: Solver = "varpro"
    bounds: tuple[float, float] = EXPONENT_BOUNDS
    restarts: int = RESTARTS
    delta: float = DELTA
    seed: int = 0
    loss_law: ChinchillaLaw | None = None
    search: Search = FULL
    advance: Callable[[int], object] | None = None

    def for_refits(self) -> Recipe:
        """The same with a narrower search, for refits that also start from the full fit."""
        return replace(self, search=REFIT, restarts=min(self.restarts, 10), advance=None)


@dataclass(frozen=True)
class Solutions:
    """parameters (B, P), value (B,): the minimised objective of the last stage, converged (B,)."""

    parameters: Array
    value: Array
    converged: NDArray[np.bool_]


def solve(recipe: Recipe, table: Table, warm: Array | None = None) -> Solutions:
    """Fit every problem of the table.

    warm   parameters (P,) of a fit to start from as well, that of the full data
    """
    if recipe.law == "loss":
        fits = _powers(recipe, table, table.value, table.k, table.weight, warm)
        E, A, B, G = fits.coefficients.T
        alpha, beta, gamma = fits.exponents.T
        return Solutions(np.stack([E, A, alpha, B, beta, G, gamma], axis=1), fits.value, fits.converged)
    if recipe.law == "chinchilla":
        fits = _chinchilla(recipe, table, table.weight, warm)
        return Solutions(_vector(fits), fits.value, fits.converged)
    return _success(recipe, table, warm)


def _success(recipe: Recipe, table: Table, warm: Array | None) -> Solutions:
    """Stage 1: Chinchilla's law of the k = 1 loss, inverse-variance weights. Stage 2: θ from that law's loss."""
    if recipe.loss_law is not None:
        given = recipe.loss_law
        first = np.tile([given.E, given.A, given.alpha, given.B, given.beta], (len(table.value), 1))
        converged = np.ones(len(first), dtype=bool)
    else:
        fits = _chinchilla(recipe, table, table.weight * table.inverse_variance, warm)
        first, converged = _vector(fits), fits.converged
    E, A, alpha, B, beta = (column[:, None] for column in first.T)
    loss = E + A * table.N**-alpha + B * table.D**-beta
    curve: Curve = beta_curve if recipe.law == "accuracy" else naive_curve
    if recipe.solver == "restarts":
        second = fit_success_restarts(curve, loss, table.k, table.passed, table.weight)
    else:
        theta = None if warm is None else warm[None, 5:]
        options = {} if warm is None else {"starts": 1, "tolerance": 1e-10}
        second = fit_success(curve, loss, table.k, table.passed, table.weight, warm=theta, **options)  # type: ignore[arg-type]
    return Solutions(np.concatenate([first, second.theta], axis=1), second.value, converged & second.converged)


def _chinchilla(recipe: Recipe, table: Table, weight: Array, warm: Array | None) -> PowerFits:
    return _powers(recipe, table, table.value[:, :, :1], table.k[:1], weight, warm)


def _vector(fits: PowerFits) -> Array:
    """E, A, alpha, B, beta of each problem, shape (B, 5)."""
    E, A, B = fits.coefficients.T
    alpha, beta = fits.exponents.T
    return np.stack([E, A, alpha, B, beta], axis=1)


def _powers(recipe: Recipe, table: Table, y: Array, k: Array, weight: Array, warm: Array | None) -> PowerFits:
    exponents = None if warm is None else np.clip(warm[[2, 4, 6][: 2 + (len(k) > 1)]], *recipe.bounds)[None]
    if recipe.solver == "varpro":
        problem = design(table.N, table.D, k, y, weight)
        return fit_powers(problem, bounds=recipe.bounds, search=recipe.search, warm=exponents)
    each = [_one(recipe, table, k, y[i], weight[i], exponents) for i in range(len(y))]
    return PowerFits(*(np.concatenate(parts) for parts in zip(*(
        (fit.coefficients, fit.exponents, fit.value, fit.converged) for fit in each
    ), strict=True)))  # fmt: skip


def _one(recipe: Recipe, table: Table, k: Array, y: Array, weight: Array, warm: Array | None) -> PowerFits:
    """The solvers that take one table at a time."""
    if recipe.solver == "restarts":
        return fit_restarts(
            table.N, table.D, k, y, weight, restarts=recipe.restarts, seed=recipe.seed, bounds=recipe.bounds,
            warm=warm, advance=recipe.advance,
        )  # fmt: skip
    delta = recipe.delta if recipe.solver == "huber" else np.inf
    return fit_logs(table.N, table.D, k, y, weight, delta=delta, bounds=recipe.bounds, warm=warm)
