"""`report`: one HTML file that states the recommendation, shows why, and says how far to trust it.

The page is self-contained: figures are inline SVG, the data are `data:` links, nothing is fetched. Text passes through
Jinja's autoescape; the figures are made here, and matplotlib escapes the text in them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2scaling.allocate import Plan
from t2scaling.allocate import plan as make_plan
from t2scaling.artefacts import write_text
from t2scaling.costs import GPUS
from t2scaling.errors import ArgumentError
from t2scaling.laws import FitResult, PublishedLaw, load_law
from t2scaling.observations import Observations, as_observations
from t2scaling.report import analysis, content, planner
from t2scaling.report.assumptions import assumptions
from t2scaling.report.drawings import Drawing, beside, drawings, save
from t2scaling.report.panels import Key, Panel, keys, panels
from t2scaling.report.provenance import downloads, provenance

Law = FitResult | PublishedLaw

STEPS = 3  # calls of `advance`: plans, figures, page


@dataclass(frozen=True)
class Shown:
    """A figure on the page: its drawings, its legend, how many drawings stand side by side, and its caption."""

    key: str
    title: str
    panels: list[Panel]
    legend: list[Key]
    columns: int
    caption: str


def report(
    fit: Law | str | Path,
    plan: Plan | None = None,
    *,
    path: str | Path,
    extra_fits: Sequence[Law | str | Path] = (),
    observations: Any = None,
    train_flops: float | None = None,
    inference_flops: float | None = None,
    command: str | None = None,
    figures: str | Path | None = None,
    compare: bool | Sequence[str] = False,
    advance: Callable[[], object] = lambda: None,
) -> Path:
    """Write the report and return its path.

    fit              the fit behind the recommendation: a FitResult, a fit.json, or a published law or its name
    plan             the recommendation; made from the two budgets where it is None
    path             where the HTML file goes
    extra_fits       further laws of the same task to show beside it, each planned under the same budget
    observations     the measurements behind the fit, as `read` takes them: where they hold several tasks, each is
                     planned alone too
    train_flops, inference_flops   the budgets, where `plan` is None
    command          the command line to show under provenance
    figures          folder to save every figure in as well, as SVG, PDF and PNG
    compare          the fits may be of several suites, laws, tasks or stages, and stand side by side; or their names
    advance          called after each of `STEPS` steps, for a progress bar
    Raises ArgumentError for a budget that is missing or infeasible.
    """
    given = (fit, *extra_fits)
    first, *others = (load_law(one) if isinstance(one, str | Path) else one for one in given)
    page = render(
        first,
        plan if plan is not None else _planned(first, train_flops, inference_flops),
        extra_fits=others,
        observations=None if observations is None else as_observations(observations),
        command=command,
        figures=figures,
        compare=_stems(given) if compare is True else compare or None,
        advance=advance,
    )
    return write_text(path, page)


def _stems(given: Sequence[Law | str | Path]) -> list[str]:
    """The names of the files among these; nothing for what is none."""
    return [Path(one).stem if isinstance(one, str | Path) else "" for one in given]


def _planned(fit: Law, train_flops: float | None, inference_flops: float | None) -> Plan:
    if train_flops is None:
        raise ArgumentError("`plan` or `train_flops` is needed: a report recommends something under a budget.")
    return make_plan(fit, train_flops=train_flops, inference_flops=inference_flops)


def render(
    fit: Law,
    recommended: Plan,
    *,
    extra_fits: Sequence[Law] = (),
    observations: Observations | None = None,
    command: str | None = None,
    figures: str | Path | None = None,
    compare: Sequence[str] | None = None,
    advance: Callable[[], object] = lambda: None,
) -> str:
    """The page as text; arguments as in `report`, but `compare` is the names of the files to stand side by side."""
    import jinja2
    from markupsafe import Markup

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
    names = content.names(fits, compare or ())
    tasks, guess, known, votes = [], None, list(fits), {}
    if observations is not None and isinstance(fit, FitResult):
        tasks = analysis.per_task(observations, fit, recommended) if len(observations.tasks) > 1 else []
        guess = analysis.guess(observations, fit)
        alone = [one.fit for one in tasks if one.fit is not None and one.task not in {law.task for law in fits}]
        known += alone
        votes = analysis.votes(observations, [fit, *alone])
    script = planner.script()
    advance()
    drawn = drawings(fits, plans, budget, guess) if compare is None else beside(fits, plans, budget, names)
    if figures is not None:
        save(drawn, figures)
    shown = _figures(drawn)
    advance()
    page: str = environment.get_template("report.html.j2").render(
        head=content.head(fit, recommended),
        compared=[]
        if compare is None
        else [{"name": name, **content.head(one, made)} for one, made, name in zip(fits, plans, names, strict=True)],
        allocations=content.allocations(plans, names),
        warnings=content.warnings(fits, plans, names),
        figures=shown,
        planner=_planner(known, recommended, budget, guess, votes),
        script=Markup(script),
        policy=planner.content_policy(script),
        tasks=content.task_rows(tasks),
        fits=[content.law_facts(one, name) for one, name in zip(fits, names, strict=True)],
        assumptions=assumptions(fit, recommended, budget),
        provenance=provenance(fits, command),
        downloads=downloads(known, plans),
    )
    advance()
    return page


def _planner(
    fits: Sequence[Law], recommended: Plan, inference_flops: float, guess: Any, votes: dict[str, Any]
) -> dict[str, Any]:
    """What the planner's template shows: its data, and the choices of its menus; `mix` is the tasks together."""
    data = planner.planner_data(fits, recommended, inference_flops, guess, votes)
    laws = [(index, f"{fit.law.label}, {fit.task}") for index, fit in enumerate(fits)]
    tasks = [fits[index].task for index in data["tasks"]]
    return {
        "data": content.json_ready(data),
        "laws": [*laws, (len(fits), "a mix of the tasks")] if tasks else laws,
        "mix": len(fits),
        "weights": f"Weights of {', '.join(tasks)}",
        "gpus": [(name, name.upper()) for name in GPUS],
        "presets": planner.PRESETS,
    }


def _figures(drawn: Sequence[Drawing]) -> list[Shown]:
    from markupsafe import Markup

    return [
        Shown(
            one.key,
            one.title,
            [Panel(Markup(panel.svg), panel.text) for panel in panels(one.figure, one.key)],
            keys(one.figure),
            one.columns,
            one.caption,
        )
        for one in drawn
    ]
