"""The measurements themselves: the grid of checkpoints (the T² paper's Figure 8) and pass@k over k per model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm

from t2scaling.report import style
from t2scaling.report.runs import levels, overtrained, tokens_per_param, train_flops
from t2scaling.units import format_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from t2scaling.laws.measurements import Curves
    from t2scaling.laws.result import FitResult

_LABELLED = 130  # up to so many runs on few budgets, each has its D/N written on it
_MODELS = 8


@style.styled
def checkpoint_grid(curves: Curves) -> Figure:
    """Runs by size and training budget, coloured by tokens per parameter; overtrained ones are framed."""
    flops, ratio, frame = train_flops(curves), tokens_per_param(curves), overtrained(curves)
    figure, axes = style.canvas(1, 1, 12.0, 5.6)
    ax = axes[0][0]
    written = len(ratio) <= _LABELLED and all(level.exact for level in levels(curves))
    norm = LogNorm(ratio.min(), max(ratio.max(), ratio.min() * 1.01))
    points = ax.scatter(
        curves.N, flops, c=ratio, cmap=style.SEQUENCE, norm=norm, marker="s" if written else "o",
        s=640 if written else 22, alpha=0.55 if written else 0.85, linewidths=0, zorder=3,
    )  # fmt: skip
    ax.scatter(
        curves.N[frame], flops[frame], marker="s" if written else "o", s=640 if written else 50, facecolors="none",
        edgecolors=style.INK, linewidths=1.3, zorder=4,
    )  # fmt: skip
    if written:
        for x, y, value in zip(curves.N, flops, ratio, strict=True):
            ax.text(
                x,
                y,
                f"{value:,.0f}" if value >= 10 else f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=7.5,
                zorder=5,
            )
    ax.margins(0.06)
    style.log_axis(ax.xaxis, "parameters N")
    style.log_axis(ax.yaxis, "training FLOPs C")
    title = f"{len(ratio)} checkpoints, tokens per parameter"
    ax.set_title(title + (f" ({frame.sum()} overtrained, framed)" if frame.any() else ""))
    bar = figure.colorbar(points, ax=ax, pad=0.01, fraction=0.035)
    bar.outline.set_visible(False)
    style.log_axis(bar.ax.yaxis, "tokens per parameter D/N")
    return figure


@style.styled
def coverage(fit: FitResult) -> Figure:
    """Mean pass@k against k for up to eight sizes, each at its longest training, with two standard errors.

    Lines are the law's, where it can say the mean pass@k.
    """
    curves = fit.curves
    runs = _sample_of_runs(curves)
    figure, axes = style.canvas(1, 1, 8.0, 4.8)
    ax = axes[0][0]
    for run, colour in zip(runs, style.budget_colours(curves.N[runs]), strict=True):
        label = f"{format_number(curves.N[run])}, {format_number(curves.D[run])} tokens"
        value, error = curves.pass_at_k[run], np.nan_to_num(curves.se[run])
        ax.fill_between(
            curves.k,
            np.maximum(value - 2 * error, value / 20),
            value + 2 * error,
            color=colour,
            alpha=0.13,
            linewidth=0,
        )
        ax.plot(curves.k, value, "o", color=colour, markersize=4.5, label=label)
        if fit.law.metric == "pass_at_k":
            dense = np.geomspace(1, curves.k[-1], 80)
            ax.plot(dense, fit.law.predict(curves.N[run], curves.D[run], dense), color=colour, linewidth=1.4)
    style.log_axis(ax.xaxis, "samples per problem k")
    style.log_axis(ax.yaxis, "mean pass@k")
    ax.legend(title="parameters, tokens", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _sample_of_runs(curves: Curves) -> NDArray[np.int64]:
    """The longest-trained run of each size, by size; at most eight, spread evenly."""
    order = np.lexsort((curves.D, curves.N))
    runs = order[np.append(np.diff(curves.N[order]) > 0, True)]
    return runs[np.unique(np.linspace(0, len(runs) - 1, min(_MODELS, len(runs))).round().astype(int))]
