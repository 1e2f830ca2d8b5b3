"""The words and tables of the page, as plain strings and lists: no markup here, and no figures."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2scaling.allocate import Allocation, Plan, PlanStatus
from t2scaling.allocate.sentence import format_per_param, format_value
from t2scaling.allocate.words import evidence_lines
from t2scaling.artefacts import dumps
from t2scaling.costs import CostModel
from t2scaling.laws import FitResult, PublishedLaw
from t2scaling.laws.base import METRIC_LABELS
from t2scaling.report.analysis import TaskPlan
from t2scaling.report.style import law_label
from t2scaling.units import format_flops, format_number


@dataclass(frozen=True)
class Row:
    """One allocation of the plan table."""

    name: str
    law: str
    chosen: bool
    cells: list[str]


def head(fit: FitResult | PublishedLaw, plan: Plan) -> dict[str, Any]:
    """Title, recommendation, interval and, where the data say so, that they are simulated."""
    task = "the mean over tasks" if fit.task == "macro" else fit.task
    return {
        "title": f"Train-to-Test plan: {task}",
        "sentence": plan.sentence(),
        "advice": plan.status.advice,
        "interval": interval_sentence(plan),
        "evidence": evidence_lines(plan),
        "budget": _budget_sentence(plan),
        "simulated": is_simulated(fit),
        "statement": fit.conventions.get("statement", ""),
        "break_even": _break_even_sentence(plan),
    }


def is_simulated(fit: FitResult | PublishedLaw) -> bool:
    """Whether the data behind the fit were drawn from a law instead of measured."""
    return fit.conventions.get("origin") == "simulated"


def interval_sentence(plan: Plan) -> str:
    """How sure the plan is, in words."""
    if not plan.interval:
        return "No interval: fit with a bootstrap (t2 fit … --bootstrap 200) to see how sure this is."
    names = {"n_params": "N", "n_tokens": "D", "k": "k", "tokens_per_param": "D/N"}
    parts = [
        f"{symbol} {format_number(plan.interval[key][0])} to {format_number(plan.interval[key][1])}"
        for key, symbol in names.items()
        if key in plan.interval
    ]
    return f"{plan.level or 0.9:.0%} of the plans of refits to resampled data: {', '.join(parts)}."


def _budget_sentence(plan: Plan) -> str:
    budget = plan.budget
    if "total_flops" in budget:
        unit = "queries" if "query" in plan.cost.serve_unit else "tokens served"
        return (
            f"Budget: {format_flops(budget['total_flops'])} {plan.cost.train_unit} over the model's life, training and "
            f"{format_number(budget['tokens_served'])} {unit} together."
        )
    text = f"Budget: {_amount(budget['train_flops'], plan.cost.train_unit)} training {plan.cost.train_unit}"
    serving = budget.get("inference_flops", budget.get("serve_budget"))
    if serving is None or not math.isfinite(serving):
        return f"{text}."
    return f"{text}, and {_amount(serving, plan.cost.serve_unit)} {plan.cost.serve_unit}."


def _break_even_sentence(plan: Plan) -> str:
    if plan.break_even is None or not math.isfinite(plan.break_even):
        return ""
    return (
        f"Overtraining pays from {format_number(plan.break_even)} tokens served: from there on, no Chinchilla-trained "
        "model of the same quality costs less in training and serving together."
    )


def names(laws: Sequence[FitResult | PublishedLaw], files: Sequence[str] = ()) -> list[str]:
    """What tells the laws apart: the law, or else its task too, or else the file (or a number)."""
    short = [law_label(law.law.name) for law in laws]
    full = [f"{name}, {law.task}" for name, law in zip(short, laws, strict=True)]
    if len(set(short)) == len(laws):
        return short
    if len(set(full)) == len(laws):
        return full
    known = files if len(set(files)) == len(laws) else [str(at + 1) for at in range(len(laws))]
    return [f"{name} ({file})" for name, file in zip(full, known, strict=True)]


def allocations(plans: Sequence[Plan], names: Sequence[str]) -> dict[str, Any]:
    """The plan table: each law's optimum beside Chinchilla's allocation, judged by the same law; costs in the units
    of the plan's cost model."""
    rows = []
    for index, (plan, name) in enumerate(zip(plans, names, strict=True)):
        if plan.metric != "loss":
            rows.append(Row("T² optimum", name, index == 0, _cells(plan.optimum, plan.cost)))
        if plan.status is not PlanStatus.OPTIMUM and plan.within_data is not None:
            rows.append(Row("best within the data", name, False, _cells(plan.within_data, plan.cost)))
        rows.append(Row("Chinchilla", name, index == 0 and plan.metric == "loss", _cells(plan.chinchilla, plan.cost)))
    cost = plans[0].cost
    return {"columns": ("N", "D", "D/N", "k", f"training {cost.train_unit}", cost.serve_unit, "expected"), "rows": rows}


def _cells(choice: Allocation, cost: CostModel) -> list[str]:
    loss = choice.metric == "loss"
    return [
        format_number(choice.n_params),
        format_number(choice.n_tokens),
        format_per_param(choice.tokens_per_param),
        "—" if loss else _samples(choice.k),
        _amount(float(cost.train(choice.n_params, choice.n_tokens)), cost.train_unit),
        "—" if loss else _amount(float(cost.serve(choice.n_params, choice.k)), cost.serve_unit),
        value_text(choice.metric, choice.value),
    ]


def _amount(value: float, unit: str) -> str:
    return format_flops(value) if "FLOPs" in unit else format_number(value)


def _samples(k: float) -> str:
    if k < 1:
        return f"{k:.2g} (below 1)"
    return f"{k:,.0f}" if k >= 100 else f"{k:.3g}"


def value_text(metric: str, value: float) -> str:
    """A metric's value with its name: `pass@k 18.1%`, `−log pass@k 6.51 nats`, or a dash where there is none."""
    if not math.isfinite(value):
        return "—"
    name = METRIC_LABELS.get(metric, metric).removesuffix(" (nats)")
    return f"{name} {value:.3g}" if metric == "pass_at_k" and value < 5e-4 else f"{name} {format_value(metric, value)}"


def warnings(fits: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan], names: Sequence[str]) -> list[str]:
    """Every warning once, with the law that it concerns where there are several."""
    found: dict[str, list[str]] = {}
    for fit, plan, name in zip(fits, plans, names, strict=True):
        for sentence in (*plan.warnings, *fit.warnings):
            laws = found.setdefault(sentence, [])
            if name not in laws:
                laws.append(name)
    if len(fits) == 1:
        return list(found)
    return [
        f"{' and '.join(laws)}: {sentence}" if len(laws) < len(fits) else sentence for sentence, laws in found.items()
    ]


def law_facts(law: FitResult | PublishedLaw, title: str) -> dict[str, Any]:
    """Parameters with intervals, the status sentence, what was seen and how it was fitted."""
    axes = {"N": "N", "D": "D", "k": "k", "tokens_per_param": "D/N", "train_flops": "training FLOPs"}
    seen = []
    for key, label in axes.items():
        if key in law.support:
            low, high = (format_flops(end) if "FLOPs" in label else format_number(end) for end in law.support[key])
            seen.append(f"{label} {low} to {high}")
    boot = law.bootstrap
    count = "none" if boot is None else f"{len(boot.samples)} refits over {boot.over}".replace("_", " ")
    ranges = boot.interval(0.9) if boot is not None else {}
    return {
        "name": title,
        "formula": law.law.formula,
        "status": law.status.value if isinstance(law, FitResult) else f"Published: {law.citation}.",
        "rows": [
            {"name": name, "value": parameter_text(value), "interval": _pair(*ranges.get(name, (None, None)))}
            for name, value in law.law.parameters.items()
        ],
        "facts": [
            *(_fitting(law) if isinstance(law, FitResult) else []),
            ("bootstrap", count),
            ("seen", "; ".join(seen)),
        ],
    }


def _fitting(fit: FitResult) -> list[tuple[str, str]]:
    return [
        ("runs × k", f"{len(fit.curves.N)} × {len(fit.curves.k)}"),
        ("loss" if fit.law.metric == "pass_at_k" else "target", TARGETS[fit.target]),
        ("objective", f"{fit.objective:.6g} ({fit.solver})"),
        ("k of the fit", ", ".join(f"{k:.3g}" for k in fit.curves.k)),
    ]


TARGETS = {
    "mean_neg_log": "mean over questions of −log pass@k",
    "neg_log_mean": "−log of the mean over questions of pass@k",
}


def _pair(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{parameter_text(low, 4)} to {parameter_text(high, 4)}"


def parameter_text(value: float, digits: int = 5) -> str:
    """A parameter for people: 13,452, 0.45618, −9.2303 or 9.8e20."""
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{float(f'{value:.{digits}g}'):,.10g}"
    return text.replace("-", "−")


def task_rows(tasks: Sequence[TaskPlan]) -> list[dict[str, str]]:
    """One row per task planned alone."""
    rows = []
    for one in tasks:
        if one.plan is None:
            rows.append({"task": one.task, "n": "—", "d": "—", "ratio": "—", "k": "—", "value": one.reason})
            continue
        n, d, ratio, k, _, _, value = _cells(one.plan.optimum, one.plan.cost)
        rows.append({"task": one.task, "n": n, "d": d, "ratio": ratio, "k": k, "value": value})
    return rows


def json_ready(value: Any) -> Any:
    """Plain values for Jinja's `tojson`: no numpy, NaN as null."""
    return json.loads(dumps(value))
