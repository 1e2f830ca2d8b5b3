"""`t2 predict`: what a fitted or published law says at given N, D and k."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Output, Samples, emit, grid
from t2scaling.cli.costing import StrategyName
from t2scaling.errors import ArgumentError
from t2scaling.units import format_number, format_ratio, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.strategies import Strategy

LEVEL = 0.9


def command(
    fit: Annotated[str, typer.Argument(help="A fit.json, or the name of a published law such as pythia/gsm8k.")],
    N: Annotated[str, typer.Option("--n-params", "-N", help="Parameters, such as 7B or 1B,7B,70B.")],
    D: Annotated[str, typer.Option("--n-tokens", "-D", help="Training tokens, such as 2T.")],
    k: Samples = "1",
    metric: Annotated[
        str | None,
        typer.Option(help="loss, neg_log_pass_at_k or pass_at_k.", show_default="what the law was fitted to"),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(help="Level of the interval, from forecasts of hidden runs.", show_default="0.9, if there is one"),
    ] = None,
    strategy: StrategyName = "oracle",
    as_json: JsonFlag = False,
    output: Output = None,
) -> None:
    """Predict a metric at N, D and k; every combination of the lists given.

    Points outside the range that the fit has seen are marked. Under a --strategy other than the oracle its value
    stands beside the pass@k that bounds it.
    """
    from t2scaling.laws.published import load_law
    from t2scaling.strategies import ORACLE, parse

    source: Any = load_law(fit)
    chosen = parse(strategy)
    if chosen != ORACLE and (metric or interval):
        given = "--metric" if metric else "--interval"
        raise ArgumentError(f"`{given}` is of pass@k and of losses: leave it out under `--strategy` {strategy}.")
    name = metric or (source.law.metric if chosen == ORACLE else chosen.label)
    quality = getattr(source, "quality", None)
    if interval is None and quality is not None and name in quality.spreads:
        interval = LEVEL
    rows = _rows(source, parse_numbers(N, "N"), parse_numbers(D, "D"), parse_numbers(k, "k"), metric, interval, chosen)
    content = {
        "law": source.law.name,
        "task": source.task,
        "metric": name,
        "interval": interval,
        "predictions": rows,
        "conventions": source.conventions,
        "warnings": list(source.warnings),
    }
    shown = [_table(source.task, name, rows, interval), *_notes(source, rows)]
    emit(content, as_json=as_json, show=shown, output=output)


def _rows(
    source: Any,
    sizes: list[float],
    tokens: list[float],
    counts: list[float],
    metric: Any,
    interval: float | None,
    strategy: Strategy,
) -> list[dict[str, Any]]:
    """One row per combination, in the order N, D, k; with the oracle's pass@k where the strategy is another."""
    import numpy as np

    from t2scaling.strategies import ORACLE

    for option, values in (("--n-params", sizes), ("--n-tokens", tokens)):
        if min(values) < 1:
            raise ArgumentError(f"`{option}` = {min(values):g} must be at least 1.")
    N, D, k = (part.ravel() for part in np.meshgrid(sizes, tokens, counts, indexing="ij"))
    oracle = None
    if strategy != ORACLE:
        value, oracle = source.law.under(strategy, N, D, k), source.law.predict(N, D, k, "pass_at_k")
        low = high = np.full(value.shape, np.nan)
    elif interval is None:
        value = source.predict(N, D, k, metric)
        low = high = np.full(value.shape, np.nan)
    else:
        value, low, high = source.predict(N, D, k, metric, interval=interval)
    outside = source.support.outside(N, D, k)
    names = ("n_params", "n_tokens", "k", "value", "low", "high", "outside_fitted_range")
    rows: list[dict[str, Any]] = [
        dict(zip(names, (*(float(x) for x in numbers), bool(flag)), strict=True))
        for *numbers, flag in zip(N, D, k, value, low, high, outside, strict=True)
    ]
    return rows if oracle is None else [row | {"oracle": float(x)} for row, x in zip(rows, oracle, strict=True)]


def _table(task: str, metric: str, rows: list[dict[str, Any]], level: float | None) -> Table:
    head = ["N", "D", "D/N", "k", metric, *(["oracle (pass@k)"] if "oracle" in rows[0] else [])]
    head += [""] if level is None else [f"{level:.0%} interval", ""]
    shown = []
    for row in rows:
        numbers = [format_number(row[name]) for name in ("n_params", "n_tokens")]
        cells = [*numbers, format_ratio(row["n_tokens"] / row["n_params"]), format_number(row["k"])]
        cells.append(f"{row['value']:.4g}")
        if "oracle" in row:
            cells.append(f"{row['oracle']:.4g}")
        if level is not None:
            cells.append(f"{row['low']:.4g} to {row['high']:.4g}")
        shown.append([*cells, "outside range" if row["outside_fitted_range"] else ""])
    return grid(task, head, shown, left=0)


def _notes(source: Any, rows: list[dict[str, Any]]) -> list[str]:
    from rich.markup import escape

    lines = []
    if any(row["outside_fitted_range"] for row in rows):
        named = {"N": "N", "D": "D", "tokens_per_param": "D/N", "k": "k"}
        seen = [
            f"{named[name]} {format_number(low)} to {format_number(high)}"
            for name, (low, high) in source.support.items()
            if name in named
        ]
        lines.append(f"The law was fitted on {', '.join(seen)}; beyond that it extrapolates.")
    return [escape("\n".join([*lines, *(f"Warning: {sentence}" for sentence in source.warnings)]))]
