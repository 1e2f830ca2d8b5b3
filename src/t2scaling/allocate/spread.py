"""How far other laws, ranges of k and tasks move a plan: N, D, k and D/N over all of them.

The laws are those of the fit that plan and that its backtest does not reject. Ranges of k (the fit's grid cut to its
lower half and lower quarter) and single tasks mean refits, which are made when asked for.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from t2scaling.allocate.allocation import Allocation
from t2scaling.allocate.optimum import Choice, optimum, runaway
from t2scaling.allocate.problem import Problem
from t2scaling.allocate.result import Interval
from t2scaling.allocate.source import Source
from t2scaling.errors import T2Error
from t2scaling.laws import FitResult, Law, Measurements, fit
from t2scaling.strategies import Strategy


def other_laws(source: Source) -> list[Law]:
    """The laws beside the one that plans, as far as they plan too and the backtest gives them a say."""
    if source.fit is None:
        return []
    return [law for law in source.fit.others if law.plans and law.samples and source.fit.quality.accepts(law)]


def refits(fitted: FitResult, tasks: Iterable[Measurements] = ()) -> list[Law]:
    """The same law fitted to the lower half and quarter of its k, and to each task alone; failures are left out."""
    curves, count = fitted.curves, len(fitted.curves.k)
    cuts = sorted({max(count // 2, 3), max(count // 4, 3)} - {count}) if fitted.law.samples else []
    data: list[tuple[Any, Any]] = [(curves.at_k(np.arange(count) < cut), None) for cut in cuts]
    found = []
    for one, k in [*data, *((task, curves.k) for task in tasks)]:
        with suppress(T2Error):
            found.append(fit(one, law=fitted.law.name, k=k, seed=fitted.seed, quality=False).law)
    return found


def spread(laws: Iterable[Law], problem: Problem, strategy: Strategy, best: Allocation) -> Interval:
    """{"n_params": (lo, hi), …} over the plan and those of other laws; empty where no other law has an optimum."""
    choices = [_optimum(law, problem, strategy) for law in laws]
    points = [(float(one.N[0]), float(one.D[0]), float(one.k[0])) for one in choices if one is not None]
    if not points or not best.exists:
        return {}
    N, D, k = np.array([(best.n_params, best.n_tokens, best.k), *points]).T
    columns = {"n_params": N, "n_tokens": D, "k": k, "tokens_per_param": D / N}
    return {name: (float(values.min()), float(values.max())) for name, values in columns.items()}


def _optimum(law: Law, problem: Problem, strategy: Strategy) -> Choice | None:
    """The optimum of another law; None where it has none, or does not know what the strategy needs."""
    try:
        choice = optimum(law, problem, strategy)
    except T2Error:
        return None
    return choice if np.isfinite(choice.N[0]) and not runaway(problem, choice)[0] else None
