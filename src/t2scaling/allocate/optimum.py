"""The optimum: choose k, and with it N and D, for whole arrays of budgets or of laws.

`problem.training` answers what N and D go with a given k; here log k is searched. Where
a law is `unimodal` the root of its slope is the optimum; others may have several valleys and are scanned first.
A menu of sizes is one search per size, whole samples one candidate per integer near the real optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.problem import Lifetime, TwoBudgets
from t2scaling.laws import Law
from t2scaling.laws.solvers.rootfind import minimise, root

Array = NDArray[np.float64]
Problem = TwoBudgets | Lifetime

# Whole samples are looked for this far on either side of the real optimum. One is enough for a convex score.
_NEIGHBOURS = 3


@dataclass(frozen=True)
class Choice:
    """An allocation per element: N, D, k and the score that was minimised, each of shape (n,); NaN if infeasible."""

    N: Array
    D: Array
    k: Array
    score: Array


def optimum(law: Law, problem: Problem) -> Choice:
    """Best (N, D, k) for every element of the problem. Fields of the law may be arrays of the problem's shape."""
    if not problem.limits.sizes:
        return _in_range(law, problem)
    choices = [
        _in_range(law, replace(problem, limits=replace(problem.limits, sizes=(), n_range=(size, size))))
        for size in problem.limits.sizes
    ]
    return best_of(choices)


def best_of(choices: list[Choice]) -> Choice:
    """The choice of least score per element; infeasible ones (NaN) lose to all others."""
    scores = np.stack([choice.score for choice in choices])
    winner = np.argmin(np.where(np.isnan(scores), np.inf, scores), axis=0)[None]

    def pick(name: str) -> Array:
        return np.take_along_axis(np.stack([getattr(choice, name) for choice in choices]), winner, axis=0)[0]

    return Choice(pick("N"), pick("D"), pick("k"), pick("score"))


def _in_range(law: Law, problem: Problem) -> Choice:
    feasible = problem.most_samples >= 1
    if not law.samples:
        return _at(law, problem, np.ones_like(problem.most_samples), feasible)
    log_most = np.log(np.where(feasible, problem.most_samples, 1.0))
    log_k = _search(law, problem, log_most)
    if not problem.limits.integer_k:
        return _at(law, problem, np.exp(log_k), feasible)
    most = np.floor(np.exp(log_most) * (1 + 1e-12))
    whole = [
        np.clip(np.floor(np.exp(log_k) * (1 + 1e-12)) + step, 1, most) for step in range(1 - _NEIGHBOURS, _NEIGHBOURS)
    ]
    return best_of([_at(law, problem, k, feasible) for k in whole])


def _search(law: Law, problem: Problem, log_most: Array) -> Array:
    """log k of least score in [0, log_most]."""
    training_law = law.training_law

    def value(log_k: Array) -> Array:
        N, D, _ = problem.training(training_law, np.exp(log_k))
        return law.score(training_law.surface(N, D), log_k)

    def slope(log_k: Array) -> Array:
        N, D, loss_slope = problem.training(training_law, np.exp(log_k))
        by_loss, by_k = law.slopes(training_law.surface(N, D), log_k)
        return by_loss * loss_slope + by_k

    lo = np.zeros_like(log_most)
    if law.unimodal:
        return root(slope, lo, log_most)
    return minimise(value, lo, log_most, slope)


def _at(law: Law, problem: Problem, k: Array, feasible: NDArray[np.bool_]) -> Choice:
    """The choice at k samples; NaN where even one sample cannot be afforded."""
    N, D, _ = problem.training(law.training_law, k)
    value = law.score(law.training_law.surface(N, D), np.log(k))
    return Choice(*(np.where(feasible, array, np.nan) for array in (N, D, k, value)))
