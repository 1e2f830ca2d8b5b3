"""`t2 validate`: check a table of measurements, or logs, and show what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Output, console, emit
from t2scaling.cli.tables import Columns, NllUnit, Runs, columns_of
from t2scaling.units import format_number

if TYPE_CHECKING:
    from t2scaling.observations import Observations
    from t2scaling.observations.report import ImportReport
    from t2scaling.observations.summary import TaskSummary


def command(
    file: Annotated[
        str, typer.Argument(help="CSV, Parquet or JSONL table, logs, or a suite by name.", show_default=False)
    ],
    runs: Runs = None,
    column: Columns = None,
    task: Annotated[
        str | None, typer.Option(help="Name of the task, for a table without such a column.", show_default=False)
    ] = None,
    nll_unit: NllUnit = None,
    output: Output = None,
    json: JsonFlag = False,
) -> None:
    """Check a table: the first thing that is wrong with it, or what it holds, task by task."""
    from t2scaling.observations import Results, as_fittable
    from t2scaling.observations.summary import summarise

    with console(stderr=True).status("reading"):
        found = as_fittable(file, columns=columns_of(column), task=task, runs=runs, nll_unit=nll_unit)
        if isinstance(found, Results):
            told, shown, remarks = found.describe(), [_escape(repr(found))], found.notes
        else:
            tasks = summarise(found)
            told, shown, remarks = describe(found, tasks), show(found, tasks), found.report.notes
    content = {"file": file, "valid": True, **told}
    headline = f"[green]valid[/green]  {_escape(file)}"
    shown = [headline, *shown, *(f"[yellow]{_escape(text)}[/yellow]" for text in remarks)]
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
    from rich.table import Table

    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("task")
    stages = len(observations.stages) > 1
    if stages:
        table.add_column("stage")
    for name in ("outcome", "runs", "questions", "shared", "missing", "samples", "nll (nats)", "mean"):
        table.add_column(name, justify="right")
    for task in tasks:
        table.add_row(*_cells(task, stages))
    said = [f"{name}: {value}" for name, value in observations.conventions.items()]
    left_out = [
        f"[yellow]a fit of {_escape(task.task)} leaves out {_escape(task.left_out)}[/yellow]"
        for task in tasks
        if task.left_out
    ]
    return [_escape(repr(observations)), f"[dim]{_escape(' · '.join(said))}[/dim]", table, *left_out]


def notes(report: ImportReport) -> list[str]:
    """The report's remarks, one line each."""
    return [f"[yellow]{_escape(text)}[/yellow]" for text in report.notes]


def _cells(task: TaskSummary, stages: bool) -> list[str]:
    samples = _span(task.n_samples)
    nll = _span(task.nll)
    return [
        _escape(task.task),
        *([_escape(task.stage)] if stages else []),
        task.kind,
        f"{task.runs:,}",
        f"{task.questions:,}",
        f"{task.shared:,}",
        f"{task.missing_cells:,}",
        samples,
        nll,
        format_number(task.mean),
    ]


def _span(values: tuple[float, float] | None) -> str:
    if values is None:
        return "–"
    low, high = (format_number(value) for value in values)
    return low if low == high else f"{low} … {high}"


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
