"""A plan in plain words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from t2scaling.units import format_number

if TYPE_CHECKING:
    from t2scaling.allocate.result import Allocation, Plan

_METRICS = {"neg_log_pass_at_k": "−log pass@k", "pass_at_k": "pass@k", "loss": "a loss"}


def plan_sentence(plan: Plan) -> str:
    """What to train, on how much, how often to sample, and what Chinchilla's rule would have chosen instead."""
    best, other = plan.optimum, plan.chinchilla
    says = (
        f"Train {format_number(best.n_params)} parameters on {format_number(best.n_tokens)} tokens "
        f"({format_per_param(best.tokens_per_param)} tokens per parameter)"
    )
    rival = f"{format_number(other.n_params)} parameters on {format_number(other.n_tokens)} tokens"
    if best.metric == "loss":
        same = not abs(other.n_params / best.n_params - 1) > 1e-3
        return f"{says}, for {_expected(best)}" + ("." if same else f"; Chinchilla's {rival} gives {_expected(other)}.")
    says += f" and draw {format_samples(best.k)} per problem, for {_expected(best)}"
    if math.isnan(other.k):
        return f"{says}; no Chinchilla-optimal model fits this budget."
    if other.k < 1:
        return f"{says}; Chinchilla's {rival} could not afford one sample ({other.k:.2g})."
    return f"{says}; Chinchilla's {rival} afford {format_samples(other.k)}, for {_expected(other)}."


def format_per_param(tokens_per_param: float) -> str:
    """Tokens per parameter with thousands grouped: 26,930 or 19.6."""
    if tokens_per_param >= 1e6:
        return format_number(tokens_per_param)
    return f"{tokens_per_param:,.0f}" if tokens_per_param >= 100 else f"{tokens_per_param:.3g}"


def format_samples(k: float) -> str:
    """`1 sample`, `2.5 samples`, `1,354 samples`."""
    text = f"{k:,.0f}" if k >= 10 or k == round(k) else f"{k:.3g}"
    return f"{text} sample" if text == "1" else f"{text} samples"


def format_value(metric: str, value: float) -> str:
    """A metric's value for people: pass@k as a percentage, the rest in nats."""
    if math.isnan(value):
        return "—"
    if metric != "pass_at_k":
        return f"{value:.4g} nats"
    return "over 99.9%" if value >= 0.9995 else f"{100 * value:.3g}%"


def _expected(allocation: Allocation) -> str:
    name = _METRICS.get(allocation.metric, allocation.metric)
    if not math.isnan(allocation.pass_at_k):
        return f"pass@k of {format_value('pass_at_k', allocation.pass_at_k)}"
    return f"{name} of {format_value(allocation.metric, allocation.value)}"
