"""One figure for each kind of result: what `.plot()` of a fit, a plan, a frontier and a backtest draws."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from t2scaling.allocate import Allocation, Frontier, Plan
from t2scaling.laws import FitResult
from t2scaling.laws.backtest import Backtest
from t2scaling.laws.base import METRIC_LABELS
from t2scaling.laws.registry import LAWS
from t2scaling.report import style
from t2scaling.report.observed import grid_values
from t2scaling.units import format_flops

__all__ = ["backtest", "fit", "frontier", "plan"]


@style.styled
def fit(result: FitResult) -> Figure:
    """Predicted against observed at every run and k of the fit, coloured by k."""
    curves, observed = result.curves, grid_values(result)
    k = curves.k[: observed.shape[1]]
    predicted = result.law.predict(curves.N[:, None], curves.D[:, None], k[None, :])
    figure, axes = style.canvas(1, 1, 5.6, 4.8)
    ax = axes[0][0]
    good = np.isfinite(observed) & (observed > 0) & (predicted > 0)
    for column, colour in enumerate(style.step_colours(len(k))):
        at = good[:, column]
        label = f"k = {k[column]:.3g}" if column in (0, len(k) // 2, len(k) - 1) else None
        ax.plot(observed[at, column], predicted[at, column], "o", color=colour, markersize=3.5, label=label)
    ends = [min(observed[good].min(), predicted[good].min()), max(observed[good].max(), predicted[good].max())]
    ax.plot(ends, ends, color=style.MUTED, linewidth=1.0, zorder=2)
    label = METRIC_LABELS[result.law.metric]
    style.log_axis(ax.xaxis, f"observed {label}")
    style.log_axis(ax.yaxis, f"predicted {label}")
    ax.set_title(f"{result.law.label}, {result.task}")
    ax.legend(loc="lower right")
    return figure


@style.styled
def plan(result: Plan) -> Figure:
    """N, D, k and the value of the plan's allocations beside each other, with the intervals of the optimum."""
    named = {
        "optimum": result.optimum,
        "within data": getattr(result, "within_data", None),
        "Chinchilla": result.chinchilla,
    }
    rows = {name: one for name, one in named.items() if one is not None and np.isfinite(one.n_params)}
    quantities = {"n_params": "parameters N", "n_tokens": "training tokens D", "k": "samples k"}
    figure, axes = style.canvas(1, 4, 12.0, 1.4 + 0.4 * len(rows), sharey=True)
    for ax, (name, label) in zip(axes[0], quantities.items(), strict=False):
        _dots(ax, rows, name, result.interval)
        style.log_axis(ax.xaxis, label, ticks=4)
    _dots(axes[0][3], rows, "value", result.interval)
    axes[0][3].set_xlabel(METRIC_LABELS.get(result.metric, result.metric))
    axes[0][0].set_yticks(range(len(rows)), list(rows))
    axes[0][0].invert_yaxis()
    figure.suptitle(f"{style.law_label(result.law)}{f', {result.task}' if result.task else ''}", fontsize=11)
    return figure


def _dots(ax: Axes, rows: dict[str, Allocation], name: str, interval: dict[str, tuple[float, float]]) -> None:
    for height, (plan, allocation) in enumerate(rows.items()):
        value = float(getattr(allocation, name))
        if not np.isfinite(value) or (name == "k" and value <= 0):
            continue
        chosen = plan == "optimum"
        colour = style.T2_RED if chosen else style.INK
        ax.plot([value], [height], "o", color=colour, markersize=6)
        if chosen and name in interval:
            ax.plot(interval[name], [height, height], color=colour, linewidth=2)


@style.styled
def frontier(result: Frontier) -> Figure:
    """D/N, N and D of the optima against training FLOPs, one colour per inference budget, beside Chinchilla's."""
    figure, axes = style.canvas(1, 3, 12.0, 4.2)
    budgets = np.unique(result.inference_flops)
    at = result.inference_flops == budgets[0]
    _lines(axes[0], result.train_flops[at], result.chinchilla_n_params[at], result.chinchilla_n_tokens[at],
           color=style.INK, label="Chinchilla")  # fmt: skip
    if np.isfinite(result.k).any():
        for budget, colour in zip(budgets, style.step_colours(len(budgets)), strict=True):
            at = result.inference_flops == budget
            label = f"{format_flops(budget)} FLOPs per token" if np.isfinite(budget) else style.law_label(result.law)
            parts = result.train_flops[at], result.n_params[at], result.n_tokens[at]
            _lines(axes[0], *parts, color=colour, label=label)
            far = at & result.outside
            _lines(axes[0], result.train_flops[far], result.n_params[far], result.n_tokens[far],
                   color=style.PAPER, linestyle="none", marker="o", markersize=3, markeredgecolor=colour)  # fmt: skip
    for ax, label in zip(axes[0], ("tokens per parameter D/N", "parameters N", "training tokens D"), strict=True):
        style.log_axis(ax.yaxis, label)
        style.log_axis(ax.xaxis, "training FLOPs C")
    title = f"{style.law_label(result.law)}{f', {result.task}' if result.task else ''}"
    figure.suptitle(title + ("; circles lie outside the data" if result.outside.any() else ""), fontsize=11)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _lines(axes: Any, budgets: Any, N: Any, D: Any, **look: Any) -> None:
    for ax, value in zip(axes, (D / N, N, D), strict=True):
        ax.plot(budgets, value, **look)


@style.styled
def backtest(result: Backtest) -> Figure:
    """One panel per law: forecast against measured pass@k of all hidden runs and k, on logit axes."""
    rows = list(zip(result.rows, result.points_said, strict=True))
    rows = [(row, said) for row, said in rows if row["metric"] == "pass_at_k" and said[0].size]
    errors = {row["law"]: row["relative"] for row in result.table if row["metric"] == "pass_at_k"}
    laws = list(dict.fromkeys(row["law"] for row, _ in rows))
    figure, axes = style.canvas(1, max(1, len(laws)), 2.5, 2.9)
    for ax, law in zip(axes[0], laws, strict=False):
        observed, predicted = (
            np.clip(np.concatenate([said[side] for row, said in rows if row["law"] == law]), 1e-9, 1 - 1e-9)
            for side in (0, 1)
        )
        ends = [min(observed.min(), predicted.min()), max(observed.max(), predicted.max())]
        ax.plot(ends, ends, color=style.MUTED, linewidth=1.0)
        ax.plot(observed, predicted, "o", markersize=2.0, alpha=0.5)
        ax.set(xscale="logit", yscale="logit", xlabel="measured pass@k", ylabel="forecast pass@k")
        ax.set_title(f"{LAWS[law].label if law in LAWS else law}\n{errors[law]:.1%} off")
    return figure
