"""Budgets: two (training, and per token served) or one for the whole life of a model.

FLOPs are what the laws know. `Budget.of` reads dollars and GPU-hours too, through one `Price` for training and one
for serving. In a lifetime budget the two differ, so a serving FLOP weighs as many training FLOPs as it costs more:
    6·N·D + weight·2·N·k·tokens_served = total_flops      (Sardana et al. 2024, arXiv 2401.00448)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from t2scaling.allocate.problem import Lifetime, Limits, TwoBudgets
from t2scaling.allocate.result import Allocation
from t2scaling.costs import Price
from t2scaling.costs.money import DECODE_UTILISATION


@dataclass(frozen=True)
class Budget:
    """What may be spent: `train_flops` with `inference_flops`, or `total_flops` with `tokens_served`.

    train_flops      6·N·D
    inference_flops  2·N·k per token served
    total_flops      training and serving together, in training FLOPs
    tokens_served    tokens of answers over the model's life, each drawn k times
    serving_weight   training FLOPs that one serving FLOP costs as much as
    train, serve     the prices behind numbers that were given as money or GPU-hours
    given            those numbers, as given
    """

    train_flops: float | None = None
    inference_flops: float | None = None
    total_flops: float | None = None
    tokens_served: float | None = None
    serving_weight: float = 1.0
    train: Price | None = None
    serve: Price | None = None
    given: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train_flops", "inference_flops", "total_flops", "tokens_served", "serving_weight"):
            _check_positive(name, getattr(self, name))
        if (self.train_flops is None) == (self.total_flops is None):
            raise ValueError(
                "say either `train_flops` (with `inference_flops` per token served) or `total_flops` (with "
                "`tokens_served`, for training and serving together), not both and not neither."
            )
        if self.total_flops is not None and (self.tokens_served is None or self.inference_flops is not None):
            raise ValueError(
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
        serving_dollars: float | None = None,
        total_flops: float | None = None,
        total_dollars: float | None = None,
        total_gpu_hours: float | None = None,
        tokens_served: float | None = None,
        queries: float | None = None,
        output_tokens: float | None = None,
        train: Price | None = None,
        serve: Price | None = None,
    ) -> Budget:
        """A budget from FLOPs, dollars or GPU-hours.

        serving_dollars         what serving all `tokens_served` may cost; becomes `inference_flops` per token
        queries, output_tokens  tokens_served = queries · output_tokens, where that is easier to say
        train, serve            prices; H100 at the table's price, half its peak in training and 1 % in decoding
        Raises ValueError if a budget is given twice, or lacks its other half.
        """
        priced = {name: value for name, value in locals().items() if name.endswith(("_dollars", "_gpu_hours"))}
        given = {name: float(value) for name, value in priced.items() if value is not None}
        for name, value in given.items():
            _check_positive(name, value)
        serve = serve or Price(utilisation=DECODE_UTILISATION)
        train = train or Price()
        tokens_served = _tokens_served(tokens_served, queries, output_tokens)
        total, weight = _total(total_flops, total_dollars, total_gpu_hours, train, serve)
        return cls(
            train_flops=_one("train", train_flops, train_dollars, train_gpu_hours, train),
            inference_flops=_per_token(inference_flops, serving_dollars, tokens_served, serve),
            total_flops=total,
            tokens_served=tokens_served,
            serving_weight=weight,
            train=train if given else None,
            serve=serve if given else None,
            given=given,
        )

    def problem(self, limits: Limits, needs_samples: bool = True) -> TwoBudgets | Lifetime:
        """The problem to solve. Raises ValueError if the law draws samples and nothing says what they may cost."""
        if self.total_flops is not None and self.tokens_served is not None:
            served = np.array([self.tokens_served * self.serving_weight])
            return Lifetime(np.array([float(self.total_flops)]), served, limits)
        if self.inference_flops is None and needs_samples:
            raise ValueError(
                "`inference_flops` is missing: this law draws samples, so say what one token served may cost "
                "(2·N·k FLOPs), such as 2e9."
            )
        inference = math.inf if self.inference_flops is None else float(self.inference_flops)
        return TwoBudgets(np.array([self.train_flops], dtype=float), np.array([inference]), limits)

    def spend(self, choice: Allocation) -> dict[str, float]:
        """What an allocation spends: FLOPs, and dollars and GPU-hours where there are prices."""
        spent = {"train_flops": choice.train_flops}
        if choice.k >= 1:
            spent["inference_flops"] = choice.inference_flops
        if self.train is not None:
            spent["train_gpu_hours"] = self.train.gpu_hours(choice.train_flops)
            if self.train.has_price:
                spent["train_dollars"] = self.train.dollars(choice.train_flops)
        if self.serve is not None and self.tokens_served is not None and choice.k >= 1:
            serving = choice.inference_flops * self.tokens_served
            spent["serving_gpu_hours"] = self.serve.gpu_hours(serving)
            if self.serve.has_price:
                spent["serving_dollars"] = self.serve.dollars(serving)
        return spent

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for plan.json."""
        names = ["train_flops", "inference_flops"] if self.total_flops is None else ["total_flops", "tokens_served"]
        if self.total_flops is None and self.tokens_served is not None:
            names.append("tokens_served")
        content: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.given:
            content |= {**self.given, "serving_weight": self.serving_weight}
        for name, price in {"train": self.train, "serve": self.serve}.items():
            if price is not None:
                content[name] = price.to_dict()
        return content


def _check_positive(name: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ValueError(f"`{name}` = {value:g} must be a positive, finite number.")


def _one(name: str, flops: float | None, dollars: float | None, hours: float | None, price: Price) -> float | None:
    """FLOPs from whichever of FLOPs, dollars and GPU-hours is given."""
    if sum(value is not None for value in (flops, dollars, hours)) > 1:
        raise ValueError(f"`{name}_flops`, `{name}_dollars` and `{name}_gpu_hours` say the same thing: give one.")
    if dollars is not None:
        return dollars * price.flops_per_dollar
    if hours is not None:
        return hours * price.flops_per_gpu_hour
    return flops


def _total(
    flops: float | None, dollars: float | None, hours: float | None, train: Price, serve: Price
) -> tuple[float | None, float]:
    """A lifetime budget in training FLOPs, and what a serving FLOP weighs in them."""
    total = _one("total", flops, dollars, hours, train)
    if dollars is not None:
        return total, train.flops_per_dollar / serve.flops_per_dollar
    if hours is not None:
        return total, train.flops_per_gpu_hour / serve.flops_per_gpu_hour
    return total, 1.0


def _per_token(flops: float | None, dollars: float | None, tokens: float | None, serve: Price) -> float | None:
    """FLOPs per token served from a bill for all tokens."""
    if dollars is None:
        return flops
    if flops is not None:
        raise ValueError("`inference_flops` and `serving_dollars` say the same thing: give one.")
    if tokens is None:
        raise ValueError(
            "`serving_dollars` needs `tokens_served` (or `queries` and `output_tokens`) to be shared over."
        )
    return dollars * serve.flops_per_dollar / tokens


def _tokens_served(tokens: float | None, queries: float | None, output_tokens: float | None) -> float | None:
    if (queries is None) != (output_tokens is None):
        raise ValueError("`queries` and `output_tokens` go together: tokens served are their product.")
    if queries is None or output_tokens is None:
        return tokens
    if tokens is not None:
        raise ValueError("`tokens_served` and `queries` × `output_tokens` say the same thing: give one.")
    _check_positive("queries", queries)
    _check_positive("output_tokens", output_tokens)
    return queries * output_tokens
