"""`t2 next`: which runs to train next under a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, emit, grid, note, number_option, output_option, wrote
from t2scaling.units import format_flops, format_number, format_ratio

if TYPE_CHECKING:
    from rich.table import Table


def command(
    fit: Annotated[str, typer.Argument(help="A fit.json.")],
    train_flops: Annotated[float, number_option("FLOPs for all runs together, such as 1e20.", "--train-flops")],
    inference_flops: Annotated[
        float | None,
        number_option("FLOPs per token served: the k that the best run is judged at.", "--inference-flops"),
    ] = None,
    suite: Annotated[
        Path | None, typer.Option(help="The suite.json that was trained: makes the runs cells of a suite.")
    ] = None,
    as_json: JsonFlag = False,
    output: Annotated[
        Path | None, output_option("Where to write the runs; with --suite, a suite that `t2 study` takes.", ".json")
    ] = None,
) -> None:
    """The runs that would teach most: the best of the largest level affordable, then where the law is least sure."""
    from dataclasses import asdict

    from t2scaling.allocate.next_runs import next_runs
    from t2scaling.artefacts import write_json
    from t2scaling.laws import FitResult

    found = next_runs(FitResult.load(fit), train_flops, inference_flops)
    content: dict[str, Any] = {"train_flops": train_flops, "runs": [asdict(run) for run in found]}
    if suite is not None:
        from t2scaling.testbed.study.forecast import suite_of_runs
        from t2scaling.testbed.suite import Suite

        made, left_out = suite_of_runs(Suite.load(suite), [(run.n_params, run.train_flops) for run in found])
        for sentence in left_out:
            note(sentence)
        content["suite"] = made
    if output is not None:
        wrote(write_json(output, content.get("suite", content)))
    emit(content, as_json=as_json, show=[_table(content["runs"]), _how(suite, output)])


def _table(runs: list[dict[str, Any]]) -> Table:
    rows = []
    for run in runs:
        N, D = run["n_params"], run["n_tokens"]
        numbers = (format_number(N), format_number(D), format_ratio(D / N), format_flops(run["train_flops"]))
        rows.append((*numbers, run["why"]))
    table = grid("Runs to train next", ("N", "D", "D/N", "FLOPs", "why"), rows, left=0)
    table.columns[-1].justify = "left"
    return table


def _how(suite: Path | None, output: Path | None) -> str:
    if suite is None:
        return "With --suite suite.json -o next.json these become a suite that `t2 study` takes."
    return f"Train them by a study file with `suite: {{file: {output or 'next.json'}}}`."
