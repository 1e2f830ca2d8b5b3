"""`t2 backtest`: how far each law's forecasts of hidden runs were off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2scaling.cli.common import METRICS, JsonFlag, Stage, emit, grid, note, output_option, progress, wrote
from t2scaling.units import format_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.laws.backtest import Backtest


def command(
    observations: Annotated[str, typer.Argument(metavar="OBS", help="Table, folder of logs, or a shipped suite.")],
    law: Annotated[str, typer.Option(help="auto (the default laws and the nearest run), or names, as a,b,c.")] = "auto",
    axis: Annotated[
        str, typer.Option(help="What is hidden: overtrained, larger, longer, compute, samples, size; as a,b,c.")
    ] = "overtrained,larger,longer,compute",
    task: Annotated[str | None, typer.Option(help="Tasks, as a,b,c, or macro for the mean over tasks.")] = None,
    stage: Stage = "base",
    k: Annotated[
        str | None, typer.Option("--k", help="Samples per problem, such as 1,4,16.", show_default="as for t2 fit")
    ] = None,
    bound: Annotated[
        str | None, typer.Option(help="Value of the axis up to which runs are fitted, such as 1e20 or 200.")
    ] = None,
    quantile: Annotated[float | None, typer.Option(help="Share of the runs fitted.", show_default="0.65")] = None,
    inference_flops: Annotated[
        str | None,
        typer.Option(help="FLOPs per token served, as a,b,c: also judge the choice of a run in each hidden level."),
    ] = None,
    figure: Annotated[
        Path | None, output_option("Where to draw it.", ".svg", ".png", ".pdf", option="--figure")
    ] = None,
    as_json: JsonFlag = False,
    output: Annotated[Path | None, output_option("Where to write all rows.", ".csv", ".json")] = None,
) -> None:
    """Hide part of a suite, forecast it by each law, and say how far off that was and what the intervals held.

    The nearest run and a floor (the accuracy law fitted to the hidden runs themselves) stand beside the laws.
    """
    from t2scaling.api import backtest

    names, axes = law.split(","), axis.split(",")
    tasks = None if task is None else task if "," not in task else task.split(",")
    with progress("forecasting", total=None, quiet=as_json) as advance:
        found = backtest(
            observations, names, axis=axes, task=tasks, k=None if k is None else parse_numbers(k, "k"), stage=stage,
            quantile=quantile,
            bound=None if bound is None else parse_numbers(bound, "bound")[0],
            inference_flops=None if inference_flops is None else parse_numbers(inference_flops, "inference_flops"),
            advance=advance,
        )  # fmt: skip
    for sentence in found.notes:
        note(sentence)
    if output is not None:
        wrote(found.save(output))
    if figure is not None:
        found.plot().savefig(figure)
        wrote(figure)
    emit(found.to_dict(), as_json=as_json, show=[_table(found), *_decisions(found), LEGEND])


LEGEND = (
    "relative: mean |forecast − measured| / measured over hidden points (of −log pass@k above 0.02 nats); bias: on "
    "logit pass@k or the log of a loss, above 0 is too high; within: % of hidden points that the 50, 80 and 90% "
    "intervals hold. −log pass@k is the mean of −log for the laws marked *, and −log of the mean for the others."
)


def _table(found: Backtest) -> Table:
    of_each = {row["law"] for row in found.rows if row["target"] == "mean_neg_log"}
    rows = []
    for row in found.table:
        star = "*" if row["metric"] == "neg_log_pass_at_k" and row["law"] in of_each else ""
        held = " ".join(f"{100 * row[f'covered_{level}']:.0f}" for level in (50, 80, 90))
        errors = (_percent(row["relative"]), format_number(row["absolute"]), f"{row['bias']:+.2f}")
        names = (METRICS[row["metric"]], row["law"] + star, str(row["splits"]))
        rows.append((*names, *errors, held.replace("nan nan nan", "–")))
    head = ("metric", "law", "splits", "relative", "absolute", "bias", "within 50/80/90%")
    return grid("Forecasts of hidden runs, means over splits", head, rows, left=2)


def _decisions(found: Backtest) -> list[Table]:
    rows = []
    for law in dict.fromkeys(row["law"] for row in found.decisions):
        lost = [row["regret"] for row in found.decisions if row["law"] == law]
        near = sum(value <= 0.01 for value in lost) / len(lost)
        rows.append((law, str(len(lost)), f"{100 * sum(lost) / len(lost):.2f}", _percent(near)))
    head = ("law", "decisions", "mean regret, points of pass@k", "within one point")
    return [grid("Choice of a run in each hidden level of compute", head, rows)] if rows else []


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%" if value == value else "–"
