"""Budgets: two (training, and per token or query served) or one for the whole life of a model.

FLOPs are what the laws know. `Budget.of` reads dollars and GPU-hours too, through one `Price` for training and one
for serving. In a lifetime budget the two differ, so a unit of serving weighs as many training FLOPs as it costs more:
    train(N, D) + weight·serve(N, k)·tokens_served = total_flops      (Sardana et al. 2024, arXiv 2401.00448)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from t2scaling.allocate.allocation import Allocation
from t2scaling.allocate.limits import LEAST_PARAMS, LEAST_TOKENS, Limits
from t2scaling.allocate.problem import Lifetime, Problem, TwoBudgets
from t2scaling.costs import PAPER, CostModel, Price, train_flops
from t2scaling.errors import ArgumentError
from t2scaling.units import format_flops, named_number

# The largest training run until 2025 took about 5e26 FLOPs (Epoch AI): what is over a hundred times that is a slip.
_MOST_FLOPS = 1e29
_LEAST_FLOPS = float(train_flops(LEAST_PARAMS, LEAST_TOKENS))


@dataclass(frozen=True)
class Budget:
    """What may be spent: `train_flops` with `inference_flops`, or `total_flops` with `tokens_served`.

    train_flops      6·N·D
    inference_flops  2·N·k per token served
    serve_budget     instead of it under a cost model of its own: per query, in that model's unit of serving
    total_flops      training and serving together, in training FLOPs
    tokens_served    tokens of answers over the model's life (or queries, where serving is paid per query), each drawn
                     k times
    serving_weight   training FLOPs that one unit of serving costs as much as
    train, serve     the prices behind numbers that were given as money or GPU-hours
    given            those numbers, as given
    """

    train_flops: float | None = None
    inference_flops: float | None = None
    total_flops: float | None = None
    tokens_served: float | None = None
    serve_budget: float | None = None
    serving_weight: float = 1.0
    train: Price | None = None
    serve: Price | None = None
    given: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train_flops", "inference_flops", "total_flops", "tokens_served", "serve_budget"):
            object.__setattr__(self, name, named_number(name, getattr(self, name)))
        for one in fields(self)[:6]:
            _check_positive(one.name, getattr(self, one.name))
        for name in ("train_flops", "total_flops", "inference_flops", "tokens_served", "serve_budget"):
            check_sensible(name, getattr(self, name))
        per_token = self.inference_flops is not None or self.serve_budget is not None
        if (self.train_flops is None) == (self.total_flops is None):
            raise ArgumentError(
                "say either `train_flops` (with `inference_flops` per token served) or `total_flops` (with "
                "`tokens_served`, for training and serving together), not both and not neither."
            )
        if self.inference_flops is not None and self.serve_budget is not None:
            raise ArgumentError("`inference_flops` and `serve_budget` say the same thing: give one.")
        if self.total_flops is not None and (self.tokens_served is None or per_token):
            raise ArgumentError(
                "`total_flops` pays for training and serving: give `tokens_served` with it, and not `inference_flops`."
            )

    @classmethod
    def of(
        cls,
        *,
        train_flops: float | None = None,
        train_dollars: float | None = None,
        train_gpu_hours: float | None = None,
        inference_flops: float | None = None,
        serve_budget: float | None = None,
        serving_dollars: float | None = None,
        total_flops: float | None = None,
        total_dollars: float | None = None,
        total_gpu_hours: float | None = None,
        tokens_served: float | None = None,
        queries: float | None = None,
        output_tokens: float | None = None,
        train: Price | None = None,
        serve: Price | None = None,
        cost: CostModel = PAPER,
    ) -> Budget:
        """A budget from FLOPs, dollars or GPU-hours.

        serving_dollars         what serving all `tokens_served` may cost; becomes `inference_flops` per token, or
                                `serve_budget` per query where `cost` counts dollars
        queries, output_tokens  tokens_served = queries · output_tokens, where that is easier to say; queries alone
                                under a cost model that counts per query
        train                   price of training; H100 at the table's price and half its peak where none is given
        serve                   price of serving, for money under a cost in FLOPs: nobody else knows the share of its
                                peak that a GPU reaches in decoding (a `Serving` cost model counts it itself)
        cost                    the cost model that the plan will be made with
        Raises ArgumentError if a budget is given twice, or lacks its other half.
        """
        priced = {name: value for name, value in locals().items() if name.endswith(("_dollars", "_gpu_hours"))}
        given = {name: float(value) for name, value in priced.items() if value is not None}
        for name, value in given.items():
            _check_positive(name, value)
        train = train or Price()
        served = queries if per_query(cost) else _tokens_served(tokens_served, queries, output_tokens)
        total = _one("total", total_flops, total_dollars, total_gpu_hours, train)
        if per_query(cost):
            serve_budget = _per_query(serve_budget, serving_dollars, queries, cost)
        else:
            inference_flops = _per_token(inference_flops, serving_dollars, served, serve)
        return cls(
            train_flops=_one("train", train_flops, train_dollars, train_gpu_hours, train),
            inference_flops=inference_flops,
            serve_budget=serve_budget,
            total_flops=total,
            tokens_served=served,
            serving_weight=_weight(total_dollars, total_gpu_hours, train, serve, cost),
            train=train if given else None,
            serve=serve if given and not per_query(cost) else None,
            given=given,
        )

    def problem(self, limits: Limits, needs_samples: bool = True, cost: CostModel = PAPER) -> Problem:
        """The problem to solve. Raises ArgumentError if the law draws samples and nothing says what they may cost."""
        if self.total_flops is not None and self.tokens_served is not None:
            served = np.array([self.tokens_served * self.serving_weight])
            return Lifetime(np.array([float(self.total_flops)]), served, limits, cost)
        per_token = self.serve_budget if per_query(cost) else self.inference_flops
        if per_token is None and needs_samples:
            raise ArgumentError(_missing(cost))
        inference = math.inf if per_token is None else float(per_token)
        return TwoBudgets(np.array([self.train_flops], dtype=float), np.array([inference]), limits, cost)

    def spend(self, choice: Allocation, cost: CostModel = PAPER) -> dict[str, float]:
        """What an allocation spends: FLOPs, and dollars and GPU-hours where there are prices."""
        if not choice.exists:
            return {}
        spent = {"train_flops": float(cost.train(choice.n_params, choice.n_tokens))}
        if self.train is not None:
            spent["train_gpu_hours"] = self.train.gpu_hours(choice.train_flops)
            if self.train.has_price:
                spent["train_dollars"] = self.train.dollars(choice.train_flops)
        if not choice.k >= 1:
            return spent
        serving = float(cost.serve(choice.n_params, choice.k))
        spent["inference_flops" if cost == PAPER else cost.serve_unit.replace(" ", "_").lower()] = serving
        if self.serve is not None and self.tokens_served is not None:
            spent["serving_gpu_hours"] = self.serve.gpu_hours(serving * self.tokens_served)
            if self.serve.has_price:
                spent["serving_dollars"] = self.serve.dollars(serving * self.tokens_served)
        return spent

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for plan.json."""
        numbers = {one.name: getattr(self, one.name) for one in fields(self)[:5]}
        content: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
        if self.given or self.serving_weight != 1:
            content |= {**self.given, "serving_weight": self.serving_weight}
        for name, price in {"train": self.train, "serve": self.serve}.items():
            if price is not None:
                content[name] = price.to_dict()
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Budget:
        """The budget that `to_dict` described: its numbers and prices."""
        numbers = {one.name: content[one.name] for one in fields(cls)[:6] if one.name in content}
        prices: dict[str, Any] = {name: _price(content[name]) for name in ("train", "serve") if name in content}
        given = {name: float(value) for name, value in content.items() if name.endswith(("_dollars", "_gpu_hours"))}
        return cls(**numbers, **prices, given=given)


def per_query(cost: CostModel) -> bool:
    """Whether a cost model counts serving per query, not in FLOPs per token served."""
    return "query" in cost.serve_unit


def _price(content: dict[str, Any]) -> Price:
    return Price(content["gpu"], content["dollars_per_hour"], content["utilisation"], content["precision"])


def _missing(cost: CostModel) -> str:
    if per_query(cost):
        return f"`serve_budget` is missing: this law draws samples, so say what they may cost, in {cost.serve_unit}."
    return (
        "`inference_flops` is missing: this law draws samples, so say what one token served may cost "
        "(2·N·k FLOPs), such as 2e9."
    )


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ArgumentError(f"`{name}` = {value:g} must be a positive, finite number.")


def check_sensible(name: str, value: float | None) -> None:
    """Raise ArgumentError for FLOPs that no training run has, and for more than anybody could spend or serve."""
    trains = name in ("train_flops", "total_flops")
    if value is None or (_LEAST_FLOPS if trains else 0) <= value <= _MOST_FLOPS:
        return
    reason = f"trains not even {LEAST_PARAMS:,.0f} parameters on {LEAST_TOKENS:,.0f} tokens"
    if value > _MOST_FLOPS:
        reason = "is over a hundred times the largest training run so far (about 5e26)"
        reason = reason if trains else f"is beyond all reason (above {format_flops(_MOST_FLOPS)})"
    such = {"inference_flops": "FLOPs per token such as 2e9", "tokens_served": "tokens such as 1T"}
    such["serve_budget"] = "what one query may cost"
    raise ArgumentError(f"`{name}` = {format_flops(value)} {reason}: give {such.get(name, 'FLOPs such as 1e21')}.")


def _one(name: str, flops: float | None, dollars: float | None, hours: float | None, price: Price) -> float | None:
    """FLOPs from whichever of FLOPs, dollars and GPU-hours is given."""
    if sum(value is not None for value in (flops, dollars, hours)) > 1:
        raise ArgumentError(f"`{name}_flops`, `{name}_dollars` and `{name}_gpu_hours` say the same thing: give one.")
    if dollars is not None:
        return dollars * price.flops_per_dollar
    if hours is not None:
        return hours * price.flops_per_gpu_hour
    return flops


def _weight(dollars: float | None, hours: float | None, train: Price, serve: Price | None, cost: CostModel) -> float:
    """What a unit of serving weighs in training FLOPs, in a lifetime budget of dollars or GPU-hours."""
    if "dollars" in cost.serve_unit:
        return train.flops_per_dollar
    if "GPU-seconds" in cost.serve_unit:
        return train.flops_per_gpu_hour / 3600
    if dollars is None and hours is None:
        return 1.0
    # FLOPs "of peak" are divided by what is reached already.
    reached = replace(serve or train, utilisation=1.0) if "of peak" in cost.serve_unit else _known(serve)
    if dollars is not None:
        return train.flops_per_dollar / reached.flops_per_dollar
    return train.flops_per_gpu_hour / reached.flops_per_gpu_hour


def _known(serve: Price | None) -> Price:
    """The price of serving. Raises ArgumentError where there is none, and money has to be turned into FLOPs by it."""
    if serve is None:
        raise ArgumentError(
            "`serve_utilisation` is missing: to turn money or GPU-hours of serving into FLOPs say the share of its "
            "peak that the GPU reaches (about 0.01 at one to four sequences in flight, 0.1 to 0.3 at a full batch), or "
            "let the roofline say it: give `prompt_tokens`, `answer_tokens` and `queries`."
        )
    return serve


def _per_token(flops: float | None, dollars: float | None, tokens: float | None, serve: Price | None) -> float | None:
    """FLOPs per token served from a bill for all tokens."""
    if dollars is None:
        return flops
    if flops is not None:
        raise ArgumentError("`inference_flops` and `serving_dollars` say the same thing: give one.")
    if tokens is None:
        raise ArgumentError(
            "`serving_dollars` needs `tokens_served` (or `queries` and `output_tokens`) to be shared over."
        )
    return dollars * _known(serve).flops_per_dollar / tokens


def _per_query(budget: float | None, dollars: float | None, queries: float | None, cost: CostModel) -> float | None:
    """The cost model's unit per query from a bill in dollars for all queries."""
    if dollars is None:
        return budget
    if budget is not None:
        raise ArgumentError("`serve_budget` and `serving_dollars` say the same thing: give one.")
    if queries is None:
        raise ArgumentError("`serving_dollars` needs `queries` to be shared over.")
    if "dollars" not in cost.serve_unit:
        raise ArgumentError(f"`serving_dollars` needs a cost model in dollars, and this counts {cost.serve_unit}.")
    return dollars / queries


def _tokens_served(tokens: float | None, queries: float | None, output_tokens: float | None) -> float | None:
    if (queries is None) != (output_tokens is None):
        raise ArgumentError("`queries` and `output_tokens` go together: tokens served are their product.")
    if queries is None or output_tokens is None:
        return tokens
    if tokens is not None:
        raise ArgumentError("`tokens_served` and `queries` × `output_tokens` say the same thing: give one.")
    _check_positive("queries", queries)
    _check_positive("output_tokens", output_tokens)
    return queries * output_tokens
