"""What is known of a plan, in lines for people: measured neighbours, the fit's worth, ranges."""

import math

from t2scaling.allocate.evidence import Checkpoint
from t2scaling.allocate.result import Interval, Plan
from t2scaling.allocate.sentence import format_per_param, format_samples, format_value
from t2scaling.units import format_number

_AXES = {"n_params": "N", "n_tokens": "D", "tokens_per_param": "D/N", "k": "k"}


def evidence_lines(plan: Plan) -> list[str]:
    """One line each: the best and the nearest checkpoint, the advantage, the fit's error, the ranges of the plan."""
    near = plan.measured
    found = []
    if near.best is not None:
        found.append(f"Best measured within the budgets: {_checkpoint(near.best)}.")
    if near.nearest is not None and (near.best is None or near.nearest.run_id != near.best.run_id):
        found.append(f"Nearest measured: {_checkpoint(near.nearest)}.")
    gain = near.advantage()
    if gain is not None and near.near_plan is not None:
        predicted, measured = (_gain(near.near_plan.metric, value) for value in gain)
        found.append(
            f"Over Chinchilla, between the checkpoints nearest to both: predicted {predicted}, measured {measured}."
        )
    found += _quality(plan)
    found += [line for line in (near_optimal_line(plan), spread_line(plan)) if line]
    if plan.no_interval and not plan.near_optimal:
        found.append(plan.no_interval)
    return found


def near_optimal_line(plan: Plan) -> str:
    """The plans that are as good as the best, within what the forecast can tell."""
    return f"As good, within what can be told: {_ranges(plan.near_optimal)}." if plan.near_optimal else ""


def spread_line(plan: Plan) -> str:
    """How far other laws, k ranges and tasks move the plan."""
    return f"Other laws, k ranges and tasks: {_ranges(plan.spread)}." if plan.spread else ""


def _checkpoint(run: Checkpoint) -> str:
    size = f"{format_number(run.n_params)} parameters on {format_number(run.n_tokens)} tokens"
    samples = "" if run.metric == "loss" else f" with {format_samples(run.k)}"
    error = "" if math.isnan(run.se) else f" ± {100 * run.se:.2g}"
    value = f"{format_value(run.metric, run.measured)}{error}, predicted {format_value(run.metric, run.predicted)}"
    return f"{size}{samples} ({run.run_id}): {value}"


def _gain(metric: str, value: float) -> str:
    return f"{100 * value:+.1f} points" if metric == "pass_at_k" else f"{value:+.3g} nats"


def _quality(plan: Plan) -> list[str]:
    words = {"in_sample": "on the runs it was fitted to", "held_out": "on runs held out"}
    parts = [
        f"{100 * float(plan.quality[name]):.2g}% {text}"
        for name, text in words.items()
        if isinstance(plan.quality.get(name), int | float) and math.isfinite(plan.quality[name])
    ]
    return [f"The fit misses by {' and '.join(parts)}."] if parts else []


def _ranges(ranges: Interval) -> str:
    parts = []
    for name, symbol in _AXES.items():
        if name in ranges:
            write = format_per_param if name == "tokens_per_param" else format_number
            low, high = ranges[name]
            parts.append(f"{symbol} {write(low)} to {write(high)}")
    return ", ".join(parts)
