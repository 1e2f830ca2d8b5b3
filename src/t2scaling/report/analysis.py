"""What the page shows beyond its fit and plan: plans of further fits, forecasts of held-out runs, plans per task.

Everything here is a refit or a plan that the user could make with `fit` and `plan`; nothing is drawn.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from t2scaling.allocate import Plan, PlanStatus, replan
from t2scaling.arrays import Array
from t2scaling.costs import sample_flops
from t2scaling.errors import DataError, FitError
from t2scaling.laws import FitResult, PublishedLaw, fit
from t2scaling.observations import Observations
from t2scaling.observations.score import score
from t2scaling.passk import guessing
from t2scaling.strategies.majority import MOST_K


@dataclass(frozen=True)
class TaskPlan:
    """The plan for one task alone with the fit behind it, or why there is none."""

    task: str
    plan: Plan | None
    reason: str = ""
    fit: FitResult | None = None


def inference_budget(recommended: Plan, laws: Sequence[FitResult | PublishedLaw]) -> float:
    """FLOPs per token served that the figures assume: the plan's budget, or what its optimum spends.

    A plan without samples (Chinchilla's law) has none; then it is what one sample of the largest model costs.
    """
    given = recommended.budget.get("inference_flops")
    if given is not None and np.isfinite(given):
        return float(given)
    if recommended.metric == "loss":
        largest = [law.support["N"][1] for law in laws if "N" in law.support]
        return float(sample_flops(max(largest, default=recommended.n_params), 1))
    chosen = recommended.optimum if recommended.optimum.exists else recommended.chinchilla
    return chosen.inference_flops


def guess(observations: Observations, fitted: FitResult) -> Array | None:
    """What a guesser reaches at each k of the fit, shape (K,); None where the data do not say how easy guessing is."""
    data = observations.measurements(fitted.task)
    return None if data.chance is None else guessing(data.chance, fitted.curves.k, data.question_weight)


def votes(observations: Observations, fits: Sequence[FitResult]) -> dict[str, dict[str, list[float | None]]]:
    """{task: {run: what a majority vote of each k of the fit's grid reached}}, for tasks whose answers were counted."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for one in fits:
        if one.task in found or one.task not in observations.tasks:
            continue
        whole = [float(k) for k in one.curves.k if k == int(k) and k <= MOST_K]
        with suppress(DataError):
            rows = score(observations, whole, ["majority"], task=one.task, stage="base").to_dicts()
            table = {(row["run_id"], row["k"]): row["value"] for row in rows}
            runs = {run for run, _ in table}
            found[one.task] = {run: [table.get((run, float(k))) for k in one.curves.k] for run in runs}
    return found


def further_plans(recommended: Plan, fits: Sequence[FitResult | PublishedLaw]) -> list[Plan]:
    """The plan of every further fit under the budget and the limits of the first plan."""
    return [replan(other, recommended) for other in fits]


def per_task(observations: Observations, fitted: FitResult, recommended: Plan) -> list[TaskPlan]:
    """The same law fitted to each task alone and planned under the same budget: optima differ between tasks."""
    rows = []
    for task in observations.tasks:
        try:
            alone = fit(
                observations, law=fitted.law.name, task=task, k=fitted.curves.k, seed=fitted.seed, quality=False
            )
            if not alone.status.usable:
                rows.append(TaskPlan(task, None, alone.status.value))
                continue
            made = replan(alone, recommended)
            none = made.status is PlanStatus.NO_OPTIMUM
            rows.append(TaskPlan(task, None if none else made, "no best size: runs to the smallest" * none, alone))
        except (FitError, ValueError) as error:
            rows.append(TaskPlan(task, None, str(error)))
    return rows
