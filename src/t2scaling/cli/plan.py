"""`t2 plan`: the best N, D and k under a budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, Output, emit, number_option, warning, wrote
from t2scaling.errors import DataError
from t2scaling.units import format_flops, format_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.allocate import Allocation, Plan

Maybe = float | None
_METRICS = {"neg_log_pass_at_k": "−log pass@k", "pass_at_k": "pass@k", "loss": "loss"}


def command(
    fit: Annotated[
        str | None, typer.Argument(help="A fit.json, or the name of a published law such as pythia/gsm8k.")
    ] = None,
    law: Annotated[str | None, typer.Option("--law", help="A published law, instead of FIT.")] = None,
    train_flops: Annotated[Maybe, number_option("Training budget in FLOPs, 6·N·D.", "--train-flops")] = None,
    train_dollars: Annotated[Maybe, number_option("Training budget in dollars.", "--train-dollars")] = None,
    train_gpu_hours: Annotated[
        Maybe, number_option("Training budget in GPU-hours.", "--gpu-hours", "--train-gpu-hours")
    ] = None,
    inference_flops: Annotated[
        Maybe, number_option("Inference budget in FLOPs per token served, 2·N·k.", "--inference-flops")
    ] = None,
    serving_dollars: Annotated[
        Maybe, number_option("Inference budget in dollars for all tokens served.", "--serving-dollars")
    ] = None,
    total_flops: Annotated[
        Maybe, number_option("Lifetime budget in FLOPs: training and serving together.", "--total-flops")
    ] = None,
    total_dollars: Annotated[Maybe, number_option("Lifetime budget in dollars.", "--total-dollars")] = None,
    total_gpu_hours: Annotated[Maybe, number_option("Lifetime budget in GPU-hours.", "--total-gpu-hours")] = None,
    tokens_served: Annotated[
        Maybe, number_option("Answer tokens over the model's life; each is drawn k times.", "--tokens-served")
    ] = None,
    queries: Annotated[
        Maybe, number_option("Queries over the model's life, with --output-tokens.", "--queries")
    ] = None,
    output_tokens: Annotated[Maybe, number_option("Tokens of one answer.", "--output-tokens")] = None,
    gpu: Annotated[str, typer.Option(help="GPU that dollars and GPU-hours buy: a100, h100, h200, b200, …")] = "h100",
    price: Annotated[
        Maybe, number_option("Dollars per GPU-hour.", "--price", default_text="the GPU's price in the table")
    ] = None,
    utilisation: Annotated[float, typer.Option(help="Share of the GPU's peak reached in training.")] = 0.5,
    serve_gpu: Annotated[str | None, typer.Option(help="GPU that serves.", show_default="--gpu")] = None,
    serve_price: Annotated[
        Maybe, number_option("Dollars per GPU-hour of serving.", "--serve-price", default_text="--price")
    ] = None,
    serve_utilisation: Annotated[float, typer.Option(help="Share of the GPU's peak reached in serving.")] = 0.01,
    sizes: Annotated[str | None, typer.Option(help="Menu of sizes, such as 100M,300M,1B.")] = None,
    n_range: Annotated[str | None, typer.Option(help="Least and greatest size, such as 100M,7B.")] = None,
    max_tokens: Annotated[Maybe, number_option("Training tokens you have, such as 2T.", "--max-tokens")] = None,
    integer_k: Annotated[bool, typer.Option("--integer-k", help="Whole samples only.")] = False,
    level: Annotated[float, typer.Option(help="Level of the intervals, where the fit has a bootstrap.")] = 0.9,
    as_json: JsonFlag = False,
    output: Output = None,
) -> None:
    """Choose the model size N, training tokens D and samples per problem k under a budget.

    Give --train-flops with --inference-flops, or a lifetime budget: --total-flops with --tokens-served. Dollars and
    GPU-hours may stand in for FLOPs.
    """
    from t2scaling.allocate import Budget, plan
    from t2scaling.costs import Price
    from t2scaling.laws.published import load_law

    source = load_law(law_name(fit, law))
    budget = Budget.of(
        train_flops=train_flops,
        train_dollars=train_dollars,
        train_gpu_hours=train_gpu_hours,
        inference_flops=inference_flops,
        serving_dollars=serving_dollars,
        total_flops=total_flops,
        total_dollars=total_dollars,
        total_gpu_hours=total_gpu_hours,
        tokens_served=tokens_served,
        queries=queries,
        output_tokens=output_tokens,
        train=Price(gpu, price, utilisation),
        serve=Price(serve_gpu or gpu, serve_price if serve_gpu or serve_price else price, serve_utilisation),
    )
    result = plan(
        source,
        budget=budget,
        sizes=parse_numbers(sizes) if sizes else (),
        n_range=read_range(n_range),
        max_tokens=max_tokens,
        integer_k=integer_k,
        level=level,
    )
    if output is not None:
        result.save(output)
    emit(result.to_dict(), as_json=as_json, show=show(result))
    if output is not None and not as_json:
        wrote(output)


def law_name(fit: str | None, law: str | None) -> str:
    """FIT or --law, whichever is given."""
    if (fit is None) == (law is None):
        raise DataError("say what to plan with: either FIT (a fit.json) or `--law` NAME, such as --law pythia/gsm8k.")
    return fit or law or ""


def read_range(text: str | None) -> tuple[float, float] | None:
    """`100M,7B` as two numbers."""
    if text is None:
        return None
    numbers = parse_numbers(text)
    if len(numbers) != 2:
        raise ValueError(f"`--n-range` = {text} must be two sizes, such as 100M,7B.")
    return numbers[0], numbers[1]


def show(plan: Plan) -> list[Any]:
    """The plan for people: the sentence, a table, what to beware of."""
    from rich.markup import escape

    warnings = [warning(text) for text in plan.warnings]
    return [escape(plan.sentence()), table(plan), *_traffic(plan), *warnings]


def table(plan: Plan) -> Table:
    """Optimum and Chinchilla side by side, with intervals where there are any."""
    from rich.markup import escape
    from rich.table import Table

    from t2scaling.allocate.sentence import format_per_param, format_value

    grid = Table(title=f"{plan.law} law" + (f", {escape(plan.task)}" if plan.task else ""), title_justify="left")
    grid.add_column("")
    columns = ["optimum", f"{100 * plan.level:g}% interval", "Chinchilla"] if plan.level else ["optimum", "Chinchilla"]
    for column in columns:
        grid.add_column(column, justify="right")

    def value(number: float) -> str:
        return format_value(plan.metric, number)

    for label, name, write in (
        ("parameters N", "n_params", format_number),
        ("training tokens D", "n_tokens", format_number),
        ("tokens per parameter", "tokens_per_param", format_per_param),
        ("samples k", "k", format_number),
        (_METRICS[plan.metric], "value", value),
    ):
        cells = [_cell(plan.optimum, name, write), _cell(plan.chinchilla, name, write)]
        if plan.level:
            lo, hi = plan.interval[name]
            cells.insert(1, f"{write(lo)} to {write(hi)}")
        grid.add_row(label, *cells)
    if plan.metric != "pass_at_k" and not math.isnan(plan.optimum.pass_at_k):
        rates = [format_value("pass_at_k", at.pass_at_k) for at in (plan.optimum, plan.chinchilla)]
        grid.add_row("pass@k", rates[0], *([""] if plan.level else []), rates[1])
    for name, spent in plan.spend.items():
        label = name.replace("_", " ").replace("gpu", "GPU").replace("flops", "FLOPs")
        written = format_flops(spent) if "flops" in name else format_number(spent)
        grid.add_row(f"spends {label}", written, *[""] * (len(columns) - 1))
    return grid


def _cell(allocation: Allocation, name: str, write: Any) -> str:
    number = getattr(allocation, name)
    return "—" if math.isnan(number) else str(write(number))


def _traffic(plan: Plan) -> list[str]:
    """Where overtraining pays, and what traffic the plan suits best."""
    if plan.break_even is None:
        return []
    text = f"Overtraining pays from {format_number(plan.break_even)} tokens served"
    if plan.matched_tokens is None:
        return [f"{text}."]
    return [f"{text}; this plan is the cheapest way to its quality at {format_number(plan.matched_tokens)}."]
