"""`t2 collect`: the tables of `t2 evaluate` → one file of observations."""

from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, console
from t2scaling.cli.tables import PARQUET, Parquet
from t2scaling.cli.validate import written


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with <run>/<task>.parquet.", show_default=False)
    ],
    output: Parquet = PARQUET,
    json: JsonFlag = False,
) -> None:
    """Gather evaluations into one canonical Parquet; likelihoods and counts of a question come to one row."""
    from t2scaling.observations import collect

    with console(stderr=True).status("reading"):
        observations = collect(folder, output)
    written(observations, output, json)
