"""The forecast of D/N, N and D over training budgets (the T² paper's Figure 2)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from t2scaling.allocate import Plan, frontier
from t2scaling.arrays import Array
from t2scaling.costs import tokens_afforded, train_flops
from t2scaling.laws import FitResult, PublishedLaw, load_law
from t2scaling.report import style

_BAND_LAWS = 100  # bootstrap laws behind a band
_HOFFMANN = (1e17, 1e20)  # FLOPs: where their line starts, and how far an axis must reach to show it
_QUANTITIES = ("tokens per parameter D/N", "parameters N", "training tokens D")


@style.styled
def forecast(
    laws: Sequence[FitResult | PublishedLaw],
    inference_flops: float,
    plans: Sequence[Plan] = (),
    low: float | None = None,
    high: float | None = None,
) -> Figure:
    """D/N, N and D against training FLOPs from `low` to `high`, at a fixed inference budget.

    By default the axis runs from the decade of the smallest measured budget to five decades above the largest, which
    for the paper's suite is 1e16 to 1e25.

    Lines: the k = 1 law of the first law (Chinchilla), 20 tokens per parameter, Hoffmann et al.'s law, and each T²
    optimum, with the middle 90% of its bootstrap laws where it has them. Dashed where the budget is outside the data's:
    there the law is extrapolated. Stars are `plans`; the diamond is Chinchilla 70B.
    """
    figure, axes = style.canvas(1, 3, 12.0, 4.4)
    span = _span(laws[0], plans)
    low = low or 10.0 ** math.floor(math.log10(span[0]))
    high = high or 10.0 ** math.ceil(math.log10(span[1]) + 5)
    budgets = np.geomspace(low, high, 65)
    _references(axes[0], budgets)
    N = frontier(laws[0].law, train_flops=budgets, inference_flops=inference_flops).chinchilla_n_params
    _draw(axes[0], budgets, N, span=span, color=style.INK, label="Chinchilla: this data's k = 1 law")
    for law in laws:
        if law.law.samples:
            _law(axes[0], law, budgets, span, inference_flops)
    for plan in plans:
        _point(axes[0], plan.optimum.train_flops, plan.n_params, plan.n_tokens, "*", style.law_colour(plan.law))
    for ax, label in zip(axes[0], _QUANTITIES, strict=True):
        ax.axvspan(*span, color=style.GRID, alpha=0.45, linewidth=0, zorder=0)
        ax.set_title(label.rpartition(" ")[0].capitalize())
        style.log_axis(ax.yaxis, label)
        style.log_axis(ax.xaxis, "training FLOPs C")
        ax.set_xlim(low, high)
    handles, labels = axes[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _span(law: FitResult | PublishedLaw, plans: Sequence[Plan]) -> tuple[float, float]:
    """Training budgets of the data behind a law, as far as they are known; else around the plans'."""
    if "train_flops" in law.support:
        return law.support["train_flops"]
    if {"N", "D"} <= set(law.support) and min(law.support["N"][0], law.support["D"][0]) > 0:
        ends = [float(train_flops(law.support["N"][end], law.support["D"][end])) for end in (0, 1)]
        return ends[0], ends[1]
    spent = [plan.optimum.train_flops for plan in plans] or [1e20]
    return min(spent), max(spent)


def _references(axes: NDArray[np.object_], budgets: Array) -> None:
    """20 tokens per parameter; and where the budgets reach those of Hoffmann et al., their law and their 70B model."""
    N = np.sqrt(tokens_afforded(20.0, budgets))  # where D = 20·N
    line = {"color": style.MUTED, "linewidth": 1.3}
    _draw(axes, budgets, N, span=None, linestyle=":", label="20 tokens per parameter", **line)
    if budgets[-1] < _HOFFMANN[1]:
        return
    reached = budgets[budgets >= _HOFFMANN[0]]
    N = load_law("chinchilla/hoffmann").law.training_law.optimum(reached)[0]
    _draw(axes, reached, N, span=None, linestyle="-.", label="Hoffmann et al. 2022", **line)
    if budgets[-1] >= 5.76e23:
        _point(axes, 5.76e23, 70e9, 1.4e12, "D", style.MUTED, "Chinchilla 70B")


def _point(
    axes: NDArray[np.object_], budget: float, N: float, D: float, marker: str, colour: str, label: str = "_plan"
) -> None:
    size = 12 if marker == "*" else 6
    for ax, value in zip(axes, (D / N, N, D), strict=True):
        ax.plot([budget], [value], marker, color=colour, markersize=size, linestyle="none", label=label, zorder=7)


def _draw(
    axes: NDArray[np.object_], budgets: Array, N: Array, span: tuple[float, float] | None, label: str, **line: Any
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
    fit: FitResult | PublishedLaw,
    budgets: Array,
    span: tuple[float, float],
    inference_flops: float,
) -> None:
    """The T² optimum of one fit, with its bootstrap band."""
    colour = style.law_colour(fit.law.name)
    ours = frontier(fit.law, train_flops=budgets, inference_flops=inference_flops).n_params
    _draw(axes, budgets, ours, span=span, color=colour, label=fit.law.label)
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
