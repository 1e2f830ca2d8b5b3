"""`t2 forecast`: a forecast written before the run, and its score afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Output, Samples, emit, grid, note, wrote
from t2scaling.errors import ArgumentError
from t2scaling.units import format_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.laws.registered import Registered


def command(
    source: Annotated[str, typer.Argument(help="With --register a fit.json, with --check the new measurements.")],
    register: Annotated[bool, typer.Option("--register", help="Write a forecast, to be scored later.")] = False,
    check: Annotated[Path | None, typer.Option("--check", help="The forecast.json to score.")] = None,
    N: Annotated[str | None, typer.Option("--n-params", "-N", help="Parameters, such as 7B or 1B,7B.")] = None,
    D: Annotated[str | None, typer.Option("--n-tokens", "-D", help="Training tokens, such as 2T.")] = None,
    k: Samples = "1",
    metric: Annotated[
        str | None, typer.Option(help="pass_at_k, neg_log_pass_at_k or loss.", show_default="what was fitted")
    ] = None,
    interval: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.9,
    stage: Annotated[str, typer.Option(help="Stage of the new runs: base, ft or sft.")] = "base",
    as_json: JsonFlag = False,
    output: Output = None,
) -> None:
    """Write a forecast before the run (law, data, predictions with intervals, date), or score one after it.

    t2 forecast fit.json --register -N 7B -D 2T -k 1,16 -o forecast.json

    t2 forecast new_runs.parquet --check forecast.json
    """
    if register == (check is not None):
        raise ArgumentError("say one of `register` (with a fit.json) and `check` (with the forecast to score).")
    if check is not None:
        _check(source, check, stage, as_json, output)
        return
    from t2scaling.laws import FitResult
    from t2scaling.laws.registered import register as make
    from t2scaling.laws.registered import save

    if N is None or D is None or output is None:
        raise ArgumentError("a forecast needs points, `n_params` and `n_tokens`, and a file, `output`.")
    found = make(
        FitResult.load(source), parse_numbers(N, "N"), parse_numbers(D, "D"), parse_numbers(k, "k"), metric, interval  # type: ignore[arg-type]
    )  # fmt: skip
    wrote(save(found, output))
    if found.predictions[0].low is None:
        note("without intervals: the fit has too few runs to judge itself on.")
    rows = [point.model_dump() for point in found.predictions]
    emit(found.model_dump(), as_json=as_json, show=[_table(found, rows)])


def _check(source: str, path: Path, stage: str, as_json: bool, output: Path | None) -> None:
    from t2scaling.laws.registered import check, load
    from t2scaling.observations import as_observations

    found = load(path)
    rows = check(found, as_observations(source).measurements(task=found.task, stage=stage))
    scored = [row for row in rows if row["runs"]]
    held = [row["held"] for row in scored if row["held"] is not None]
    off = [abs(row["predicted"] / row["measured"] - 1) for row in scored]
    content: dict[str, Any] = {
        "task": found.task, "metric": found.metric, "date": found.date, "level": found.level, "rows": rows,
        "scored": len(scored), "held": sum(held) / len(held) if held else None,
        "relative_error": sum(off) / len(off) if off else None,
    }  # fmt: skip
    emit(content, as_json=as_json, show=[_table(found, rows), _score(content)], output=output)


def _score(content: dict[str, Any]) -> str:
    if not content["scored"]:
        return "No run is within 5% in N and D of a point of the forecast."
    held = "" if content["held"] is None else f"; {content['held']:.0%} lie in the {content['level']:.0%} intervals"
    return (
        f"Forecast of {content['date']}: {content['scored']} of {len(content['rows'])} points measured, "
        f"{content['relative_error']:.1%} off on average{held}."
    )


def _table(found: Registered, rows: list[dict[str, Any]]) -> Table:
    measured, shown = "measured" in rows[0], []
    for row in rows:
        ends = "–" if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}"
        cells = [format_number(row[name]) for name in ("n_params", "n_tokens", "k")]
        cells += [f"{row['predicted' if measured else 'value']:.4g}", ends]
        shown.append([*cells, *([f"{row['measured']:.4g}" if row["runs"] else "–"] if measured else [])])
    head = ("N", "D", "k", "forecast", f"{found.level:.0%} interval", *(["measured"] if measured else []))
    return grid(f"{found.metric} · {found.task}", head, shown, left=0)
