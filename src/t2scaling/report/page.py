"""`report`: one HTML file that states the recommendation, shows why, and says how far to trust it.

The page is self-contained: figures are inline SVG, the data are `data:` links, nothing is fetched. Text passes through
Jinja's autoescape; the figures are made here, and matplotlib escapes the text in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from t2scaling.allocate import Plan
from t2scaling.allocate import plan as make_plan
from t2scaling.artefacts import write_text
from t2scaling.laws import FitResult
from t2scaling.report import analysis, content, figures
from t2scaling.report.agreement import hold_out
from t2scaling.units import format_flops

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from t2scaling.observations import Observations


@dataclass(frozen=True)
class Shown:
    """A figure on the page: its SVG and its caption."""

    key: str
    title: str
    svg: Markup
    caption: str


def report(
    fit: FitResult,
    plan: Plan | None = None,
    *,
    path: str | Path,
    extra_fits: Sequence[FitResult] = (),
    observations: Observations | None = None,
    train_flops: float | None = None,
    inference_flops: float | None = None,
    command: str | None = None,
) -> Path:
    """Write the report and return its path.

    fit              the fit behind the recommendation
    plan             the recommendation; made from the two budgets where it is None
    path             where the HTML file goes
    extra_fits       further laws of the same task to show beside it, each planned under the same budget
    observations     the measurements behind the fit: where they hold several tasks, each is planned alone too
    train_flops, inference_flops   the budgets, where `plan` is None
    command          the command line to show under provenance
    Raises ValueError for a budget that is missing or infeasible.
    """
    page = render(
        fit,
        plan if plan is not None else _planned(fit, train_flops, inference_flops),
        extra_fits=extra_fits,
        observations=observations,
        command=command,
    )
    return write_text(path, page)


def _planned(fit: FitResult, train_flops: float | None, inference_flops: float | None) -> Plan:
    if train_flops is None:
        raise ValueError("`plan` or `train_flops` is needed: a report recommends something under a budget.")
    return make_plan(fit, train_flops=train_flops, inference_flops=inference_flops)


def render(
    fit: FitResult,
    recommended: Plan,
    *,
    extra_fits: Sequence[FitResult] = (),
    observations: Observations | None = None,
    command: str | None = None,
) -> str:
    """The page as text; arguments as in `report`."""
    import jinja2

    fits = [fit, *extra_fits]
    plans = [recommended, *analysis.further_plans(recommended, extra_fits)]
    budget = analysis.inference_budget(recommended, fits)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("t2scaling.report", "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    several = observations is not None and len(observations.tasks) > 1
    tasks = analysis.per_task(observations, fit, recommended) if observations is not None and several else []
    return environment.get_template("report.html.j2").render(
        head=content.head(fit, recommended),
        allocations=content.allocations(plans),
        warnings=content.warnings(fits, plans),
        figures=_figures(fits, plans, budget),
        sliders=content.json_ready(analysis.slider_grid(fits, recommended, budget)),
        tasks=content.task_rows(tasks),
        fits=[content.fit_facts(one) for one in fits],
        assumptions=content.assumptions(fit, recommended, budget),
        provenance=content.provenance(fits, command),
        downloads=content.downloads(fits, plans),
    )


def _figures(fits: Sequence[FitResult], plans: Sequence[Plan], inference_flops: float) -> list[Shown]:
    """Every figure that these fits allow, drawn and captioned."""
    held = [hold_out(fit) for fit in fits]
    budget = format_flops(inference_flops)
    sampling = any(fit.law.samples for fit in fits)
    shown = [
        _show(
            "isoflop",
            "IsoFLOP profiles and frontiers",
            figures.isoflop_profiles(fits, inference_flops),
            "Each colour is a training budget: dots are runs, thin lines the fitted law. "
            + (
                "One frontier follows Chinchilla's choice of N, the other the law's own. Left, one sample per problem; "
                f"right, as many as {budget} FLOPs per token served afford a model of that size."
                if sampling
                else "The frontier is the compute-optimal N of each budget."
            ),
        ),
        _show(
            "forecast",
            "Forecast over training budgets",
            figures.forecast(fits, inference_flops, plans),
            "Compute-optimal tokens per parameter, parameters and tokens. The shaded span is the data; dashed lines "
            "beyond it are extrapolated. Stars are the plans of this report"
            + ("; bands hold 90% of the bootstrap laws." if any(fit.bootstrap for fit in fits) else "."),
        ),
        _show(
            "agreement",
            "Predicted against observed",
            figures.predicted_observed(fits, inference_flops, held),
            (f"Each run at the k that {budget} FLOPs per token served afford it. " if sampling else "")
            + (
                "The ringed overtrained runs are predicted by the law fitted without them."
                if any(held)
                else "All runs were part of the fit, so the error is not that of a forecast."
            ),
        ),
        _show(
            "grid",
            "The checkpoints",
            figures.checkpoint_grid(fits[0].curves),
            "Which sizes were trained on which budgets, with tokens per parameter.",
        ),
    ]
    if len(fits[0].curves.k) > 1:
        best = next((fit for fit in fits if fit.law.metric == "pass_at_k"), fits[0])
        lines = "; lines are the accuracy law's" if best.law.metric == "pass_at_k" else ""
        caption = f"Mean pass@k of each size at its longest training, with two standard errors{lines}."
        shown.append(_show("coverage", "pass@k over samples", figures.coverage(best), caption))
    for fit in fits:
        caption = "What the law misses at every run and k of the fit. A trend means that its form does not hold there."
        shown.append(_show(f"residuals-{fit.law.name}", "Residuals", figures.residuals(fit), caption))
    return shown


def _show(key: str, title: str, figure: Figure, caption: str) -> Shown:
    from markupsafe import Markup

    return Shown(key, title, Markup(figures.svg(figure, key)), caption)
