"""`t2 frontier`: optima along many budgets."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli import costing
from t2scaling.cli.common import JsonFlag, as_options, emit, note, output_option, wrote
from t2scaling.cli.plan import law_name
from t2scaling.errors import ArgumentError
from t2scaling.units import format_flops, format_number, named_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.allocate import Frontier

_MOST_ROWS = 25
_MOST_BUDGETS = 100_000
_METRICS = {"neg_log_pass_at_k": "−log pass@k in nats", "pass_at_k": "mean pass@k", "loss": "loss in nats"}


def command(
    fit: costing.FitName = None,
    law: costing.LawName = None,
    train_flops: Annotated[
        str, typer.Option(help="Training budgets in FLOPs: from:to:how many (log-spaced), or a list 1e19,1e20.")
    ] = "1e17:1e25:33",
    inference_flops: Annotated[
        str | None,
        typer.Option(help="Inference budgets in FLOPs per token served (or the unit of --cost), likewise; all pairs."),
    ] = None,
    sizes: costing.Sizes = None,
    n_range: costing.SizeRange = None,
    max_tokens: costing.MaxTokens = None,
    unique_tokens: costing.UniqueTokens = None,
    integer_k: costing.WholeSamples = False,
    cost: costing.CostName = None,
    gpu: Annotated[str, typer.Option(help="GPU that serves, where --cost is serving.")] = "h100",
    prompt_tokens: costing.PromptTokens = None,
    answer_tokens: costing.AnswerTokens = None,
    precision: costing.Precision = None,
    batch: costing.Batch = None,
    tp: costing.Tp = None,
    active_fraction: costing.ActiveFraction = None,
    strategy: costing.StrategyName = "oracle",
    as_json: JsonFlag = False,
    output: Annotated[Path | None, output_option("Where to write all budgets.", ".csv", ".json")] = None,
) -> None:
    """Optima and Chinchilla's allocations along many budgets, as a table or (with -o) as CSV or JSON."""
    import numpy as np

    from t2scaling.allocate import frontier
    from t2scaling.laws.published import load_law

    training = read_grid("--train-flops", train_flops)
    inference = read_grid("--inference-flops", inference_flops) if inference_flops else [np.inf]
    if len(training) * len(inference) > _MOST_BUDGETS:
        raise ArgumentError(
            f"`--train-flops` and `--inference-flops` make {len(training) * len(inference):,} pairs of budgets: "
            f"ask for {_MOST_BUDGETS:,} at most."
        )
    source = load_law(law_name(fit, law))
    result = frontier(
        source,
        train_flops=np.tile(training, len(inference)),
        inference_flops=np.repeat(inference, len(training)),
        sizes=sizes or (),
        n_range=n_range,
        max_tokens=max_tokens,
        unique_tokens=unique_tokens,
        integer_k=integer_k,
        cost=costing.cost_model(
            cost,
            gpu=gpu,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            precision=precision,
            batch=batch,
            tp=tp,
            active_fraction=active_fraction,
        ),
        strategy=strategy,
    )
    if output is not None:
        result.save(output)
    emit(result.to_dict(), as_json=as_json, show=None if output is not None else table(result))
    if not as_json:
        for warning in result.warnings:
            note(f"! {as_options(warning)}")
        if output is not None:
            wrote(output)


def read_grid(name: str, text: str) -> list[float]:
    """`1e17:1e25:50` as log-spaced budgets, or a comma-separated list."""
    if ":" not in text:
        return parse_numbers(text, name)
    parts = text.split(":")
    if len(parts) != 3:
        raise ArgumentError(f"`{name}` = {text} is no range: write from:to:how many, such as 1e17:1e25:50.")
    lo, hi, count = (named_number(name, part) or 0.0 for part in parts)
    if not (0 < lo <= hi and count >= 2 and count == int(count)):
        raise ArgumentError(f"`{name}` = {text}: both ends must be positive, the smaller first, and 2 points or more.")
    if count > _MOST_BUDGETS:
        raise ArgumentError(f"`{name}` = {text} asks for {count:,.0f} budgets: {_MOST_BUDGETS:,} are the most.")
    ratio = (hi / lo) ** (1 / (int(count) - 1))
    return [*(lo * ratio**i for i in range(int(count) - 1)), hi]


def table(frontier: Frontier) -> Table:
    """At most 25 budgets, evenly chosen, for people."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from t2scaling.allocate.frontier import evenly

    total = len(frontier.k)
    shown = evenly(total, _MOST_ROWS)
    notes = [f"{len(shown)} of {total} budgets; -o writes them all"] if len(shown) < total else []
    notes += ["* outside what the law was fitted on"] if frontier.outside.any() else []
    notes += ["_c is Chinchilla's"] if frontier.metric != "loss" else []
    task = f", {escape(frontier.task)}" if frontier.task else ""
    grid = Table(
        title=f"{frontier.law} law{task}: {_METRICS.get(frontier.metric, frontier.metric)}",
        caption="; ".join(notes) or None,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    columns = _columns(frontier)
    for name in columns:
        grid.add_column(name, justify="right")
    for i in shown:
        grid.add_row(*(write(i) for write in columns.values()), style="dim" if frontier.outside[i] else None)
    return grid


def _columns(frontier: Frontier) -> dict[str, Callable[[int], str]]:
    """Heading → how row i is written. An inference budget that never changes, or is none, takes no column."""

    def written(values: Any, write: Callable[[float], str] = format_number) -> Callable[[int], str]:
        return lambda i: "—" if math.isnan(values[i]) else write(float(values[i]))

    value = "pass@k" if frontier.metric == "pass_at_k" else "nats"
    marked = written(frontier.train_flops, format_flops)
    columns = {"C": lambda i: marked(i) + ("*" if frontier.outside[i] else "")}
    if len(set(frontier.inference_flops.tolist())) > 1:
        columns["C_inf"] = written(frontier.inference_flops, format_flops)
    columns |= {
        "N": written(frontier.n_params),
        "D": written(frontier.n_tokens),
        "D/N": written(frontier.tokens_per_param),
    }
    if math.isfinite(frontier.unique_tokens):
        columns["epochs"] = written(frontier.epochs, "{:.3g}".format)
    if frontier.metric == "loss":
        return columns | {value: written(frontier.value, "{:.4g}".format)}
    return columns | {
        "k": written(frontier.k),
        value: written(frontier.value, "{:.4g}".format),
        "N_c": written(frontier.chinchilla_n_params),
        "k_c": written(frontier.chinchilla_k),
        f"{value}_c": written(frontier.chinchilla_value, "{:.4g}".format),
    }
