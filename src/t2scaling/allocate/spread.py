"""How far other laws, ranges of k and tasks move a plan: N, D, k and D/N over all of them.

The laws are those of the fit that plan and that its backtest does not reject. Ranges of k (the fit's grid cut to its
lower half and lower quarter) and single tasks mean refits, which are made when asked for.

`near_optimal` is the range of plans that are about as good as the best one. A bootstrap over runs is blind to a law's
own error, and the curve of pass@k along a budget is flat near its top. So the range holds every point within a stated
loss of the best under any law of the fit that the backtest does not reject, each law being allowed half of its own
held-out error besides: a gap smaller than that is no gap it can see. On simulated suites of six truths, three of them
outside every fitted family, it held the true optimum in at least 90 % of draws (docs/forecasting.md).
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.allocate.allocation import Allocation
from t2scaling.allocate.optimum import Choice, optimum, runaway
from t2scaling.allocate.problem import Problem
from t2scaling.allocate.result import Interval
from t2scaling.allocate.source import Source
from t2scaling.arrays import Array
from t2scaling.errors import T2Error
from t2scaling.laws import FitResult, Law, Measurements, fit
from t2scaling.laws.constrained import repeated
from t2scaling.strategies import Strategy

LOSS = 0.01  # of pass@k: one point
SHARE_OF_ERROR = 0.5


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
    return _ranges(*np.array([(best.n_params, best.n_tokens, best.k), *points]).T)


def _optimum(law: Law, problem: Problem, strategy: Strategy) -> Choice | None:
    """The optimum of another law; None where it has none, or does not know what the strategy needs."""
    try:
        choice = optimum(law, problem, strategy)
    except T2Error:
        return None
    return choice if np.isfinite(choice.N[0]) and not runaway(problem, choice)[0] else None


def near_optimal(
    fit: FitResult, N: ArrayLike, D: ArrayLike, k: ArrayLike, loss: float = LOSS, unique_tokens: float = np.inf
) -> Interval:
    """The ranges of n_params, n_tokens, k and tokens_per_param along affordable points N, D, k ≥ 1, each of shape (n,).

    loss            of pass@k that is allowed, besides each law's share of its held-out error
    unique_tokens   how many of the tokens are distinct, where D may be more
    Empty where no law of the fit can say pass@k.
    """
    N, D, k = (np.asarray(value, dtype=float) for value in (N, D, k))
    quality = fit.quality
    able = [law for law in fit.laws if "pass_at_k" in law.metrics]
    heard = [law for law in able if quality.accepts(law)] or able[:2]
    near = np.zeros(len(N), dtype=bool)
    for law in heard:
        value = repeated(law, unique_tokens).predict(N, D, k, "pass_at_k")
        slack = loss + SHARE_OF_ERROR * quality.points.get(law.name, 0.0)
        near |= value >= np.nanmax(value) - slack
    return _ranges(N[near], D[near], k[near]) if near.any() else {}


def _ranges(N: Array, D: Array, k: Array) -> Interval:
    columns = {"n_params": N, "n_tokens": D, "k": k, "tokens_per_param": D / N}
    return {name: (float(values.min()), float(values.max())) for name, values in columns.items()}
