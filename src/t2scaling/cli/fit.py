"""`t2 fit`: measurements in, fit.json out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import (
    JsonFlag,
    Output,
    Seed,
    Stage,
    console,
    emit,
    grid,
    note,
    number_option,
    progress,
    wrote,
)
from t2scaling.cli.tables import Columns, NllUnit, Runs, columns_of
from t2scaling.errors import ArgumentError
from t2scaling.units import check_level, format_number, format_ratio, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.laws import FitResult


def command(
    observations: Annotated[
        str,
        typer.Argument(
            metavar="OBS",
            help="Table of outcomes, folder of logs, the suite `world`, or a table of means (N, D, pass@k or loss).",
        ),
    ],
    law: Annotated[
        str, typer.Option(help="auto (the bottleneck law, the paper's two beside it), or one law: see `t2 laws`.")
    ] = "auto",
    task: Annotated[
        str | None,
        typer.Option(help="Task to fit, or macro for the mean over tasks; names that of a table without tasks."),
    ] = None,
    stage: Stage = "base",
    k: Annotated[
        str | None,
        typer.Option("--k", help="Samples per problem to fit at, such as 1,2,4.", show_default="12, to the budget"),
    ] = None,
    inference_flops: Annotated[
        float | None,
        number_option("FLOPs per token served: sets the largest k.", "--inference-flops", default_text="2·N_max"),
    ] = None,
    target: Annotated[
        str, typer.Option(help="Mean that the loss is: mean_neg_log, neg_log_mean, or auto (by the kind of outcome).")
    ] = "auto",
    solver: Annotated[
        str, typer.Option(help="varpro, restarts, paper (restarts, and E on a grid), huber or log_sse.")
    ] = "varpro",
    weights: Annotated[
        str, typer.Option(help="IsoFLOP groups in stage 1 of the accuracy law: inverse_variance or equal.")
    ] = "inverse_variance",
    bounds: Annotated[str, typer.Option("--exponents", help="Smallest and largest exponent.")] = "0.01,3",
    restarts: Annotated[int, typer.Option(help="Random starts of the solver restarts.")] = 500,
    bootstrap: Annotated[int, typer.Option(help="Refits to resampled data, for intervals; 0 for none.")] = 0,
    bootstrap_over: Annotated[
        str, typer.Option("--over", help="What is resampled: runs, questions or runs_and_questions.")
    ] = "runs_and_questions",
    level: Annotated[float, typer.Option(help="Level of the intervals shown.")] = 0.9,
    nll_unit: NllUnit = None,
    column: Columns = None,
    runs: Runs = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Refits in parallel.", show_default="the processors")] = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: Output = None,
) -> int:
    """Fit a scaling law to measurements, and say how far to trust it.

    The k of the fit always contain 1 and are stored with it; by default they are 12, log-spaced from 1 to what the
    smallest model affords under --inference-flops. Exits 1 where the fit found no law to rely on; what it found is
    written all the same.
    """
    from t2scaling.api import readable
    from t2scaling.laws import fit

    check_level(level)
    ends = parse_numbers(bounds, "bounds")
    if len(ends) != 2:
        raise ArgumentError(f"`bounds` = {bounds} must be two numbers, such as 0.01,3.")
    options: dict[str, Any] = {
        "task": task,
        "stage": stage,
        "k": None if k is None else parse_numbers(k, "k"),
        "inference_flops": inference_flops,
        "target": target,
        "weights": weights,
        "bounds": (ends[0], ends[1]),
        "restarts": restarts,
        "bootstrap": bootstrap,
        "bootstrap_over": bootstrap_over,
        "seed": seed,
        "jobs": jobs or len(os.sched_getaffinity(0)),
    }
    reading = {"columns": columns_of(column), "runs": runs, "nll_unit": nll_unit}
    with console(stderr=True).status("reading"):
        data, notes = readable(observations, law, task, options["k"], stage, **reading)
    steps = bootstrap + (restarts if solver == "restarts" else 0)
    with progress("fitting", total=steps or None, quiet=as_json or not steps) as advance:
        found = fit(data, law, solver=solver, advance=advance, **options)
    for sentence in notes:
        note(sentence)
    if output is not None:
        wrote(found.save(output))
    emit(found.to_dict(), as_json=as_json, show=[_table(found, level), _lines(found)])
    return 0 if found.status.usable else 1


def _table(fit: FitResult, level: float) -> Table:
    rows = []
    for row in fit.summary(level):
        interval = [] if row["low"] is None else [f"{row['low']:.4g} to {row['high']:.4g}"]
        rows.append([row["parameter"], f"{row['value']:.5g}", *interval])
    head = ["parameter", "value", *([] if fit.bootstrap is None else [f"{level:.0%} interval"])]
    return grid(f"{fit.law.label} · {fit.task}", head, rows)


def _lines(fit: FitResult) -> str:
    from rich.markup import escape

    seen = {name: tuple(format_number(end) for end in ends) for name, ends in fit.support.items()}
    ratio = tuple(format_ratio(end) for end in fit.support["tokens_per_param"])
    counts = ", ".join(format_number(value) for value in fit.curves.k)
    lines = [
        fit.status.value,
        fit.quality.sentence(),
        f"{len(fit.curves.N)} runs: N {' to '.join(seen['N'])}, D {' to '.join(seen['D'])}, D/N {' to '.join(ratio)}.",
        f"k: {counts}. Target {fit.target}. Objective {fit.objective:.6g} ({fit.solver}).",
        *(f"Warning: {sentence}" for sentence in fit.warnings),
    ]
    return escape("\n".join(lines))
