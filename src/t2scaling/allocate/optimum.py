"""The optimum for whole arrays of budgets or of laws: the N, D and k of least score.

Two roads. Where the costs are products and only sizes and tokens are limited, `problem.training` knows N and D for a
given k in closed form, and log k is searched. Any other cost model, strategy or limit is searched over log N: what
size N has left for D and k follows from the problem, and where that is a choice itself (one budget for both, or a
strategy that more samples may hurt) log k is searched within. A menu of sizes is one search per size, whole samples
one candidate per integer near the real optimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.limits import LEAST_PARAMS
from t2scaling.allocate.problem import Problem, Training
from t2scaling.allocate.search import last, minimise
from t2scaling.laws import Law
from t2scaling.laws.solvers.rootfind import root
from t2scaling.strategies import ORACLE, Strategy

Array = NDArray[np.float64]

# Whole samples are looked for this far on either side of the real optimum. One is enough for a convex score.
_NEIGHBOURS = 3
# No model has more parameters: the far end of a search that no budget ends before.
_MOST_PARAMS = 1e18


@dataclass(frozen=True)
class Choice:
    """An allocation per element: N, D, k and the score that was minimised, each of shape (n,); NaN if infeasible."""

    N: Array
    D: Array
    k: Array
    score: Array


def optimum(law: Law, problem: Problem, strategy: Strategy = ORACLE) -> Choice:
    """Best (N, D, k) for every element of the problem. Fields of the law may be arrays of the problem's shape.

    Raises ArgumentError where the law knows no distribution of success and the strategy needs one.
    """
    closed = problem.cost.product and problem.limits.plain and strategy == ORACLE
    search = _by_samples if closed and _wants_least_loss(law, problem) else _by_size
    if not problem.limits.sizes:
        return search(law, problem, strategy)
    menu = [search(law, replace(problem, limits=problem.limits.at(size)), strategy) for size in problem.limits.menu]
    return _best(Choice(*(np.stack([getattr(one, name) for one in menu]) for name in ("N", "D", "k", "score"))))


def _wants_least_loss(law: Law, problem: Problem) -> bool:
    """Whether the best plan of k samples is that of least loss, as the closed forms take it.

    A law that may gain by more loss, as the accuracy law does where ν depends on it, still wants the least for its k if
    k can grow with the loss up to any height: then the same loss with more samples is better yet. It cannot grow where
    samples are whole or limited, nor under two budgets where a least size limits the loss that samples are bought with.
    """
    limits = problem.limits
    if len(law.training_laws) > 1:  # a mix has no one loss, except where samples play no part
        return not (law.samples or problem.shared)
    lo, hi = limits.n_range
    grows = not limits.integer_k and limits.max_samples == np.inf
    return law.unimodal or (grows and (problem.shared or lo <= LEAST_PARAMS or lo == hi))


def runaway(problem: Problem, choice: Choice) -> NDArray[np.bool_]:
    """Where the search ended at the least size that anything is, for want of a limit: there is no optimum."""
    if not problem.limits.unbounded_below:
        return np.zeros(choice.N.shape, dtype=bool)
    return choice.N <= LEAST_PARAMS * (1 + 1e-6)


def _best(among: Choice) -> Choice:
    """The choice of least score along the first axis, (m, n) each; infeasible ones (NaN) lose to all others."""
    winner = np.argmin(np.where(np.isnan(among.score), np.inf, among.score), axis=0)[None]
    parts = among.N, among.D, among.k, among.score
    return Choice(*(np.take_along_axis(part, winner, axis=0)[0] for part in parts))


def badness(law: Law, strategy: Strategy, N: Array, D: Array, k: Array) -> Array:
    """What is minimised at (N, D, k): the law's own score, or minus the strategy's value."""
    if strategy == ORACLE or not law.samples:
        return law.score(law.training_law.surface(N, D), np.log(k))
    return -law.under(strategy, N, D, k)


# ---- log k is searched, N and D are known for a given k ------------------------------------------


def _by_samples(law: Law, problem: Problem, strategy: Strategy) -> Choice:
    least = np.full(problem.shape, problem.limits.n_range[0])
    feasible = problem.affords(least, 1.0)
    log_most = np.log(np.where(feasible & law.samples, problem.most_samples(least), 1.0))
    training = problem.training(law.training_law)
    log_k = _searched_samples(law, training, log_most)

    def at(k: Array) -> Choice:
        N, D, _ = training(k)
        return _choice(law, strategy, N, D, k, feasible & (problem.limits.min_tokens * (1 - 1e-9) <= D))

    if not (problem.limits.integer_k and law.samples):
        return at(np.exp(log_k))
    return _best(at(_whole(np.exp(log_k), np.exp(log_most))))


def _searched_samples(law: Law, training: Training, log_most: Array) -> Array:
    """log k of least score in [0, log_most]."""
    surface = law.training_law.surface

    def value(log_k: Array) -> Array:
        N, D, _ = training(np.exp(log_k))
        return law.score(surface(N, D), log_k)

    def slope(log_k: Array) -> Array:
        N, D, loss_slope = training(np.exp(log_k))
        by_loss, by_k = law.slopes(surface(N, D), log_k)
        return by_loss * loss_slope + by_k

    lo = np.zeros_like(log_most)
    if not law.samples:
        return lo
    return root(slope, lo, log_most) if law.unimodal else minimise(value, lo, log_most, slope)


# ---- log N is searched, and log k within where it is a choice ------------------------------------------


def _by_size(law: Law, problem: Problem, strategy: Strategy) -> Choice:
    """The general search; see the module."""
    search = _Sizes(law, problem, strategy)
    lo, hi, feasible = _sizes(problem, 1.0)
    x = minimise(lambda x: search.score(x, search.log_samples(x)), lo, hi)
    k = np.exp(search.log_samples(x))
    if not (problem.limits.integer_k and law.samples):
        return search.at(x, k, feasible)
    whole = _whole(k, np.maximum(problem.most_samples(np.exp(lo)), 1.0))
    lo, hi, feasible = _sizes(problem, whole)
    x = minimise(lambda x: search.score(x, np.log(whole)), lo, hi)
    return _best(search.at(x, whole, feasible))


def profile(law: Law, problem: Problem, strategy: Strategy = ORACLE, points: int = 400) -> Choice:
    """The best D and k of every size that one budget affords, `points` of them log-spaced, or those of the menu.

    What a plan gives up by another size, and which sizes are nearly as good, is read from it. Empty if none is
    affordable. k is real whatever `integer_k` says.
    """
    if problem.limits.sizes:
        x = np.log(np.sort(np.array(problem.limits.menu)))
    else:
        lo, hi, feasible = _sizes(problem, 1.0)
        x = np.linspace(lo[0], hi[0], points if feasible[0] else 0)
    search = _Sizes(law, problem, strategy)
    k = np.exp(search.log_samples(x))
    ok = problem.affords(np.exp(x), k)
    choice = search.at(x, k, ok)
    return Choice(*(part[ok] for part in (choice.N, choice.D, choice.k, choice.score)))


@dataclass(frozen=True)
class _Sizes:
    """What the general search evaluates, at log sizes x."""

    law: Law
    problem: Problem
    strategy: Strategy

    def log_samples(self, x: Array) -> Array:
        """log k of least score at each size: all that is afforded, unless that is a choice too."""
        N = np.exp(x)
        most = np.log(np.maximum(self.problem.most_samples(N), 1.0))
        if not self.law.samples:
            return np.zeros_like(most)
        if self.problem.shared or not self.strategy.rising:
            return minimise(lambda log_k: self.score(x, log_k), np.zeros_like(most), most)
        return most

    def score(self, x: Array, log_k: Array) -> Array:
        """The score; infinite where the size is not affordable."""
        N, k = np.exp(x), np.exp(log_k)
        D = self.problem.tokens(N, k)
        ok = self.problem.affords(N, k, D)
        return np.where(ok, badness(self.law, self.strategy, N, np.where(ok, D, 1.0), k), np.inf)

    def at(self, x: Array, k: Array, ok: NDArray[np.bool_]) -> Choice:
        """The choice, with an end of the range of sizes to the last digit."""
        lo, hi = self.problem.limits.n_range
        N = np.clip(np.exp(x), lo if lo > 0 else None, hi)
        return _choice(self.law, self.strategy, N, np.where(ok, self.problem.tokens(N, k), np.nan), k, ok)


def _sizes(problem: Problem, k: Array | float) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(lo, hi) of log N that can be trained and draw k samples, and whether there is any.

    Every condition but one fails from some size on; D/N may also be too great for small sizes, which `lo` leaves out.
    """
    limits = problem.limits
    least = max(limits.n_range[0], limits.min_tokens / limits.tokens_per_param[1])
    shape = np.broadcast_shapes(problem.shape, np.shape(k))
    lo, hi = np.full(shape, np.log(least)), np.full(shape, np.log(min(limits.n_range[1], _MOST_PARAMS)))
    feasible = problem.affords(np.exp(lo), k) & (lo <= hi)
    return lo, np.where(feasible, last(lambda x: problem.affords(np.exp(x), k), lo, hi), lo), feasible


def _whole(k: Array, most: Array) -> Array:
    """Whole samples near k (n,), between 1 and `most`, shape (2·_NEIGHBOURS − 1, n)."""
    top = np.maximum(np.floor(most * (1 + 1e-12)), 1)
    steps = np.arange(1 - _NEIGHBOURS, _NEIGHBOURS).reshape(-1, *(1 for _ in k.shape))
    return np.clip(np.floor(k * (1 + 1e-12)) + steps, 1, top)


def _choice(law: Law, strategy: Strategy, N: Array, D: Array, k: Array, feasible: NDArray[np.bool_]) -> Choice:
    """The choice with its score; NaN where it is not feasible."""
    value = badness(law, strategy, N, np.where(feasible, D, 1.0), k)
    return Choice(*(np.where(feasible, array, np.nan) for array in (N, D, k, value)))
