"""The words and tables of the page, as plain strings and lists: no markup here, and no figures."""

from __future__ import annotations

import base64
import csv
import io
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling import __version__
from t2scaling.allocate import Allocation, Plan, PlanStatus
from t2scaling.allocate.sentence import format_value
from t2scaling.allocate.words import evidence_lines
from t2scaling.artefacts import dumps
from t2scaling.costs import samples_afforded
from t2scaling.laws import FitResult
from t2scaling.laws.base import METRIC_LABELS
from t2scaling.report.analysis import TaskPlan
from t2scaling.report.runs import train_flops
from t2scaling.report.style import law_label
from t2scaling.units import format_flops, format_number

if TYPE_CHECKING:
    from t2scaling.costs import CostModel
    from t2scaling.laws import PublishedLaw
    from t2scaling.laws.measurements import Curves


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


def allocations(plans: Sequence[Plan]) -> dict[str, Any]:
    """The plan table: each law's optimum beside Chinchilla's allocation, judged by the same law; costs in the units
    of the plan's cost model."""
    rows = []
    for index, plan in enumerate(plans):
        name = law_label(plan.law)
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
        _ratio(choice.tokens_per_param),
        "—" if loss else _samples(choice.k),
        _amount(float(cost.train(choice.n_params, choice.n_tokens)), cost.train_unit),
        "—" if loss else _amount(float(cost.serve(choice.n_params, choice.k)), cost.serve_unit),
        value_text(choice.metric, choice.value),
    ]


def _amount(value: float, unit: str) -> str:
    return format_flops(value) if "FLOPs" in unit else format_number(value)


def _ratio(value: float) -> str:
    return format_number(value) if value >= 1e6 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


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


def warnings(fits: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan]) -> list[str]:
    """Every warning once, with the law that it concerns where there are several."""
    found: dict[str, list[str]] = {}
    for fit, plan in zip(fits, plans, strict=True):
        for sentence in (*plan.warnings, *fit.warnings):
            laws = found.setdefault(sentence, [])
            if law_label(fit.law.name) not in laws:
                laws.append(law_label(fit.law.name))
    if len(fits) == 1:
        return list(found)
    return [
        f"{' and '.join(laws)}: {sentence}" if len(laws) < len(fits) else sentence for sentence, laws in found.items()
    ]


def law_facts(law: FitResult | PublishedLaw) -> dict[str, Any]:
    """Parameters with intervals, the status sentence, what was seen and how it was fitted."""
    names = {"N": "N", "D": "D", "k": "k", "tokens_per_param": "D/N", "train_flops": "training FLOPs"}
    seen = []
    for key, label in names.items():
        if key in law.support:
            low, high = (format_flops(end) if "FLOPs" in label else format_number(end) for end in law.support[key])
            seen.append(f"{label} {low} to {high}")
    boot = law.bootstrap
    count = "none" if boot is None else f"{len(boot.samples)} refits over {boot.over}".replace("_", " ")
    ranges = boot.interval(0.9) if boot is not None else {}
    return {
        "name": law.law.label,
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


def _fitting(fit: FitResult | PublishedLaw) -> list[tuple[str, str]]:
    if not isinstance(fit, FitResult):
        return []
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


def assumptions(fit: FitResult | PublishedLaw, plan: Plan, inference_flops: float) -> list[tuple[str, str]]:
    """What the numbers mean and do not mean, as (heading, text); the common misreadings are met here."""
    convention = fit.conventions.get("n_params", "unstated")
    extent = fit.support.get("train_flops")
    spent = plan.optimum.train_flops
    far = ""
    if extent is not None and spent > extent[1] * 1.01:
        far = f" This plan trains with {format_number(spent / extent[1], 2)} times the largest budget in the data."
    return [
        (
            "Two budgets",
            f"Training is paid once, in {plan.cost.train_unit}; the serving budget is in {plan.cost.serve_unit}, over "
            "all k samples. The two are added up only in a lifetime budget."
            + (
                f" {format_flops(inference_flops)} FLOPs per token are one sample of a model of "
                f"{format_number(float(samples_afforded(1, inference_flops)))} parameters."
                if plan.cost.product
                else ""
            ),
        ),
        (
            "Overtrained",
            "means a smaller model on more tokens than Chinchilla's rule gives it, at the same training FLOPs.",
        ),
        (
            "Costs",
            f"are counted as: {plan.cost.label}."
            + (
                " Those are matrix products with the weights. Attention, the prompt, the KV cache and batching are "
                "left out; long contexts make small models with many samples dearer (docs/serving.md)."
                if plan.cost.product
                else ""
            ),
        ),
        ("Parameters", f"N is counted as: {convention.replace('_', ' ')}. Compare sizes by the same count only."),
        ("Outcomes", _outcomes(fit)),
        (
            "Picking the right sample",
            f"This plan is for: {plan.strategy.label}. pass@k counts a problem as solved if any of k samples is right; "
            "to use that, something must tell which one: unit tests, a proof checker, a verifier. Majority votes gain "
            "far less, and an imperfect verifier caps the gain (Stroebl et al. 2024, arXiv 2411.17501).",
        ),
        (
            "Samples",
            "are independent draws in parallel; k is a real number unless rounded on request. Long chains of thought, "
            "search and revision are not covered.",
        ),
        (
            "Range",
            "A law is trusted where it was fitted; its exponents move with the k, N and D in the data. Beyond it the "
            f"direction (smaller and longer) is safer than the size of the step.{far}",
        ),
        (
            "Data and after-training",
            "Every token counts as new: there is no penalty for repeating text. Heavily overtrained models can be "
            "harder to fine-tune (Springer et al. 2025, arXiv 2503.19206) and to quantise (Kumar et al. 2024, arXiv "
            "2411.04330).",
        ),
    ]


def _outcomes(fit: FitResult | PublishedLaw) -> str:
    unit = fit.conventions.get("nll", "")
    if unit == "mean_per_token":
        return (
            "nll is the mean per token of the correct answer, so e^−nll is a geometric mean over tokens and not a "
            "chance of success: read pass@k here as an index, not as a rate."
        )
    return (
        "From likelihoods, p = e^−nll is the chance of sampling exactly the reference answer (nll summed over its "
        "tokens, natural log), which is at most the chance of any right answer. From counts, pass@k is the unbiased "
        "estimate from n samples with c correct. A mean over tasks weighs each task the same; optima differ by task."
    )


def provenance(fits: Sequence[FitResult | PublishedLaw], command: str | None) -> list[tuple[str, str]]:
    """Where the numbers come from, as (what, value)."""
    import matplotlib
    import scipy

    fit = fits[0]
    if isinstance(fit, FitResult):
        origin = [("data (SHA-256)", fit.data_hash), ("seed", str(fit.seed))]
    else:
        origin = [("source", fit.citation)]
    rows = [
        ("command", command or ""),
        *origin,
        ("task", fit.task),
        ("conventions", "; ".join(f"{key}: {value}" for key, value in fit.conventions.items() if key != "statement")),
        ("t2scaling", __version__),
        (
            "with",
            f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
            f"matplotlib {matplotlib.__version__}",
        ),
        ("written", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("method", "Roberts et al. 2026, Test-Time Scaling Makes Overtraining Compute-Optimal, arXiv 2604.01411"),
    ]
    return [(name, value) for name, value in rows if value]


def downloads(laws: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan]) -> list[tuple[str, str]]:
    """(file name, data: link) of each plan, each fit and the runs behind the first fit."""
    links = [(f"plan-{plan.law}.json", _link("application/json", plan.to_json())) for plan in plans]
    links += [(f"fit-{law.law.name}.json", _link("application/json", dumps(law.to_dict(), indent=2))) for law in laws]
    runs = [("runs.csv", _link("text/csv", runs_csv(law.curves))) for law in laws[:1] if isinstance(law, FitResult)]
    return [*links, *runs]


def runs_csv(curves: Curves) -> str:
    """One line per run and k: what the fit saw."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["run_id", "n_params", "n_tokens", "train_flops", "k", curves.target, "pass_at_k", "se"])
    flops = train_flops(curves)
    for run, name in enumerate(curves.run_id):
        for at, k in enumerate(curves.k):
            numbers = (curves.value[run, at], curves.pass_at_k[run, at], curves.se[run, at])
            facts = [f"{value:.9g}" for value in (curves.N[run], curves.D[run], flops[run], k)]
            writer.writerow([name, *facts, *("" if math.isnan(value) else f"{value:.9g}" for value in numbers)])
    return buffer.getvalue()


def _link(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def json_ready(value: Any) -> Any:
    """Plain values for Jinja's `tojson`: no numpy, NaN as null."""
    import json

    return json.loads(dumps(value))
