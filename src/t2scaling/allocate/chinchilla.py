"""The allocation to compare with: Chinchilla's, which ignores samples when it chooses a size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.optimum import badness, optimum
from t2scaling.allocate.problem import Lifetime, Problem, TwoBudgets
from t2scaling.allocate.search import last, minimise
from t2scaling.laws import Law
from t2scaling.laws.base import Metric
from t2scaling.strategies import ORACLE, Strategy

Array = NDArray[np.float64]


def chinchilla(law: Law, problem: Problem) -> tuple[Array, Array, Array]:
    """(N, D, k) of least k = 1 loss under the training budget alone, and the k that this size then affords.

    Under a lifetime budget no share is set aside for training, so Chinchilla is given the share that suits it best:
    of all models trained compute-optimally, the one that does best with what its training leaves for samples.
    k may come out below 1 (it cannot afford one sample); N is NaN where no such model fits the budget.
    """
    if isinstance(problem, TwoBudgets):
        return _trained(law, problem, problem.train_flops)
    return _with_the_best_share(law, problem)


def _trained(law: Law, problem: Problem, train_flops: Array) -> tuple[Array, Array, Array]:
    """Compute-optimal for a training budget, with the k that is left for it."""
    alone = TwoBudgets(train_flops, np.full_like(train_flops, np.inf), problem.limits, problem.cost)
    best = optimum(law.training_law, alone)
    k = problem.samples_at(best.N, best.D)
    if not law.samples:
        k = np.where(k >= 1, 1.0, k)
    elif problem.limits.integer_k:
        k = np.where(k >= 1, np.floor(k * (1 + 1e-12)), k)
    return best.N, best.D, k


def _with_the_best_share(law: Law, problem: Lifetime) -> tuple[Array, Array, Array]:
    real = replace(problem, limits=replace(problem.limits, integer_k=False))
    lo, hi = np.full(problem.shape, np.log(1e-12)), np.full(problem.shape, np.log1p(-1e-12))

    def at(log_share: Array, problem: Lifetime = problem) -> tuple[Array, Array, Array]:
        return _trained(law, problem, np.exp(log_share) * problem.total_flops)

    def score(log_share: Array, problem: Lifetime = real) -> Array:
        N, D, k = at(log_share, problem)
        ok = (k >= 1) & np.isfinite(N)
        return np.where(ok, badness(law, ORACLE, *(np.where(ok, one, 1.0) for one in (N, D, k))), np.inf)

    share = minimise(score, lo, hi, points=400)
    if problem.limits.integer_k and law.samples:
        # Whole samples are best where nothing is left of the budget: at the largest shares that leave so many, (2, n).
        whole = np.floor(at(share, real)[2] * (1 + 1e-12)) + np.array([0.0, 1.0]).reshape(2, *(1 for _ in lo.shape))
        ends = last(lambda x: at(x)[2] >= whole, lo, hi)
        share = np.take_along_axis(ends, np.argmin(score(ends, problem), axis=0)[None], axis=0)[0]
    feasible = np.isfinite(score(share, problem))
    N, D, k = (np.where(feasible, array, np.nan) for array in at(share))
    return N, D, k


def predict(law: Law, N: Array, D: Array, k: Array, metric: Metric | None = None) -> Array:
    """The law's own metric, or another that it can say, NaN where k < 1 (or N is NaN) instead of an error."""
    ok = (k >= 1) & np.isfinite(N)
    samples = np.where(ok & law.samples, k, 1.0)
    return np.where(ok, law.predict(np.where(ok, N, 1.0), np.where(ok, D, 1.0), samples, metric), np.nan)


def value_of(law: Law, strategy: Strategy, N: Array, D: Array, k: Array) -> Array:
    """The law's own metric, or the strategy's value; NaN where k < 1."""
    if strategy == ORACLE or not law.samples:
        return predict(law, N, D, k)
    ok = (k >= 1) & np.isfinite(N)
    return np.where(ok, law.under(strategy, *(np.where(ok, array, 1.0) for array in (N, D, k))), np.nan)
