"""What to beware of in a plan, as sentences, and why a budget affords none."""

import math
from dataclasses import replace

import numpy as np

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.allocate.limits import Limits
from t2scaling.allocate.optimum import optimum
from t2scaling.allocate.problem import Lifetime, Problem, TwoBudgets
from t2scaling.allocate.result import Plan
from t2scaling.allocate.sentence import format_samples, format_value
from t2scaling.allocate.source import Source
from t2scaling.costs import PAPER
from t2scaling.laws.constrained import R_TOKENS, saturated
from t2scaling.units import format_flops, format_number

# Where guessing passes this share of the problems, pass@k measures patience as much as skill.
MUCH_GUESSING = 0.1
# Epochs that are worth 99 % of all that any number of epochs can be.
EXHAUSTED = 1 + R_TOKENS * math.log(100)


def cautions(plan: Plan, source: Source, problem: Problem) -> list[str]:
    """Sentences on extrapolation, limits, guessing, the bound and the comparison."""
    best, found = plan.optimum, []
    if plan.status is PlanStatus.NO_OPTIMUM:
        found.append(_no_optimum(source))
    elif plan.status is PlanStatus.OUTSIDE:
        found += source.support.sentences(best.n_params, best.n_tokens, best.k if source.law.samples else None)
    if best.exists:
        found += _limited(problem, best, source.law.samples)
        found += _repeats(problem.limits, best)
    if plan.guessing >= MUCH_GUESSING:
        found.append(
            f"Guessing alone would pass {format_value('pass_at_k', plan.guessing)} of the problems with "
            f"{best.k:,.3g} samples: the task's answers are few, so read pass@k above that line only."
        )
    if source.law.samples and not plan.strategy.rising and best.k < 1 + 1e-9:
        found.append(f"Under {plan.strategy.label} more samples do not help: one is best.")
    if isinstance(problem, TwoBudgets) and plan.cost != PAPER and best.exists and source.law.samples:
        found += _by_flops_alone(plan, source, problem)
    if plan.chinchilla.k < 1:
        found.append(
            f"Chinchilla's {format_number(plan.chinchilla.n_params)} parameters afford {plan.chinchilla.k:.2g} "
            "samples, less than one: its value is not extrapolated."
        )
    return found


def _by_flops_alone(plan: Plan, source: Source, problem: TwoBudgets) -> list[str]:
    """What the paper's 2·N·k would choose for the FLOPs that this plan's samples take, and what that really costs."""
    flops = np.array([plan.optimum.inference_flops])
    other = optimum(source.law, replace(problem, inference_flops=flops, cost=PAPER), plan.strategy)
    if not np.isfinite(other.N[0]):
        return []
    N, k = float(other.N[0]), float(other.k[0])
    real = float(plan.cost.serve(N, k))
    times = real / float(problem.inference_flops[0])
    return [
        f"Counted as 2·N·k alone, the same FLOPs per token would go to {format_number(N)} parameters with "
        f"{format_samples(k)}, which really cost {real:.3g} {plan.cost.serve_unit}: {times:.2g}× the budget."
    ]


def _no_optimum(source: Source) -> str:
    for training in source.law.training_laws:
        if training.A > 0 and training.alpha > 0:
            continue
        return (
            f"The law has A = {training.A:g} and alpha = {training.alpha:g}: more parameters never help, so the best "
            "model is the smallest. Say which sizes you would train with `sizes` or `n_range`, or fit on more sizes."
        )
    return "The best size runs to the smallest that is any model: say which sizes you would train with `n_range`."


def _limited(problem: Problem, best: Allocation, samples: bool) -> list[str]:
    limits, found = problem.limits, []
    at_end = _at_the_end(limits, best)
    if at_end:
        found.append(at_end)
    if best.n_tokens >= limits.max_tokens * (1 - 1e-9):
        found.append(_capped(problem, best))
    if samples and 1 <= best.k < 1 + 1e-9 and not limits.integer_k and isinstance(problem, TwoBudgets):
        found.append("k is at its least, one sample: the inference budget decides the size.")
    return found


def _repeats(limits: Limits, best: Allocation) -> list[str]:
    """What repeated tokens are worth, and whose numbers say so."""
    if best.epochs <= 1:
        return []
    spent = ""
    if best.epochs > EXHAUSTED:
        spent = f"Beyond {EXHAUSTED:.0f} epochs training adds nothing: the budget is larger than the data. "
    worth = float(saturated(np.array(best.n_tokens), limits.unique_tokens, R_TOKENS))
    return [
        f"{spent}{best.epochs:.3g} epochs of {format_number(limits.unique_tokens)} tokens are worth "
        f"{format_number(worth)} unique ones, and no number of epochs more than "
        f"{format_number((1 + R_TOKENS) * limits.unique_tokens)}: by the decay that Muennighoff et al. "
        "(arXiv 2305.16264) fitted to the loss on C4, not by this law's own data."
    ]


def _at_the_end(limits: Limits, best: Allocation) -> str:
    lo, hi = limits.ends
    if lo == hi:
        return ""
    if best.n_params <= lo * (1 + 1e-9):
        end, other = ("smallest" if limits.sizes else "least"), "smaller"
    elif best.n_params >= hi * (1 - 1e-9):
        end, other = ("largest" if limits.sizes else "greatest"), "larger"
    else:
        return ""
    name = "`sizes` holds" if limits.sizes else "`n_range` allows"
    return f"N is the {end} that {name}: by this law a {other} model would do better."


def _capped(problem: Problem, best: Allocation) -> str:
    most = format_number(problem.limits.max_tokens)
    text = f"D is capped at {most} tokens (`max_tokens`; `unique_tokens` would let them be repeated)"
    if isinstance(problem, Lifetime):
        return f"{text}: more tokens would lower the loss."
    spent = best.train_flops / float(problem.train_flops[0])
    return f"{text}: training spends {100 * spent:.3g}% of its budget, {format_flops(best.train_flops)} FLOPs."


def infeasible(problem: Problem) -> str:
    """Why no allocation is possible, and a way out; of several budgets the largest is named."""
    limits, cost = problem.limits, problem.cost
    least = min(limits.menu, default=limits.n_range[0])
    size = f"the smallest model allowed ({format_number(least)} parameters)"
    if isinstance(problem, Lifetime):
        return (
            f"`total_flops` = {problem.total_flops.max():g} cannot pay for one sample of {size} for each of "
            f"{format_number(problem.tokens_served[0])} tokens served: raise it, or serve fewer tokens."
        )
    train, inference = float(problem.train_flops.max()), float(problem.inference_flops.max())
    if float(cost.samples(least, inference)) >= 1:
        return f"`train_flops` = {train:g} buys {float(cost.tokens(least, train)):.3g} tokens for {size}: raise it."
    name = "inference_flops" if cost == PAPER else "serve_budget"
    needs = float(cost.serve(least, 1))
    if math.isinf(needs):
        fits = "allow smaller ones with `sizes` or `n_range`, or more GPUs with `tp`"
        return f"{size[0].upper()}{size[1:]} does not fit on the hardware of the cost model: {fits}."
    takes = f"2·N = {needs:g} FLOPs per token" if cost == PAPER else f"{needs:.3g} {cost.serve_unit}"
    return (
        f"`{name}` = {inference:g} cannot pay for one sample of {size}, which takes {takes}: raise "
        "it, or allow smaller models with `sizes` or `n_range`."
    )
