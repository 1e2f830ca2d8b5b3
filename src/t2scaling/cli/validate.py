"""`t2 validate`: check a table of measurements, or logs, and show what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import PLAIN, JsonFlag, Output, console, emit, grid, wrote, yellow
from t2scaling.cli.tables import Columns, NllUnit, Runs, TaskName, columns_of
from t2scaling.units import format_number

if TYPE_CHECKING:
    from t2scaling.observations import Observations
    from t2scaling.observations.summary import TaskSummary


def command(
    file: Annotated[
        str, typer.Argument(help="CSV, Parquet or JSONL table, logs, or a suite by name.", show_default=False)
    ],
    runs: Runs = None,
    column: Columns = None,
    task: TaskName = None,
    nll_unit: NllUnit = None,
    output: Output = None,
    json: JsonFlag = False,
) -> None:
    """Check a table: the first thing that is wrong with it, or what it holds, task by task."""
    from rich.markup import escape

    from t2scaling.observations import Results, as_fittable
    from t2scaling.observations.summary import summarise

    with console(stderr=True).status("reading"):
        found = as_fittable(file, columns=columns_of(column), task=task, runs=runs, nll_unit=nll_unit)
        if isinstance(found, Results):
            told, shown, remarks = found.describe(), [escape(repr(found))], found.notes
        else:
            tasks = summarise(found)
            told, shown, remarks = describe(found, tasks), show(found, tasks), found.report.notes
    content = {"file": file, "valid": True, **told}
    shown = [f"[green]valid[/green]  {escape(file)}", *shown, *map(yellow, remarks)]
    emit(content, as_json=json, show=shown, output=output)


def describe(observations: Observations, tasks: Sequence[TaskSummary]) -> dict[str, Any]:
    """What the table holds, as plain data."""
    facts = observations.runs
    return {
        "n_runs": facts["run_id"].n_unique(),
        "n_outcomes": observations.n_outcomes,
        "stages": list(observations.stages),
        "n_params": [facts["n_params"].min(), facts["n_params"].max()],
        "n_tokens": [facts["n_tokens"].min(), facts["n_tokens"].max()],
        "conventions": dict(observations.conventions),
        "tasks": [task.to_dict() for task in tasks],
        "report": observations.report.to_dict(),
    }


def show(observations: Observations, tasks: Sequence[TaskSummary]) -> list[Any]:
    """The same for people: a summary, a table with one row per task, and what a fit would leave out."""
    from rich.markup import escape

    stages = ["stage"] if len(observations.stages) > 1 else []
    numbers = ("outcome", "runs", "questions", "shared", "missing", "samples", "nll (nats)", "mean")
    rows = [[task.task, *([task.stage] if stages else []), *_cells(task)] for task in tasks]
    table = grid("", ["task", *stages, *numbers], rows, left=1 + len(stages), **PLAIN)
    said = " · ".join(f"{name}: {value}" for name, value in observations.conventions.items())
    left_out = [yellow(f"a fit of {task.task} leaves out {task.left_out}") for task in tasks if task.left_out]
    return [escape(repr(observations)), f"[dim]{escape(said)}[/dim]", table, *left_out]


def written(observations: Observations, output: Path, as_json: bool, first: Sequence[Any] = ()) -> None:
    """Tell what a file of observations that was just written holds, and where it lies."""
    from t2scaling.observations.summary import summarise

    tasks = summarise(observations)
    shown = [*first, *show(observations, tasks), *map(yellow, observations.report.notes)]
    emit({"output": str(output), **describe(observations, tasks)}, as_json=as_json, show=shown)
    wrote(output)


def _cells(task: TaskSummary) -> list[str]:
    counts = (task.runs, task.questions, task.shared, task.missing_cells)
    spans = [_span(task.n_samples), _span(task.nll), format_number(task.mean)]
    return [task.kind, *(f"{count:,}" for count in counts), *spans]


def _span(values: tuple[float, float] | None) -> str:
    if values is None:
        return "–"
    low, high = (format_number(value) for value in values)
    return low if low == high else f"{low} … {high}"
