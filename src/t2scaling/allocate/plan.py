"""From a law and a budget to one recommendation.

`plan` turns the budget into a problem (`budgets.py`), finds the optimum (`optimum.py`), puts Chinchilla's allocation
beside it (`chinchilla.py`), holds it against what was measured (`evidence.py`), carries the fit's uncertainty through
by planning with every bootstrap law at once, and says how it stands and what to beware of (`cautions.py`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.allocate.breakeven import break_even, matched_tokens
from t2scaling.allocate.budgets import Budget
from t2scaling.allocate.cautions import cautions, infeasible
from t2scaling.allocate.chinchilla import chinchilla, predict, value_of
from t2scaling.allocate.evidence import Measured, measured
from t2scaling.allocate.limits import LEAST_PARAMS, Limits
from t2scaling.allocate.optimum import optimum, profile, runaway
from t2scaling.allocate.problem import Problem, TwoBudgets, tiled
from t2scaling.allocate.result import Interval, Plan
from t2scaling.allocate.source import Source, check_usable, source_of
from t2scaling.allocate.spread import near_optimal, other_laws, refits, spread
from t2scaling.costs import PAPER, CostModel
from t2scaling.errors import ArgumentError, require
from t2scaling.laws import Law, Measurements
from t2scaling.laws.constrained import repeated
from t2scaling.passk import guessing
from t2scaling.strategies import ORACLE, Strategy, parse
from t2scaling.units import check_level, named_number, parse_numbers

# How far beyond the data a plan may lie and still be the headline: ten times in N, D, N·D or D/N. Forecasts have been
# tried on public suites to some three to five times.
REACH = math.log(10)


def plan(
    law_or_fit: Any,
    *,
    train_flops: float | str | None = None,
    inference_flops: float | str | None = None,
    total_flops: float | str | None = None,
    tokens_served: float | str | None = None,
    serve_budget: float | str | None = None,
    budget: Budget | None = None,
    sizes: str | Sequence[float | str] = (),
    n_range: str | tuple[float | str, float | str] | None = None,
    max_tokens: float | str | None = None,
    unique_tokens: float | str | None = None,
    integer_k: bool = False,
    cost: CostModel = PAPER,
    strategy: str | Strategy = ORACLE,
    level: float = 0.9,
    extrapolate: bool = False,
    refit: bool = False,
    tasks: Iterable[Measurements] = (),
) -> Plan:
    """The best N, D and k under a budget.

    law_or_fit       a law, a FitResult, a published law, or the name or path of one; or a `mix` of them over tasks
    train_flops      training budget, 6·N·D ≤ train_flops; numbers may be text such as "1e21" or "7B"
    inference_flops  budget per token served, 2·N·k ≤ inference_flops; may be left out for a Chinchilla law
    total_flops      lifetime budget instead: 6·N·D + 2·N·k·tokens_served = total_flops
    tokens_served    tokens of answers over the model's life, each drawn k times
    serve_budget     instead of inference_flops under a `cost` of its own: per query, in that model's unit
    budget           a `Budget` made from dollars or GPU-hours, instead of the five above
    sizes            menu of N to choose from
    n_range          least and greatest N
    max_tokens       greatest D; it stays below, and then the training budget is not spent in full
    unique_tokens    the distinct tokens one has; training may repeat them, for what repeated tokens are worth
                     (Muennighoff et al. 2023, arXiv 2305.16264)
    integer_k        whole samples only, N being chosen anew so that whole samples are best
    cost             what training and serving cost; the paper's 6·N·D and 2·N·k
    strategy         what is done with k samples, a value or text such as "verifier:tpr=.9,fpr=.05"; an oracle
    level            of the intervals, where the fit has a bootstrap
    extrapolate      give the law's own optimum as the headline however far it lies from the data
    refit            let refits to other ranges of k into the plan's `spread` too, beside the other laws of the fit
    tasks            measurements of single tasks, for refits to each of them alone

    >>> from t2scaling.laws import LossLaw
    >>> law = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
    >>> made = plan(law, train_flops="1e21", inference_flops="2e9")
    >>> made.status.value, f"{made.n_params:.3g}", f"{made.k:.3g}"
    ('optimum', '1.34e+07', '74.5')

    Raises ArgumentError for a budget that is missing, doubled, absurd or infeasible.
    """
    source = source_of(law_or_fit)
    check_level(level)
    require(isinstance(cost, CostModel), "cost", cost, f"be a cost model, such as {PAPER!r}")
    given = (train_flops, inference_flops, total_flops, tokens_served, serve_budget)
    if budget is None:
        budget = Budget(*given)  # type: ignore[arg-type]
    elif any(value is not None for value in given):
        raise ArgumentError("`budget` already says what may be spent: leave the *_flops and tokens_served out.")
    limits = limits_of(sizes, n_range, max_tokens, integer_k, unique_tokens)
    check_usable(source)
    rivals = other_laws(source)
    if source.fit is not None and (refit or tasks):
        rivals += refits(source.fit, tasks)
    return _plan(source, budget, limits, cost, parse(strategy), level, math.inf if extrapolate else REACH, rivals)


def replan(law_or_fit: Any, like: Plan, **changes: Any) -> Plan:
    """Another law, or the same, planned under the budget, limits, cost model and strategy of a plan.

    changes   fields of `Budget` that differ, such as inference_flops=…
    """
    budget = replace(Budget.from_dict(like.budget), **changes)
    source = source_of(law_or_fit)
    return _plan(
        source, budget, like.limits, like.cost, like.strategy, like.level or 0.9, like.reach, other_laws(source)
    )


def limits_of(
    sizes: str | Sequence[float | str] = (),
    n_range: str | tuple[float | str, float | str] | None = None,
    max_tokens: float | str | None = None,
    integer_k: bool = False,
    unique_tokens: float | str | None = None,
) -> Limits:
    """Limits from arguments that may be text ("100M,7B") or left out."""
    ends = (LEAST_PARAMS, math.inf) if n_range is None else _numbers("n_range", n_range)
    require(len(ends) == 2, "n_range", n_range, "be two sizes, such as 100M,7B")
    most, unique = named_number("max_tokens", max_tokens), named_number("unique_tokens", unique_tokens)
    return Limits(
        sizes=_numbers("sizes", sizes),
        n_range=(ends[0], ends[1]),
        max_tokens=math.inf if most is None else most,
        integer_k=integer_k,
        unique_tokens=math.inf if unique is None else unique,
    )


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    """Sizes from text, or from a list of numbers and texts."""
    if isinstance(values, str):
        return tuple(parse_numbers(values, name)) if values.strip() else ()
    require(np.ndim(values) == 1, name, values, "be a list of sizes, such as 100M,7B")
    return tuple(float(named_number(name, value) or 0.0) for value in values)


def check_grows_better(law: Law) -> None:
    """Raise ArgumentError where more parameters or tokens make the law's loss worse: it has no best allocation."""
    for training in law.training_laws:
        if min(np.min(training.A), np.min(training.B)) < 0 or np.min(training.beta) <= 0 or np.min(training.alpha) < 0:
            raise ArgumentError(
                f"the law {training} grows worse with more parameters or tokens: it has no best allocation."
            )


def _plan(
    source: Source,
    budget: Budget,
    limits: Limits,
    cost: CostModel,
    strategy: Strategy,
    level: float,
    reach: float,
    rivals: Sequence[Law],
) -> Plan:
    unique = limits.unique_tokens
    source, rivals = source.repeating(unique), [repeated(other, unique) for other in rivals]
    law = source.law
    check_grows_better(law)
    problem = budget.problem(limits, needs_samples=law.samples, cost=cost)
    choice = optimum(law, problem, strategy)
    if not np.isfinite(choice.N[0]):
        raise ArgumentError(infeasible(problem))
    lost = bool(runaway(problem, choice)[0])
    chosen = [math.nan] * 3 if lost else [float(part[0]) for part in (choice.N, choice.D, choice.k)]
    best = allocation(law, strategy, chosen, unique)
    rival = allocation(law, strategy, [float(part[0]) for part in chinchilla(law, problem)], unique)
    within = _within_data(source, problem, strategy)
    status, distance = _status(source, problem, best)
    interval, interval_warnings = ({}, []) if lost else _interval(source, problem, strategy, level)
    evidence = Measured() if source.fit is None else measured(source.fit, problem, best, rival)
    chance = guessing_at(source, best.k)
    weight = budget.serving_weight
    made = Plan(
        law=law.name,
        task=source.task,
        budget=budget.to_dict(),
        optimum=best,
        chinchilla=rival,
        status=status,
        limits=limits,
        cost=cost,
        strategy=strategy,
        support=source.support,
        within_data=within,
        measured=evidence,
        distance=distance,
        reach=reach,
        interval=interval,
        level=level if interval else None,
        no_interval="" if interval else source.no_interval,
        near_optimal=_near_optimal(source, problem, strategy) if best.exists else {},
        spread=spread(rivals, problem, strategy, best),
        quality=source.quality,
        guessing=chance,
        break_even=break_even(law, best, rival, cost, weight),
        matched_tokens=matched_tokens(law, best, cost, weight),
        spend=budget.spend(best, cost),
        conventions=source.conventions,
        warnings=(),
    )
    return replace(made, warnings=(*source.warnings, *cautions(made, source, problem), *interval_warnings))


def allocation(law: Law, strategy: Strategy, point: Sequence[float], unique_tokens: float) -> Allocation:
    """(N, D, k) with the law's own metric, or the strategy's value beside the oracle's; NaN where k < 1."""
    N, D, k = point
    epochs = max(1.0, D / unique_tokens)
    arrays = np.array([N]), np.array([D]), np.array([k])
    rate = float(predict(law, *arrays, "pass_at_k")[0]) if "pass_at_k" in law.metrics else math.nan
    metric = law.metric if strategy == ORACLE or not law.samples else strategy.label
    return Allocation(N, D, k, metric, float(value_of(law, strategy, *arrays)[0]), rate, epochs)


def guessing_at(source: Source, k: float) -> float:
    """pass@k of a guesser at k samples, where the fit knows every question's chance; else NaN."""
    chance = None if source.fit is None else source.fit.curves.chance
    return math.nan if chance is None or not k >= 1 else float(guessing(chance[0], k, chance[1]))


def _near_optimal(source: Source, problem: Problem, strategy: Strategy) -> Interval:
    """Ranges of N, D, k and D/N of the plans that are about as good as the best; empty where that cannot be told."""
    if source.fit is None or not source.law.samples:
        return {}
    sizes = profile(source.law, problem, strategy)
    if not sizes.N.size:
        return {}
    return near_optimal(source.fit, sizes.N, sizes.D, sizes.k, unique_tokens=problem.limits.unique_tokens)


def _within_data(source: Source, problem: Problem, strategy: Strategy) -> Allocation | None:
    """The best allocation inside the support and the limits; None where the support is not known or holds none."""
    limits = problem.limits.within(source.support) if "N" in source.support and "D" in source.support else None
    if limits is None:
        return None
    choice = optimum(source.law, replace(problem, limits=limits), strategy)
    if not np.isfinite(choice.N[0]):
        return None
    point = [float(part[0]) for part in (choice.N, choice.D, choice.k)]
    return allocation(source.law, strategy, point, limits.unique_tokens)


def _status(source: Source, problem: Problem, best: Allocation) -> tuple[PlanStatus, float]:
    """How the plan stands, and how far its optimum lies beyond the data (log units)."""
    if not best.exists:
        return PlanStatus.NO_OPTIMUM, math.nan
    k = best.k if source.law.samples else None
    distance = float(source.support.distance(best.n_params, best.n_tokens))
    if bool(source.support.outside(best.n_params, best.n_tokens, k)):
        return PlanStatus.OUTSIDE, distance
    return (PlanStatus.AT_A_LIMIT if _at_a_limit(source, problem, best) else PlanStatus.OPTIMUM), 0.0


def _at_a_limit(source: Source, problem: Problem, best: Allocation) -> bool:
    """Whether a limit, and not the law, decides: an end of `n_range` or of the menu, all tokens, or a single sample."""
    limits = problem.limits
    lo, hi = limits.ends
    at_end = best.n_params <= lo * (1 + 1e-9) or best.n_params >= hi * (1 - 1e-9)
    capped = best.n_tokens >= limits.max_tokens * (1 - 1e-9)
    single = source.law.samples and best.k < 1 + 1e-9 and isinstance(problem, TwoBudgets)
    return bool(at_end or capped or single)


def _interval(source: Source, problem: Problem, strategy: Strategy, level: float) -> tuple[Interval, list[str]]:
    """Percentile intervals of N, D, k, D/N and the value over the bootstrap laws, all planned at once."""
    law = source.bootstrap
    if law is None:
        return {}, []
    each = tiled(problem, np.shape(law.training_laws[0].A))
    choice = optimum(law, each, strategy)
    value = value_of(law, strategy, choice.N, choice.D, choice.k)
    # A refit without a best size is counted, not hidden in an interval.
    ok = np.isfinite(value) & ~runaway(each, choice)
    tails = [50 * (1 - level), 50 * (1 + level)]
    columns = {"n_params": choice.N, "n_tokens": choice.D, "k": choice.k, "tokens_per_param": choice.D / choice.N}
    columns["value"] = value
    if not np.any(ok):
        return {}, ["no bootstrap law has an inner optimum under this budget, so no interval can be given."]
    lost = int(np.sum(~ok))
    warnings = [f"{lost} of {ok.size} bootstrap laws have no inner optimum and are left out of the intervals."]
    percentiles = {name: np.percentile(column[ok], tails) for name, column in columns.items()}
    return {name: (float(lo), float(hi)) for name, (lo, hi) in percentiles.items()}, warnings if lost else []
