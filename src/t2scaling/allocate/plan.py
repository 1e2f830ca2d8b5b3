"""From a law and a budget to one recommendation.

`plan` turns the budget into a problem (`budgets.py`), finds the optimum (`optimum.py`), puts Chinchilla's allocation
beside it (`chinchilla.py`), carries the fit's uncertainty through by planning with every bootstrap law at once, and
says what to beware of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.breakeven import break_even, matched_tokens
from t2scaling.allocate.budgets import Budget
from t2scaling.allocate.chinchilla import chinchilla, predict
from t2scaling.allocate.optimum import Choice, Problem, optimum
from t2scaling.allocate.problem import Lifetime, Limits, TwoBudgets
from t2scaling.allocate.result import Allocation, Interval, Plan
from t2scaling.allocate.source import Source, source_of
from t2scaling.laws import Law
from t2scaling.units import format_number

Array = NDArray[np.float64]


def plan(
    law_or_fit: Any,
    *,
    train_flops: float | None = None,
    inference_flops: float | None = None,
    total_flops: float | None = None,
    tokens_served: float | None = None,
    budget: Budget | None = None,
    sizes: Sequence[float] = (),
    n_range: tuple[float, float] | None = None,
    max_tokens: float | None = None,
    integer_k: bool = False,
    level: float = 0.9,
) -> Plan:
    """The best N, D and k under a budget.

    law_or_fit       a law, a FitResult, or a published law
    train_flops      training budget, 6·N·D ≤ train_flops
    inference_flops  budget per token served, 2·N·k ≤ inference_flops; may be left out for a Chinchilla law
    total_flops      lifetime budget instead: 6·N·D + 2·N·k·tokens_served = total_flops
    tokens_served    tokens of answers over the model's life, each drawn k times
    budget           a `Budget` made from dollars or GPU-hours, instead of the four above
    sizes            menu of N to choose from
    n_range          least and greatest N
    max_tokens       the tokens one has; D stays below, and then the training budget is not spent in full
    integer_k        whole samples only, N being chosen anew so that whole samples are best
    level            of the intervals, where the fit has a bootstrap

    Raises ValueError for a budget that is missing, doubled or infeasible, and for a law without an inner optimum.
    """
    source = source_of(law_or_fit)
    if not 0 < level < 1:
        raise ValueError(f"`level` = {level:g} must lie between 0 and 1, such as 0.9.")
    if budget is None:
        budget = Budget(train_flops, inference_flops, total_flops, tokens_served)
    elif any(value is not None for value in (train_flops, inference_flops, total_flops, tokens_served)):
        raise ValueError("`budget` already says what may be spent: leave the *_flops and tokens_served arguments out.")
    limits = Limits(
        sizes=tuple(float(size) for size in sizes),
        n_range=(1.0, math.inf) if n_range is None else (float(n_range[0]), float(n_range[1])),
        max_tokens=math.inf if max_tokens is None else float(max_tokens),
        integer_k=integer_k,
    )
    check_inner_optimum(source.law, limits)
    problem = budget.problem(limits, needs_samples=source.law.samples)
    choice = optimum(source.law, problem)
    if not np.isfinite(choice.N[0]):
        raise ValueError(_infeasible(problem))
    return _describe(source, budget, problem, choice, level)


def check_inner_optimum(law: Law, limits: Limits) -> None:
    """Raise ValueError where the law has no best size because more parameters, or more tokens, never help."""
    training = law.training_law
    bounded = bool(limits.sizes) or limits.n_range[0] > 1
    if not (training.A > 0 and training.alpha > 0) and not bounded:
        raise ValueError(
            f"the law has A = {training.A:g} and alpha = {training.alpha:g}: more parameters never help, so the best "
            "model is the smallest. Say which sizes you would train with `sizes` or `n_range`, or fit on more sizes."
        )
    if training.B < 0 or training.beta <= 0 or training.A < 0:
        raise ValueError(f"the law {training} grows worse with more parameters or tokens: it has no best allocation.")


def _describe(source: Source, budget: Budget, problem: Problem, choice: Choice, level: float) -> Plan:
    law = source.law
    best = allocation(law, choice.N[0], choice.D[0], choice.k[0])
    rival = allocation(law, *(float(array[0]) for array in chinchilla(law, problem)))
    interval, interval_warnings = _interval(source, problem, level)
    return Plan(
        law=law.name,
        task=source.task,
        budget=budget.to_dict(),
        optimum=best,
        chinchilla=rival,
        interval=interval,
        level=level if interval else None,
        break_even=_served(break_even(law, best, rival), budget),
        matched_tokens=_served(matched_tokens(law, best), budget),
        spend=budget.spend(best),
        warnings=(*source.warnings, *_warnings(source, problem, best, rival), *interval_warnings),
        conventions=source.conventions,
    )


def _served(tokens: float | None, budget: Budget) -> float | None:
    """Tokens served at the price of training, turned into tokens at the price of serving."""
    return None if tokens is None else tokens / budget.serving_weight


def allocation(law: Law, N: float, D: float, k: float) -> Allocation:
    """An `Allocation` with the law's own metric, NaN where k < 1."""
    point = np.array([N]), np.array([D]), np.array([k])
    value = float(predict(law, *point)[0])
    rate = float(predict(law, *point, "pass_at_k")[0]) if "pass_at_k" in law.metrics else math.nan
    return Allocation(float(N), float(D), float(k), law.metric, value, rate)


def _interval(source: Source, problem: Problem, level: float) -> tuple[Interval, list[str]]:
    """Percentile intervals of N, D, k, D/N and the value over the bootstrap laws, all planned at once."""
    law = source.bootstrap
    if law is None:
        return {}, []
    shape = np.shape(law.training_law.A)
    choice = optimum(law, _tiled(problem, shape))
    value = predict(law, choice.N, choice.D, choice.k)
    # A refit with A = 0 has no best size: it is counted, not hidden in an interval.
    ok = np.isfinite(value) & (law.training_law.A > 0)
    tails = [50 * (1 - level), 50 * (1 + level)]
    columns = {"n_params": choice.N, "n_tokens": choice.D, "k": choice.k, "tokens_per_param": choice.D / choice.N}
    columns["value"] = value
    if not np.any(ok):
        return {}, ["no bootstrap law has an inner optimum under this budget, so no interval can be given."]
    lost = int(np.sum(~ok))
    warnings = [f"{lost} of {ok.size} bootstrap laws have no inner optimum and are left out of the intervals."]
    percentiles = {name: np.percentile(column[ok], tails) for name, column in columns.items()}
    return {name: (float(lo), float(hi)) for name, (lo, hi) in percentiles.items()}, warnings if lost else []


def _tiled(problem: Problem, shape: tuple[int, ...]) -> Problem:
    if isinstance(problem, TwoBudgets):
        return replace(
            problem,
            train_flops=np.broadcast_to(problem.train_flops, shape),
            inference_flops=np.broadcast_to(problem.inference_flops, shape),
        )
    return replace(
        problem,
        total_flops=np.broadcast_to(problem.total_flops, shape),
        tokens_served=np.broadcast_to(problem.tokens_served, shape),
    )


def _warnings(source: Source, problem: Problem, best: Allocation, rival: Allocation) -> list[str]:
    samples = {"k": best.k} if source.law.samples else {}
    warnings = source.outside(
        N=best.n_params,
        D=best.n_tokens,
        **samples,
        tokens_per_param=best.tokens_per_param,
        train_flops=best.train_flops,
    )
    warnings += _at_the_end(problem, best)
    if source.stay_inside() and not _within(source, best):
        warnings.append(source.stay_inside())
    if best.n_tokens >= problem.limits.max_tokens * (1 - 1e-9):
        warnings.append(_capped(problem, best))
    if samples and 1 <= best.k < 1 + 1e-9 and not problem.limits.integer_k:
        warnings.append("k is at its least, one sample: the inference budget decides the size.")
    if rival.k < 1:
        warnings.append(
            f"Chinchilla's {format_number(rival.n_params)} parameters afford {rival.k:.2g} samples, less than one: "
            "its value is not extrapolated."
        )
    return warnings


def _at_the_end(problem: Problem, best: Allocation) -> list[str]:
    lo, hi = problem.limits.n_range
    if problem.limits.sizes or not (best.n_params <= lo * (1 + 1e-9) or best.n_params >= hi * (1 - 1e-9)):
        return []
    if lo == 1 and best.n_params < 2:
        return ["the best size runs to a single parameter: this law says nothing useful here; give `n_range`."]
    end, other = ("least", "smaller") if best.n_params <= lo * (1 + 1e-9) else ("greatest", "larger")
    return [f"N is the {end} that `n_range` allows: by this law a {other} model would do better."]


def _within(source: Source, best: Allocation) -> bool:
    """Whether N and D themselves lie in the support, whatever their ratio."""
    return not source.outside(N=best.n_params, D=best.n_tokens)


def _capped(problem: Problem, best: Allocation) -> str:
    text = f"D is capped at the {format_number(problem.limits.max_tokens)} tokens you have (`max_tokens`)"
    if isinstance(problem, Lifetime):
        return f"{text}: more tokens would lower the loss."
    spent = best.train_flops / float(problem.train_flops[0])
    return f"{text}: training spends {100 * spent:.3g}% of its budget, {format_number(best.train_flops)} FLOPs."


def _infeasible(problem: Problem) -> str:
    least = min(problem.limits.sizes, default=problem.limits.n_range[0])
    size = f"the smallest model allowed ({format_number(least)} parameters)"
    if isinstance(problem, TwoBudgets):
        return (
            f"`inference_flops` = {problem.inference_flops[0]:g} cannot pay for one sample of {size}, which takes "
            f"2·N = {problem.cost.serve(least, 1):g} FLOPs per token: raise it, or allow smaller models with `sizes` "
            "or `n_range`."
        )
    return (
        f"`total_flops` = {problem.total_flops[0]:g} cannot pay for one sample of {size} for each of "
        f"{format_number(problem.tokens_served[0])} tokens served: raise it, or serve fewer tokens."
    )
