"""The measurements themselves: the grid of checkpoints (the T² paper's Figure 8) and pass@k over k per model."""

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from t2scaling.arrays import Array, Positions
from t2scaling.laws.measurements import Curves
from t2scaling.laws.result import FitResult
from t2scaling.report import style
from t2scaling.report.runs import levels, overtrained, train_flops
from t2scaling.units import format_number

_LABELLED = 130  # up to so many runs on few budgets, each has its D/N written on it
_MODELS = 8
_MARKERS = "os^DvPX*"


@style.styled
def checkpoint_grid(curves: Curves) -> Figure:
    """Runs by training budget and size, coloured by tokens per parameter; overtrained ones are framed."""
    flops, ratio, frame = train_flops(curves), curves.D / curves.N, overtrained(curves)
    written = len(ratio) <= _LABELLED and all(level.exact for level in levels(curves))
    figure, axes = style.canvas(1, 1, 5.6, 1.2 + 0.34 * len(np.unique(curves.N)) if written else 4.2)
    ax = axes[0][0]
    norm = LogNorm(ratio.min(), max(ratio.max(), ratio.min() * 1.01))
    look: dict[str, Any] = {"marker": "s" if written else "o", "zorder": 3}
    points = ax.scatter(
        flops, _rows(curves.N), c=ratio, cmap=style.SEQUENCE, norm=norm, s=430 if written else 22,
        alpha=0.55 if written else 0.85, linewidths=0, **look,
    )  # fmt: skip
    ax.scatter(
        flops[frame], _rows(curves.N)[frame], s=430 if written else 50, facecolors="none", edgecolors=style.INK,
        linewidths=1.3, **look,
    )  # fmt: skip
    if not written:
        bar = figure.colorbar(points, ax=ax, pad=0.01, fraction=0.035)
        style.log_axis(bar.ax.yaxis, "tokens per parameter D/N")
    else:
        for x, y, value in zip(flops, _rows(curves.N), ratio, strict=True):
            text = f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
            ax.text(x, y, text, ha="center", va="center", fontsize=6.5, zorder=5)
    sizes = np.unique(curves.N)
    ax.set_yticks(range(len(sizes)), [format_number(size) for size in sizes])
    ax.set_ylabel("parameters N")
    ax.margins(0.06)
    style.log_axis(ax.xaxis, "training FLOPs C")
    title = f"{len(ratio)} checkpoints, tokens per parameter"
    ax.set_title(title + (f" ({frame.sum()} overtrained, framed)" if frame.any() else ""))
    return figure


def _rows(N: Array) -> Positions:
    """The rank of each size: sizes stand in rows of equal height, however close they are."""
    return np.unique(N, return_inverse=True)[1]


@style.styled
def coverage(fit: FitResult, guess: Array | None = None) -> Figure:
    """Mean pass@k against k for up to eight sizes, each at its longest training, with two standard errors.

    Lines are the law's, where it can say the mean pass@k.
    guess   what a guesser that knows only the questions' form reaches at each k of the fit, shape (K,)
    """
    curves = fit.curves
    runs = _sample_of_runs(curves)
    figure, axes = style.canvas(1, 1, 5.6, 4.6)
    ax = axes[0][0]
    for run, colour, marker in zip(runs, style.step_colours(len(runs)), _MARKERS, strict=False):
        label = f"{format_number(curves.N[run])} on {format_number(curves.D[run])} tokens"
        value, error = curves.pass_at_k[run], np.nan_to_num(curves.se[run])
        low = np.maximum(value - 2 * error, value / 20)
        ax.fill_between(curves.k, low, value + 2 * error, color=colour, alpha=0.13, linewidth=0)
        ax.plot(curves.k, value, marker, color=colour, markersize=4.5, label=label)
        if "pass_at_k" in fit.law.metrics:
            dense = np.geomspace(1, curves.k[-1], 80)
            line = fit.law.predict(curves.N[run], curves.D[run], dense, "pass_at_k")
            ax.plot(dense, line, color=colour, linewidth=1.4)
    if guess is not None and np.isfinite(guess).any():
        ax.plot(curves.k, guess, color=style.MUTED, linestyle=":", label="guessing, by the question's form alone")
    style.log_axis(ax.xaxis, "samples per problem k")
    style.log_axis(ax.yaxis, "mean pass@k")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _sample_of_runs(curves: Curves) -> NDArray[np.int64]:
    """The longest-trained run of each size, by size; at most eight, spread evenly."""
    order = np.lexsort((curves.D, curves.N))
    runs = order[np.append(np.diff(curves.N[order]) > 0, True)]
    return runs[np.unique(np.linspace(0, len(runs) - 1, min(_MODELS, len(runs))).round().astype(int))]
