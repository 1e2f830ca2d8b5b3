"""Plans in plain words."""

import math

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.units import format_number

_METRICS = {"neg_log_pass_at_k": "−log pass@k", "pass_at_k": "pass@k", "loss": "a loss"}


def headline(best: Allocation, rival: Allocation) -> str:
    """What to train, on how much, how often to sample, and what Chinchilla's rule would have chosen instead."""
    says = recommendation(best)
    other = f"{format_number(rival.n_params)} parameters on {format_number(rival.n_tokens)} tokens"
    if best.metric == "loss":
        same = not abs(rival.n_params / best.n_params - 1) > 1e-3
        return f"{says}." if same else f"{says}; Chinchilla's {other} gives {_expected(rival)}."
    if math.isnan(rival.k):
        return f"{says}; no Chinchilla-optimal model fits this budget."
    if rival.k < 1:
        return f"{says}; Chinchilla's {other} could not afford one sample ({rival.k:.2g})."
    return f"{says}; Chinchilla's {other} afford {format_samples(rival.k)}, for {_expected(rival)}."


def recommendation(best: Allocation) -> str:
    """Train N on D and draw k, for what is expected; without a full stop."""
    repeats = ""
    if best.epochs > 1:
        repeats = f"{best.epochs:.3g} epochs of {format_number(best.n_tokens / best.epochs)} unique ones, "
    says = (
        f"Train {format_number(best.n_params)} parameters on {format_number(best.n_tokens)} tokens "
        f"({repeats}{format_per_param(best.tokens_per_param)} tokens per parameter)"
    )
    if best.metric == "loss":
        return f"{says}, for {_expected(best)}"
    return f"{says} and draw {format_samples(best.k)} per problem, for {_expected(best)}"


def plan_sentence(
    status: PlanStatus,
    best: Allocation,
    rival: Allocation,
    within: Allocation | None,
    trusted: bool,
    factor: float,
    further: str,
) -> str:
    """The recommendation by status.

    within   the best plan within what was measured, None where it is not known
    trusted  whether the optimum lies near enough to the data for a headline of its own
    factor   how many times beyond the measured range it lies
    further  what would help where there is no optimum, or it is not trusted
    """
    inside = f" Within what was measured: {_lowered(recommendation(within))}." if within is not None else ""
    if status is PlanStatus.NO_OPTIMUM:
        return f"No plan: by this law ever smaller models do better under this budget.{inside}{further}"
    if status is PlanStatus.OUTSIDE and not trusted:
        times = f"{factor:.2g}" if factor < 100 else f"{factor:,.0f}"
        where = f"{format_number(best.n_params)} parameters on {format_number(best.n_tokens)} tokens"
        return (
            f"No plan: the law's optimum ({where}) lies {times}× beyond what was measured, farther than its forecasts "
            f"have been tried.{inside}{further}"
        )
    text = headline(best, rival)
    if status is PlanStatus.OUTSIDE:
        return f"By extrapolation: {_lowered(text)}{inside}"
    return text


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def format_per_param(tokens_per_param: float) -> str:
    """Tokens per parameter with thousands grouped: 26,930 or 19.6."""
    if tokens_per_param >= 1e6:
        return format_number(tokens_per_param)
    return f"{tokens_per_param:,.0f}" if tokens_per_param >= 100 else f"{tokens_per_param:.3g}"


def format_samples(k: float) -> str:
    """`1 sample`, `2.5 samples`, `1,354 samples`, `2.1M samples`."""
    text = format_number(k) if k >= 1e6 else f"{k:,.0f}" if k >= 10 or k % 1 == 0 else f"{k:.3g}"
    return f"{text} sample" if text == "1" else f"{text} samples"


def format_value(metric: str, value: float) -> str:
    """A metric's value for people: a share of problems as a percentage, the rest in nats."""
    if math.isnan(value):
        return "—"
    if metric in ("neg_log_pass_at_k", "loss"):
        return f"{value:.4g} nats"
    return "over 99.9%" if value >= 0.9995 else f"{100 * value:.3g}%"


def _expected(allocation: Allocation) -> str:
    if allocation.metric in ("neg_log_pass_at_k", "pass_at_k") and not math.isnan(allocation.pass_at_k):
        return f"pass@k of {format_value('pass_at_k', allocation.pass_at_k)}"
    name = _METRICS.get(allocation.metric, allocation.metric)
    text = f"{name} of {format_value(allocation.metric, allocation.value)}"
    if allocation.metric == "neg_log_pass_at_k":  # E[−log pass@k] over questions says this of their pass@k
        return f"a geometric mean pass@k of {format_value('pass_at_k', math.exp(-allocation.value))} ({text})"
    if allocation.metric in _METRICS or math.isnan(allocation.pass_at_k):
        return text
    return f"{text} (an oracle would reach {format_value('pass_at_k', allocation.pass_at_k)})"
