"""Markdown tables and the way numbers stand in them."""

from __future__ import annotations

import math

import numpy as np

from t2scaling.laws.measurements import Measurements
from t2scaling.report.runs import levels, overtrained
from t2scaling.units import format_flops, format_number, format_ratio


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def percent(share: float, signed: bool = False) -> str:
    """A share in percent with two to three significant digits: 12.3 %, 0.14 %, −3.1 %; "> 1,000 %" beyond that."""
    if not math.isfinite(share):
        return "–"
    if abs(share) > 10:
        return "> 1,000 %" if share > 0 else "< −1,000 %"
    size = abs(100 * share)
    digits = 1 if size >= 10 else 2 if size >= 1 or size == 0 else min(6, 1 - math.floor(math.log10(size)))
    text = f"{100 * share:+.{digits}f}" if signed else f"{100 * share:.{digits}f}"
    return text.replace("-", "−") + " %"


def number(value: float) -> str:
    """A plain number with three significant digits."""
    if not math.isfinite(value):
        return "–"
    if abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) < 1e4 else format_number(value)


def ratio(tokens_per_param: float) -> str:
    """Tokens per parameter, or a dash where there is none."""
    return format_ratio(tokens_per_param) if math.isfinite(tokens_per_param) else "–"


def points(share: float, signed: bool = False) -> str:
    """A difference of shares in points: 5.1 points, −0.25 points."""
    text = percent(share, signed)
    return text if text == "–" else text.removesuffix(" %") + " points"


def level(metric: str, value: float, error: float | None = None) -> str:
    """A value in its metric, pass@k in percent and the rest in nats, with its standard error where there is one."""
    if metric == "pass_at_k":
        return percent(value) if error is None else f"{percent(value)} ± {percent(error)}"
    return f"{value:.3f} nats" if error is None else f"{value:.3f} ± {error:.3f} nats"


def change(metric: str, value: float, error: float | None = None) -> str:
    """A difference of two values in their metric."""
    if metric != "pass_at_k":
        return ("+" * (value > 0) + level(metric, value, error)).replace("-", "−")
    text = points(value, signed=True)
    return text if error is None else f"{text.removesuffix(' points')} ± {points(error)}"


def grid_table(data: Measurements) -> str:
    """The suite as the paper's Figure 8 draws it: D/N of each cell by level and size, * for overtrained."""
    sizes, over = np.unique(data.N), overtrained(data)
    rows = []
    for level in levels(data):
        held = {float(data.N[run]): run for run in level.runs}
        shown = [
            format_ratio(float(data.D[run] / data.N[run])) + "*" * bool(over[run]) if run is not None else ""
            for run in (held.get(float(size)) for size in sizes)
        ]
        rows.append([format_flops(level.train_flops), *shown])
    return table(["C \\ N", *(format_number(float(size)) for size in sizes)], rows)
