"""The forecast of D/N, N and D over training budgets (the T² paper's Figure 2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling.allocate import frontier
from t2scaling.costs import tokens_afforded
from t2scaling.report import style
from t2scaling.report.runs import train_flops
from t2scaling.units import format_flops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from t2scaling.allocate import Plan
    from t2scaling.laws.result import FitResult

_BAND_LAWS = 100  # bootstrap laws behind a band
_QUANTITIES = ("tokens per parameter D/N", "parameters N", "training tokens D")


@style.styled
def forecast(
    fits: Sequence[FitResult],
    inference_flops: float,
    plans: Sequence[Plan] = (),
    low: float | None = None,
    high: float | None = None,
) -> Figure:
    """D/N, N and D against training FLOPs from `low` to `high`, at a fixed inference budget.

    By default the axis runs from the decade of the smallest measured budget to five decades above the largest, which
    for the paper's suite is 1e16 to 1e25.

    Lines: the k = 1 law of the first fit (Chinchilla), 20 tokens per parameter, and each fit's T² optimum, with the
    middle 90% of its bootstrap laws where it has them. Dashed where the budget is outside the data's: there the law
    is extrapolated. Stars are `plans`.
    """
    figure, axes = style.canvas(1, 3, 12.0, 4.4)
    seen = train_flops(fits[0].curves)
    span = (float(seen.min()), float(seen.max()))
    low = low or 10.0 ** math.floor(math.log10(span[0]))
    high = high or 10.0 ** math.ceil(math.log10(span[1]) + 5)
    budgets = np.geomspace(low, high, 65)
    N = np.sqrt(tokens_afforded(20.0, budgets))  # where D = 20·N
    _draw(
        axes[0], budgets, N, span=None, color=style.MUTED, linewidth=1.3, linestyle=":", label="20 tokens per parameter"
    )
    N = frontier(fits[0].law, train_flops=budgets, inference_flops=inference_flops).chinchilla_n_params
    _draw(axes[0], budgets, N, span=span, color=style.INK, label="Chinchilla: this data's k = 1 law")
    for fit in fits:
        if fit.law.samples:
            _law(axes[0], fit, budgets, span, inference_flops)
    for plan in plans:
        for ax, value in zip(axes[0], (plan.n_tokens / plan.n_params, plan.n_params, plan.n_tokens), strict=True):
            colour = style.law_colour(plan.law)
            ax.scatter([plan.optimum.train_flops], [value], marker="*", s=150, color=colour, zorder=7)
    for ax, label in zip(axes[0], _QUANTITIES, strict=True):
        ax.axvspan(*span, color=style.GRID, alpha=0.45, linewidth=0, zorder=0)
        ax.set_title(label.rpartition(" ")[0].capitalize())
        style.log_axis(ax.yaxis, label)
        style.log_axis(ax.xaxis, "training FLOPs C")
        ax.set_xlim(low, high)
    axes[0][0].annotate(
        "data",
        (np.sqrt(span[0] * span[1]), 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, -11),
        textcoords="offset points",
        ha="center",
        color=style.MUTED,
        fontsize=8.5,
    )
    handles, labels = axes[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    sampling = any(fit.law.samples for fit in fits)
    budget = f"inference budget {format_flops(inference_flops)} FLOPs per token served; " if sampling else ""
    figure.suptitle(f"{budget}dashed: extrapolated", fontsize=10)
    return figure


def _draw(
    axes: NDArray[np.object_],
    budgets: NDArray[np.float64],
    N: NDArray[np.float64],
    span: tuple[float, float] | None,
    label: str,
    **line: Any,
) -> None:
    """D/N, N and D of one allocation, dashed outside `span`."""
    D = tokens_afforded(N, budgets)
    for ax, value in zip(axes, (D / N, N, D), strict=True):
        if span is None:
            ax.plot(budgets, value, label=label, **line)
            continue
        inside = (budgets >= span[0] / 1.4) & (budgets <= span[1] * 1.4)
        ax.plot(budgets, value, linestyle=(0, (4, 2)), **{**line, "linewidth": 1.5}, zorder=4)
        ax.plot(budgets, np.where(inside, value, np.nan), label=label, zorder=5, **{"linewidth": 2.6, **line})


def _law(
    axes: NDArray[np.object_],
    fit: FitResult,
    budgets: NDArray[np.float64],
    span: tuple[float, float],
    inference_flops: float,
) -> None:
    """The T² optimum of one fit, with its bootstrap band."""
    colour = style.law_colour(fit.law.name)
    ours = frontier(fit.law, train_flops=budgets, inference_flops=inference_flops).n_params
    _draw(axes, budgets, ours, span=span, color=colour, label=style.law_label(fit.law.name))
    if fit.bootstrap is None:
        return
    # A refit in which more parameters never help has no optimum to draw.
    laws = [law for law in fit.bootstrap.laws()[:_BAND_LAWS] if law.training_law.A > 0 and law.training_law.alpha > 0]
    if not laws:
        return
    sizes = [frontier(law, train_flops=budgets[::4], inference_flops=inference_flops).n_params for law in laws]
    low, high = np.nanquantile(np.array(sizes), [0.05, 0.95], axis=0)
    tokens = tokens_afforded(1.0, budgets[::4])
    bands = ((tokens / high**2, tokens / low**2), (low, high), (tokens / high, tokens / low))
    for ax, (bottom, top) in zip(axes, bands, strict=True):
        ax.fill_between(budgets[::4], bottom, top, color=colour, alpha=0.16, linewidth=0, zorder=2)
