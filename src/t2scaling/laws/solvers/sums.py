"""All solvers of y(r, k) ≈ E + A·N^−alpha + B·D^−beta + G·k^−gamma under one signature.

Each takes a batch of tables and gives a batch of `PowerFits`; with one k there is no term in k. Shapes: B problems,
R runs, K values of k, P exponents.
"""

from typing import Any

import numpy as np

from t2scaling.arrays import Array
from t2scaling.laws.options import FitOptions
from t2scaling.laws.solvers.logfit import fit_logs
from t2scaling.laws.solvers.powers import design
from t2scaling.laws.solvers.restarts import STARTS, fit_profile, fit_restarts
from t2scaling.laws.solvers.varpro import FULL, REFIT, PowerFits, fit_powers


def fit_sums(
    N: Array, D: Array, k: Array, y: Array, weight: Array, options: FitOptions, warm: Array | None = None
) -> PowerFits:
    """Fit every table by the solver that the options name.

    N, D     shape (R,); k shape (K,)
    y        shape (B, R, K), NaN where not measured, in the same places for all B
    weight   shape (B, R)
    warm     exponents (P,) of a fit to start from as well
    """
    begin = None if warm is None else np.clip(warm, *options.bounds)[None]
    if options.solver == "varpro":
        search = REFIT if options.refit else FULL
        return fit_powers(design(N, D, k, y, weight), bounds=options.bounds, search=search, warm=begin)
    each = [_one_table(N, D, k, y[i], weight[i], options, begin) for i in range(len(y))]
    names = ("coefficients", "exponents", "value", "converged")
    return PowerFits(*(np.concatenate([getattr(fit, name) for fit in each]) for name in names))


def _one_table(
    N: Array, D: Array, k: Array, y: Array, weight: Array, options: FitOptions, warm: Array | None
) -> PowerFits:
    if options.solver in ("huber", "log_sse"):
        delta = options.delta if options.solver == "huber" else np.inf
        return fit_logs(N, D, k, y, weight, delta=delta, bounds=options.bounds, warm=warm)
    search: dict[str, Any] = {name: getattr(options, name) for name in ("seed", "bounds", "advance")} | {"warm": warm}
    if options.solver == "paper" and len(k) == 1:
        return fit_profile(N, D, y, weight, starts=min(STARTS, options.restarts), **search)
    return fit_restarts(N, D, k, y, weight, restarts=options.restarts, **search)
