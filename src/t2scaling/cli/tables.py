"""Options of the verbs that read tables: which column is which, and what is known of the runs."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import output_option
from t2scaling.errors import ArgumentError

Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="Say which column is which: NAME=THEIRS (repeatable).", show_default=False),
]
Runs = Annotated[
    Path | None,
    typer.Option(help="Manifest (YAML or CSV) that gives N and D to runs that lack them.", show_default=False),
]
TaskName = Annotated[
    str | None, typer.Option(help="Name of the task, for a table without such a column.", show_default=False)
]
PARQUET = Path("observations.parquet")
Parquet = Annotated[Path, output_option("The canonical Parquet to write.", ".parquet")]
NllUnit = Annotated[
    str | None, typer.Option(help="sum or mean_per_token, where the file does not say.", show_default=False)
]


def columns_of(pairs: list[str] | None) -> dict[str, str]:
    """`["n_params=size"]` as {"n_params": "size"}. Raises ArgumentError for a pair that is none."""
    columns = {}
    for pair in pairs or []:
        name, equals, theirs = pair.partition("=")
        if not (name and equals and theirs):
            raise ArgumentError(f"`--column` {pair} should be NAME=THEIRS, such as n_params=n_params_non_embedding.")
        columns[name.strip()] = theirs.strip()
    return columns


def ready(argv: list[str], options: str) -> str:
    """The command line as typed, with the options that it lacks."""
    return f"Run `{shlex.join(['t2', *argv])} {options}`."
