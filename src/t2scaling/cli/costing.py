"""Options of budgets, costs, data and strategies that several verbs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import number_option
from t2scaling.errors import ArgumentError
from t2scaling.units import parse_number

if TYPE_CHECKING:
    from t2scaling.costs import CostModel, Price

CostName = Annotated[
    str | None,
    typer.Option(
        "--cost",
        help="What serving costs: paper (2·N·k), query, sardana, kinetics or serving.",
        show_default="serving where --prompt-tokens or another option of serving is given, else paper",
    ),
]
Maybe = float | None
TrainFlops = Annotated[Maybe, number_option("Training budget in FLOPs, 6·N·D.", "--train-flops")]
InferenceFlops = Annotated[
    Maybe, number_option("Inference budget in FLOPs per token served, 2·N·k.", "--inference-flops")
]
TotalFlops = Annotated[
    Maybe, number_option("Lifetime budget in FLOPs: training and serving together.", "--total-flops")
]
TokensServed = Annotated[
    Maybe, number_option("Answer tokens over the model's life; each is drawn k times.", "--tokens-served")
]
AnswerTokens = Annotated[Maybe, number_option("Tokens of one answer.", "--answer-tokens", "--output-tokens")]
Sizes = Annotated[str | None, typer.Option(help="Menu of sizes, such as 100M,300M,1B.")]
SizeRange = Annotated[str | None, typer.Option(help="Least and greatest size, such as 100M,7B.")]
MaxTokens = Annotated[Maybe, number_option("Most training tokens, such as 2T; see --unique-tokens.", "--max-tokens")]
WholeSamples = Annotated[bool, typer.Option("--integer-k", help="Whole samples only.")]
FitName = Annotated[str | None, typer.Argument(help="A fit.json, or the name of a published law such as pythia/gsm8k.")]
LawName = Annotated[str | None, typer.Option("--law", help="A published law, instead of FIT.")]
PromptTokens = Annotated[float | None, number_option("Tokens of a query's prompt.", "--prompt-tokens")]
Precision = Annotated[
    str | None, typer.Option(help="Of the served weights: bf16, fp8, int8, int4.", show_default="bf16")
]
Batch = Annotated[
    str | None,
    typer.Option(help="Sequences in flight on a replica: a number, or max (as many as fit).", show_default="max"),
]
Tp = Annotated[int | None, typer.Option(help="GPUs that hold one copy of the model.", show_default="1")]
ActiveFraction = Annotated[
    float | None,
    number_option(
        "Mixture of experts: the share of the stored parameters that a token uses; N counts those used.",
        "--active-fraction", default_text="1, dense",
    ),
]  # fmt: skip
UniqueTokens = Annotated[
    float | None, number_option("Distinct training tokens you have; they may be repeated.", "--unique-tokens")
]
StrategyName = Annotated[
    str,
    typer.Option("--strategy", help="What is done with k samples: oracle (pass@k), all, verifier:tpr=.9,fpr=.05, …"),
]


def cost_model(
    name: str | None,
    *,
    gpu: str,
    price: float | None = None,
    prompt_tokens: float | None = None,
    answer_tokens: float | None = None,
    precision: str | None = None,
    batch: str | None = None,
    tp: int | None = None,
    active_fraction: float | None = None,
    dollars: bool = False,
) -> CostModel:
    """The cost model that the options describe.

    dollars   whether serving is counted in dollars; in GPU-seconds otherwise
    """
    from t2scaling.costs import COSTS, PAPER, Serving
    from t2scaling.errors import unknown

    served = {"--prompt-tokens": prompt_tokens, "--precision": precision, "--batch": batch, "--tp": tp}
    served["--active-fraction"] = active_fraction
    given = [option for option, value in served.items() if value is not None]
    name = name or ("serving" if given else "paper")
    if name not in COSTS:
        raise unknown("cost", name, COSTS)
    if name == "paper":
        if given:
            raise ArgumentError(f"`{given[0]}` has no place in the paper's 2·N·k: leave `--cost` out, or name another.")
        return PAPER
    tokens: dict[str, Any] = {"prompt_tokens": prompt_tokens, "answer_tokens": answer_tokens}
    tokens = {key: value for key, value in tokens.items() if value is not None}
    if name != "serving":
        if len(tokens) < 2 or given[1:]:
            raise ArgumentError(f"`--cost` = {name} takes `--prompt-tokens` and `--answer-tokens`, both and no more.")
        model: CostModel = COSTS[name](**tokens)
        return model
    if active_fraction is not None and not 1e-6 <= active_fraction <= 1:
        raise ArgumentError(f"`--active-fraction` = {active_fraction:g} must lie in [1e-6, 1]: it is a share.")
    total = None if active_fraction is None else 1 / active_fraction
    if price is not None and not 1e-9 <= price <= 1e9:
        raise ArgumentError(f"`price` = {price:g} must be dollars for one GPU-hour, such as 2.5.")
    asked = batch if batch in (None, "max") else parse_number(batch)
    settings: dict[str, Any] = {"weights": precision, "tp": tp, "batch": asked, "total_per_active": total}
    settings = {key: value for key, value in settings.items() if value is not None}
    if dollars:
        settings |= {"unit": "dollars", "dollars_per_hour": price}
    return Serving(gpu=gpu, **tokens, **settings)


def serve_price_of(cost: CostModel, gpu: str, price: float | None, utilisation: float | None) -> Price | None:
    """What serving FLOPs cost; None where the share of the peak that is reached is not known."""
    from t2scaling.costs import Price

    counted = cost.name in ("serving", "sardana")
    if counted and utilisation is not None:
        raise ArgumentError(
            f"`--serve-utilisation` has no place beside the {cost.name} cost, which says itself what is reached."
        )
    return Price(gpu, price, utilisation or 1.0) if counted or utilisation is not None else None
