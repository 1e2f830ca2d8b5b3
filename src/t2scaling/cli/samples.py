"""`t2 samples`: pass@k beyond the samples drawn, and how many samples a stated error takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Output, Samples, Seed, Stage, emit, grid
from t2scaling.units import format_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table


def command(
    observations: Annotated[str, typer.Argument(metavar="OBS", help="Table with n_samples and n_correct, or logs.")],
    k: Samples = "1,10,100,1000",
    error: Annotated[
        float | None,
        typer.Option(help="Relative error, such as 0.05: how many samples per question the last k would take."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="Task, where there are several.")] = None,
    stage: Stage = "base",
    seed: Seed = 0,
    as_json: JsonFlag = False,
    output: Output = None,
) -> None:
    """Show pass@k of every run, beyond the samples drawn by a zero-inflated beta-binomial, and marked where so."""
    import numpy as np

    from t2scaling.laws.samples import more_samples, samples_needed
    from t2scaling.observations import as_observations

    measured = as_observations(observations).measurements(task=task, stage=stage)
    found = more_samples(measured, parse_numbers(k, "k"))
    needed = None if error is None else samples_needed(measured, found.k[-1], error, np.random.default_rng(seed))
    rows = [
        {
            "run_id": run, "share_never_solved": float(found.share[i]), "needed": None if needed is None else needed[i],
            "pass_at_k": [
                {"k": float(at), "value": float(found.pass_at_k[i, j]), "extrapolated": bool(found.extrapolated[i, j])}
                for j, at in enumerate(found.k)
            ],
        }
        for i, run in enumerate(found.run_id)
    ]  # fmt: skip
    content = {"task": measured.task, "error": error, "runs": rows}
    shown = [_table(content), "~ beyond the samples drawn: extrapolated."]
    emit(content, as_json=as_json, show=shown, output=output)


def _table(content: dict[str, Any]) -> Table:
    head = ["run", *(f"pass@{format_number(cell['k'])}" for cell in content["runs"][0]["pass_at_k"])]
    head += [] if content["error"] is None else [f"samples for ±{content['error']:.0%}"]
    rows = []
    for row in content["runs"]:
        cells = [f"{'~' if cell['extrapolated'] else ''}{cell['value']:.3g}" for cell in row["pass_at_k"]]
        if row["needed"] is not None:
            cells.append(format_number(row["needed"]) if row["needed"] < float("inf") else "over 1M")
        rows.append([row["run_id"], *cells])
    return grid(content["task"], head, rows)
