"""`t2 plan`: the best N, D and k under a budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli import costing
from t2scaling.cli.common import METRICS, JsonFlag, Output, as_options, emit, number_option, warning, wrote
from t2scaling.cli.costing import Maybe
from t2scaling.errors import DataError
from t2scaling.units import format_flops, format_number, parse_numbers

if TYPE_CHECKING:
    from rich.table import Table

    from t2scaling.allocate import Allocation, Plan


def command(
    fits: Annotated[
        list[str] | None,
        typer.Argument(
            help="A fit.json, or the name of a published law such as pythia/gsm8k; several make a mix of tasks.",
            metavar="[FIT...]",
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Weight of each FIT's task, such as 2,1.", show_default="equal")
    ] = None,
    law: costing.LawName = None,
    train_flops: costing.TrainFlops = None,
    train_dollars: Annotated[Maybe, number_option("Training budget in dollars.", "--train-dollars")] = None,
    train_gpu_hours: Annotated[
        Maybe, number_option("Training budget in GPU-hours.", "--gpu-hours", "--train-gpu-hours")
    ] = None,
    inference_flops: costing.InferenceFlops = None,
    serving_dollars: Annotated[
        Maybe, number_option("Inference budget in dollars for all tokens served.", "--serving-dollars")
    ] = None,
    serve_budget: Annotated[
        Maybe, number_option("Budget per query in GPU-seconds, or the unit of --cost.", "--serve-budget", positive=True)
    ] = None,
    query_dollars: Annotated[
        Maybe, number_option("Budget per query in dollars.", "--query-dollars", positive=True)
    ] = None,
    total_flops: costing.TotalFlops = None,
    total_dollars: Annotated[Maybe, number_option("Lifetime budget in dollars.", "--total-dollars")] = None,
    total_gpu_hours: Annotated[Maybe, number_option("Lifetime budget in GPU-hours.", "--total-gpu-hours")] = None,
    tokens_served: costing.TokensServed = None,
    queries: Annotated[
        Maybe, number_option("Queries over the model's life, with --output-tokens.", "--queries")
    ] = None,
    output_tokens: costing.AnswerTokens = None,
    cost: costing.CostName = None,
    prompt_tokens: costing.PromptTokens = None,
    precision: costing.Precision = None,
    batch: costing.Batch = None,
    tp: costing.Tp = None,
    active_fraction: costing.ActiveFraction = None,
    strategy: costing.StrategyName = "oracle",
    gpu: Annotated[str, typer.Option(help="GPU that dollars and GPU-hours buy: a100, h100, h200, b200, …")] = "h100",
    price: Annotated[
        Maybe, number_option("Dollars per GPU-hour.", "--price", default_text="the GPU's price in the table")
    ] = None,
    utilisation: Annotated[float, typer.Option(help="Share of the GPU's peak reached in training.")] = 0.5,
    serve_gpu: Annotated[str | None, typer.Option(help="GPU that serves.", show_default="--gpu")] = None,
    serve_price: Annotated[
        Maybe, number_option("Dollars per GPU-hour of serving.", "--serve-price", default_text="--price")
    ] = None,
    serve_utilisation: Annotated[
        float | None,
        typer.Option(
            help="Share of the GPU's peak reached in serving, for money under 2·N·k.",
            show_default="none: give it, or --prompt-tokens for the roofline",
        ),
    ] = None,
    sizes: costing.Sizes = None,
    n_range: costing.SizeRange = None,
    max_tokens: costing.MaxTokens = None,
    unique_tokens: costing.UniqueTokens = None,
    integer_k: costing.WholeSamples = False,
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Give the law's own optimum however far it lies from the data.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Refit to shorter ranges of k too, to see how far they move the plan.")
    ] = False,
    observations: Annotated[
        str | None, typer.Option(help="The measurements behind FIT: refits to each of their tasks alone, too.")
    ] = None,
    level: Annotated[float, typer.Option(help="Level of the intervals, where the fit has a bootstrap.")] = 0.9,
    as_json: JsonFlag = False,
    output: Output = None,
) -> None:
    """Choose the model size N, training tokens D and samples per problem k under a budget.

    Give --train-flops with --inference-flops, or a lifetime budget: --total-flops with --tokens-served. Dollars and
    GPU-hours may stand in for FLOPs. With --prompt-tokens serving is costed per query on --gpu: give --serve-budget
    or --query-dollars, or a lifetime budget with --queries.
    """
    from t2scaling.allocate import Budget, plan
    from t2scaling.costs import Price

    source = _source(fits or [], law, weights)
    serve_price = serve_price if serve_gpu or serve_price else price
    model = costing.cost_model(
        cost,
        gpu=serve_gpu or gpu,
        price=serve_price,
        prompt_tokens=prompt_tokens,
        answer_tokens=output_tokens,
        precision=precision,
        batch=batch,
        tp=tp,
        active_fraction=active_fraction,
        dollars=any(value is not None for value in (query_dollars, serving_dollars, total_dollars)),
    )
    budget = Budget.of(
        train_flops=train_flops,
        train_dollars=train_dollars,
        train_gpu_hours=train_gpu_hours,
        inference_flops=inference_flops,
        serve_budget=serve_budget if query_dollars is None else query_dollars,
        serving_dollars=serving_dollars,
        total_flops=total_flops,
        total_dollars=total_dollars,
        total_gpu_hours=total_gpu_hours,
        tokens_served=tokens_served,
        queries=queries,
        output_tokens=output_tokens,
        train=Price(gpu, price, utilisation),
        serve=costing.serve_price_of(model, serve_gpu or gpu, serve_price, serve_utilisation),
        cost=model,
    )
    result = plan(
        source,
        budget=budget,
        sizes=sizes or (),
        n_range=n_range,
        max_tokens=max_tokens,
        unique_tokens=unique_tokens,
        integer_k=integer_k,
        cost=model,
        strategy=strategy,
        level=level,
        extrapolate=extrapolate,
        refit=refit,
        tasks=() if observations is None else _tasks(observations),
    )
    if output is not None:
        result.save(output)
    emit(result.to_dict(), as_json=as_json, show=show(result))
    if output is not None and not as_json:
        wrote(output)


def _source(fits: list[str], law: str | None, weights: str | None) -> Any:
    """The law to plan with: one, or a mix over tasks."""
    from t2scaling.allocate import mix
    from t2scaling.laws import load_law

    if len(fits) > 1 and law is None:
        return mix(fits, parse_numbers(weights, "weights") if weights else None)
    if len(fits) > 1 or weights:
        raise DataError(
            "`--weights` and several FITs plan for a mix of tasks: give a fit.json of each task, and no --law."
        )
    return load_law(law_name(fits[0] if fits else None, law))


def _tasks(source: str) -> list[Any]:
    """The measurements of each task of a table or suite."""
    from t2scaling.observations import read

    found = read(source)
    return [found.measurements(task) for task in found.tasks]


def law_name(fit: str | None, law: str | None) -> str:
    """FIT or --law, whichever is given."""
    if (fit is None) == (law is None):
        raise DataError("say what to plan with: either FIT (a fit.json) or `--law` NAME, such as --law pythia/gsm8k.")
    return fit or law or ""


def show(plan: Plan) -> list[Any]:
    """The plan for people: the sentence, a table, what is known of it, what to beware of."""
    from rich.markup import escape

    from t2scaling.allocate.words import evidence_lines

    warnings = [warning(text) for text in plan.warnings]
    known = [escape(line) for line in (*evidence_lines(plan), *_traffic(plan))]
    return [escape(as_options(plan.sentence())), table(plan), *known, *warnings]


def table(plan: Plan) -> Table:
    """Optimum, the best within the data, and Chinchilla side by side, with intervals where there are any."""
    from rich.markup import escape
    from rich.table import Table

    from t2scaling.allocate.sentence import format_per_param, format_value

    shown = {"optimum": plan.optimum}
    if plan.within_data is not None and plan.status in ("outside the data", "no optimum"):
        shown["within the data"] = plan.within_data
    shown["Chinchilla"] = plan.chinchilla
    grid = Table(title=f"{plan.law} law" + (f", {escape(plan.task)}" if plan.task else ""), title_justify="left")
    columns = list(shown)
    if plan.level:
        columns.insert(1, f"{100 * plan.level:g}% interval")
    for column in ["", *columns]:
        grid.add_column(column, justify="right" if column else "left")

    def value(number: float) -> str:
        return format_value(plan.metric, number)

    for label, name, write in (
        ("parameters N", "n_params", format_number),
        ("training tokens D", "n_tokens", format_number),
        ("tokens per parameter", "tokens_per_param", format_per_param),
        ("samples k", "k", format_number),
        (METRICS.get(plan.metric, plan.metric), "value", value),
    ):
        cells = [_cell(one, name, write) for one in shown.values()]
        if plan.level:
            lo, hi = plan.interval[name]
            cells.insert(1, f"{write(lo)} to {write(hi)}")
        grid.add_row(label, *cells)
    if plan.metric != "pass_at_k" and not math.isnan(plan.chinchilla.pass_at_k + plan.optimum.pass_at_k):
        rates = [format_value("pass_at_k", one.pass_at_k) for one in shown.values()]
        grid.add_row("pass@k", rates[0], *([""] if plan.level else []), *rates[1:])
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
    unit = "queries" if "query" in plan.cost.serve_unit else "tokens served"
    text = f"Overtraining pays from {format_number(plan.break_even)} {unit}"
    if plan.matched_tokens is None:
        return [f"{text}."]
    return [f"{text}; this plan is the cheapest way to its quality at {format_number(plan.matched_tokens)}."]
