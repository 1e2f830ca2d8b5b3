"""`t2 score`: pass@k, majority@k and the rest, per run and task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2scaling.cli.common import JsonFlag, Samples, emit, grid, output_option, wrote
from t2scaling.units import format_number, parse_numbers

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

_MOST_SHOWN = 60


def command(
    observations: Annotated[str, typer.Argument(help="A table or folder of observations, or a suite by name.")],
    k: Samples = "1,4,16,64",
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="oracle, all, at_least:tau=.75, majority, best_of, verifier:tpr=.9,fpr=.05; may be repeated.",
            show_default="oracle",
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(help="One task.", show_default="all")] = None,
    stage: Annotated[str | None, typer.Option(help="base, ft or sft.", show_default="all")] = None,
    level: Annotated[float, typer.Option(help="Level of the interval over questions.")] = 0.9,
    as_json: JsonFlag = False,
    output: Annotated[Path | None, output_option("Where to write the table.", ".csv", ".parquet", ".json")] = None,
) -> None:
    """Score every run with k samples per problem under one strategy or several, with intervals over questions."""
    from t2scaling.observations import as_observations
    from t2scaling.observations.score import score

    table = score(
        as_observations(observations),
        parse_numbers(k, "k"),
        strategy or ["oracle"],
        task=task,
        stage=stage,
        level=level,
    )
    if output is not None:
        wrote(_write(table, output))
    emit({"level": level, "rows": table.to_dicts()}, as_json=as_json, show=_show(table, level))


def _write(table: pl.DataFrame, path: Path) -> Path:
    from t2scaling.artefacts import write_json, write_with

    if path.suffix == ".json":
        return write_json(path, table.to_dicts())
    return write_with(path, table.write_parquet if path.suffix == ".parquet" else table.write_csv)


def _show(table: pl.DataFrame, level: float) -> list[Table | str]:
    keys = ["stage", "task", "run_id", "n_params", "n_tokens"]
    columns = table.select("strategy", "k").unique(maintain_order=True).rows()
    rows = []
    groups = table.partition_by(keys, maintain_order=True, as_dict=True)
    for (stage, task, run, N, D), part in list(groups.items())[:_MOST_SHOWN]:
        cells = {(row["strategy"], row["k"]): _cell(row["value"], row["high"], row["low"]) for row in part.to_dicts()}
        names = [str(name) for name in (stage, task, run)]
        rows.append([*names, format_number(N), format_number(D), *(cells[column] for column in columns)])
    head = ["stage", "task", "run", "N", "D", *(f"{label}, k = {samples:g}" for label, samples in columns)]
    shown = grid(f"mean over questions ± half the {level:.0%} interval", head, rows, left=3)
    left = len(groups) - _MOST_SHOWN
    if table["value"].null_count():
        shown.caption, shown.caption_justify = "—: some question has fewer than k samples", "left"
    return [shown, f"{left} more rows: write them all with `-o scores.csv`."] if left > 0 else [shown]


def _cell(value: float | None, high: float | None, low: float | None) -> str:
    if value is None or high is None or low is None:
        return "—"
    return f"{100 * value:.3g} ± {50 * (high - low):.2g} %"
