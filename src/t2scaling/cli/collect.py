"""`t2 collect`: the tables of `t2 evaluate` → one file of observations."""

from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, console, emit, output_option, wrote


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with <run>/<task>.parquet.", show_default=False)
    ],
    output: Annotated[Path, output_option("The canonical Parquet to write.", ".parquet")] = Path(
        "observations.parquet"
    ),
    json: JsonFlag = False,
) -> None:
    """Gather evaluations into one canonical Parquet; likelihoods and counts of a question come to one row."""
    from t2scaling.cli import validate
    from t2scaling.observations import collect
    from t2scaling.observations.summary import summarise

    with console(stderr=True).status("reading"):
        observations = collect(folder, output)
        tasks = summarise(observations)
    content = {"output": str(output), **validate.describe(observations, tasks)}
    shown = [*validate.show(observations, tasks), *validate.notes(observations.report)]
    emit(content, as_json=json, show=shown)
    wrote(output)
