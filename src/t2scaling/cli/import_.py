"""`t2 import`: evaluation logs and tables → one canonical Parquet, with an account of what was read and dropped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import PLAIN, JsonFlag, console, grid
from t2scaling.cli.tables import PARQUET, Columns, NllUnit, Parquet, Runs, TaskName, columns_of
from t2scaling.cli.validate import written
from t2scaling.errors import ArgumentError

if TYPE_CHECKING:
    from t2scaling.observations.report import ImportReport


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Folders of lm-eval logs, Inspect .eval logs, or CSV, Parquet and JSONL tables.",
            show_default=False,
        ),
    ],
    runs: Runs = None,
    format: Annotated[str, typer.Option(help="auto, lm-eval, inspect or table.")] = "auto",
    score: Annotated[
        str | None,
        typer.Option(
            help="Grade responses of lm-eval logs: exact, numeric or module:function, (response, target) -> bool.",
            show_default="what the log says, else exact",
        ),
    ] = None,
    filter: Annotated[
        str | None, typer.Option(help="lm-eval filter, or Inspect scorer, to take.", show_default="the first")
    ] = None,
    column: Columns = None,
    task: TaskName = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Rename a run: RUN=NAME (repeatable), or NAME where there is one run.", show_default=False),
    ] = None,
    nll_unit: NllUnit = None,
    n_params_convention: Annotated[
        str | None, typer.Option(help="How N is counted: with_head, non_embedding, total, …", show_default=False)
    ] = None,
    output: Parquet = PARQUET,
    json: JsonFlag = False,
) -> None:
    """Read logs or tables, check them, write one canonical Parquet, and report what was read, dropped and why."""
    from t2scaling.observations import read

    with console(stderr=True).status("reading"):
        observations = read(
            paths,
            runs,
            format=format,
            score=score,
            filter=filter,
            columns=columns_of(column),
            names=_names(name or []),
            nll_unit=nll_unit,
            n_params_convention=n_params_convention,
            task=task,
        )
        observations.write(output)
    written(observations, output, json, _read_and_dropped(observations.report))


def _names(pairs: list[str]) -> str | dict[str, str] | None:
    if len(pairs) == 1 and "=" not in pairs[0]:
        return pairs[0]
    named = {}
    for pair in pairs:
        run, equals, name = pair.rpartition("=")
        if not (run and equals and name):
            raise ArgumentError(f"`--name` {pair} should be RUN=NAME, such as runs__a__model=a.")
        named[run.strip()] = name.strip()
    return named or None


def _read_and_dropped(report: ImportReport, most: int = 20) -> list[Any]:
    """A table of the files read, and one of what was left out of them."""
    sources = [(_short(one.path), f"{one.rows:,}", f"{one.kept:,}", one.how) for one in report.sources[:most]]
    shown: list[Any] = [grid("", ("read", "rows", "kept", "outcome"), sources, left=4, **PLAIN)]
    if len(report.sources) > most:
        shown.append(f"… and {len(report.sources) - most} more files (--json lists all)")
    if report.dropped:
        dropped = [(_short(item.what), f"{item.rows:,}", item.reason) for item in report.dropped[:most]]
        shown += ["", grid("", ("dropped", "rows", "why"), dropped, left=3, **PLAIN)]
    return [*shown, ""]


def _short(path: str) -> str:
    """The end of a path: the folder and the name, which tell logs apart."""
    return str(Path(*Path(path).parts[-2:]))
