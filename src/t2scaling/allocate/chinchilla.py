"""The allocation to compare with: Chinchilla's, which ignores samples when it chooses a size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.optimum import Problem
from t2scaling.allocate.problem import Limits, TwoBudgets, chinchilla_n
from t2scaling.costs import tokens_afforded
from t2scaling.laws import ChinchillaLaw, Law
from t2scaling.laws.base import Metric
from t2scaling.laws.solvers.rootfind import minimise

Array = NDArray[np.float64]


def chinchilla(law: Law, problem: Problem) -> tuple[Array, Array, Array]:
    """(N, D, k) of least k = 1 loss under the training budget alone, and the k that this size then affords.

    Under a lifetime budget no share is set aside for training, so Chinchilla is given the share that suits it best:
    of all models trained compute-optimally, the one that does best with what its training leaves for samples.
    k may come out below 1 (it cannot afford one sample); N is NaN where no such model fits a lifetime budget.
    """

    def at(train_flops: Array) -> tuple[Array, Array, Array]:
        N, D = _trained(law.training_law, train_flops, problem.limits)
        k = problem.samples_at(N, D)
        if not law.samples:
            k = np.where(k >= 1, 1.0, k)
        elif problem.limits.integer_k:
            k = np.where(k >= 1, np.floor(k * (1 + 1e-12)), k)
        return N, D, k

    if isinstance(problem, TwoBudgets):
        return at(problem.train_flops)

    def score(log_share: Array) -> Array:
        N, D, k = at(np.exp(log_share) * problem.total_flops)
        value = predict(law, N, D, k)
        worse = -value if law.metric == "pass_at_k" else value
        return np.where(np.isnan(worse), np.inf, worse)

    lo = np.full_like(problem.total_flops + problem.tokens_served, np.log(1e-12))
    hi = np.full_like(lo, np.log1p(-1e-12))
    share = minimise(score, lo, hi, points=400)
    N, D, k = at(np.exp(share) * problem.total_flops)
    feasible = np.isfinite(score(share))
    return np.where(feasible, N, np.nan), np.where(feasible, D, np.nan), np.where(feasible, k, np.nan)


def predict(law: Law, N: Array, D: Array, k: Array, metric: Metric | None = None) -> Array:
    """The law's own metric, or another that it can say, NaN where k < 1 (or N is NaN) instead of an error."""
    ok = (k >= 1) & np.isfinite(N)
    samples = np.where(ok & law.samples, k, 1.0)
    return np.where(ok, law.predict(np.where(ok, N, 1.0), np.where(ok, D, 1.0), samples, metric), np.nan)


def _trained(law: ChinchillaLaw, train_flops: Array, limits: Limits) -> tuple[Array, Array]:
    """Compute-optimal N and D within a range or a menu of sizes and the tokens one has."""
    lo, hi = limits.n_range
    N = np.clip(np.maximum(chinchilla_n(law, train_flops), tokens_afforded(limits.max_tokens, train_flops)), lo, hi)
    if limits.sizes:
        menu = np.asarray(limits.sizes)[:, None] + np.zeros_like(train_flops)
        tokens = np.minimum(tokens_afforded(menu, train_flops), limits.max_tokens)
        best = np.argmin(law.surface(menu, tokens), axis=0)
        N = np.take_along_axis(menu, best[None], axis=0)[0]
    return N, np.minimum(tokens_afforded(N, train_flops), limits.max_tokens)
