"""`t2 report`: one HTML page from fits and a plan."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2scaling.cli.common import JsonFlag, emit, output_option, progress, wrote
from t2scaling.cli.costing import InferenceFlops, Maybe, StrategyName, TokensServed, TotalFlops, TrainFlops
from t2scaling.errors import DataError

if TYPE_CHECKING:
    from t2scaling.allocate import Plan
    from t2scaling.laws import FitResult, PublishedLaw

    Law = FitResult | PublishedLaw


def command(
    fits: Annotated[
        list[str], typer.Argument(help="One or more fit.json, or names of published laws.", metavar="FIT...")
    ],
    plan: Annotated[
        Path | None, typer.Option("--plan", help="A plan.json to recommend.", show_default="made from the budgets")
    ] = None,
    train_flops: TrainFlops = None,
    inference_flops: InferenceFlops = None,
    total_flops: TotalFlops = None,
    tokens_served: TokensServed = None,
    strategy: StrategyName = "oracle",
    observations: Annotated[
        str | None, typer.Option(help="The measurements behind the fit: plans each of their tasks alone, too.")
    ] = None,
    output: Annotated[Path, output_option("The page to write.", ".html")] = Path("report.html"),
    figures: Annotated[
        Path | None, typer.Option(help="Folder to save every figure in as well, as SVG, PDF and PNG.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Fits of several suites, laws, tasks or stages, side by side.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write one self-contained HTML page: the recommendation, the figures, the fit's diagnostics, the assumptions.

    The recommendation comes from --plan, or is made from the first fit under the budgets given.
    """
    from rich.markup import escape

    from t2scaling.allocate import Budget
    from t2scaling.allocate import plan as make_plan
    from t2scaling.artefacts import check_target
    from t2scaling.laws import load_law
    from t2scaling.observations import read
    from t2scaling.report import report
    from t2scaling.report.page import STEPS

    if figures is not None:
        check_target(figures / "figure.svg")
    loaded = [load_law(name) for name in fits]
    if compare and len(set(fits)) < 2:
        raise DataError("`--compare` needs two fits at least, such as `t2 report --compare a.json b.json`.")
    if not compare:
        _check_task(loaded)
    budgets = {
        "train_flops": train_flops,
        "inference_flops": inference_flops,
        "total_flops": total_flops,
        "tokens_served": tokens_served,
    }
    if plan is not None:
        _check_no_budget(budgets | {"strategy": None if strategy == "oracle" else strategy})
        before = loaded
        loaded, recommended = _with_plan(loaded, plan)
        fits = [name for one in loaded for name, law in zip(fits, before, strict=True) if law is one]
    else:
        budget = Budget(train_flops, inference_flops, total_flops, tokens_served)
        recommended = make_plan(loaded[0], budget=budget, strategy=strategy)
    measured = None if observations is None else read(observations)
    with progress("Planning, drawing, writing", total=STEPS, quiet=as_json) as advance:
        path = report(
            loaded[0],
            recommended,
            path=output,
            extra_fits=loaded[1:],
            observations=measured,
            command=" ".join(["t2", *sys.argv[1:]]),
            figures=figures,
            compare=[Path(name).stem for name in fits] if compare else False,
            advance=advance,
        )
    shown = [escape(recommended.sentence()), f"Report: {escape(str(path))}"]
    content = {"report": path, "figures": figures, "recommendation": recommended.sentence()}
    emit(content | {"plan": recommended.to_dict()}, as_json=as_json, show=shown)
    if figures is not None:
        wrote(f"{figures}/*.svg, *.pdf, *.png")


def _check_task(fits: list[Law]) -> None:
    tasks = sorted({fit.task for fit in fits})
    if len(tasks) > 1:
        raise DataError(
            f"FIT names fits of several tasks ({', '.join(tasks)}): write one report per task, or set them "
            "side by side with `--compare`."
        )


def _check_no_budget(budgets: Mapping[str, Maybe | str]) -> None:
    given = [name for name, value in budgets.items() if value is not None]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise DataError(f"`{option}` and `--plan` both say what is planned: leave one of them out.")


def _with_plan(fits: list[Law], path: Path) -> tuple[list[Law], Plan]:
    """The plan, and the fits with the one behind the plan first."""
    from t2scaling.allocate import Plan

    plan = Plan.load(path)
    behind = [fit for fit in fits if fit.law.name == plan.law and fit.task == plan.task]
    if not behind:
        have = ", ".join(f"{fit.law.name} on {fit.task}" for fit in fits)
        raise DataError(
            f"`--plan` = {path} is of the {plan.law} law on {plan.task}, but FIT has {have}: name the fit it came from."
        )
    return [behind[0], *(fit for fit in fits if fit is not behind[0])], plan
