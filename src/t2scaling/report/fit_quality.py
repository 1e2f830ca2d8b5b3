"""How well a law fits: predicted against observed (the T² paper's Figure 4), and residuals against N, D and k."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from t2scaling.laws.base import METRIC_LABELS
from t2scaling.laws.result import FitResult
from t2scaling.report import style
from t2scaling.report.agreement import Agreement, agreement
from t2scaling.report.observed import grid_values


@style.styled
def predicted_observed(
    fits: Sequence[FitResult], inference_flops: float, held_out: Sequence[FitResult | None] | None = None
) -> Figure:
    """Predicted against observed at k = C_inf/2N (k = 1 for a law without k), one panel per fit.

    held_out   for each fit the same law fitted without the overtrained runs, or None; where it is given, the
               overtrained runs are predicted by it, so that their error is that of a forecast
    The mean relative error is printed for the other runs and for the overtrained ones (ringed).
    """
    others = list(held_out) if held_out is not None else [None] * len(fits)
    figure, axes = style.canvas(1, len(fits), 1.2 + 4.6 * len(fits), 4.8)
    for ax, fit, other in zip(axes[0], fits, others, strict=True):
        _agreement(ax, fit, agreement(fit, inference_flops, other))
    handles = {label: handle for ax in axes[0] for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    return figure


def _agreement(ax: Axes, fit: FitResult, found: Agreement) -> None:
    predicted, observed, ring = found.predicted, found.observed, found.overtrained
    shown = np.isfinite(predicted) & np.isfinite(observed) & (observed > 0) & (predicted > 0)
    colours = style.budget_colours(fit.curves.D / fit.curves.N)
    ax.scatter(
        observed[shown], predicted[shown], s=26, c=[c for c, s in zip(colours, shown, strict=True) if s], linewidths=0,
        zorder=3, rasterized=bool(shown.sum() > style.RASTER_FROM),
    )  # fmt: skip
    ax.plot([], [], "o", color=style.SEQUENCE(0.5), markersize=5, label="runs, coloured by D/N")
    both = shown & ring
    if both.any():
        ax.plot(
            observed[both], predicted[both], "o", markersize=8, markerfacecolor="none", markeredgecolor=style.INK,
            zorder=4, label="overtrained, held out" if found.forecast else "overtrained",
        )  # fmt: skip
    seen = np.concatenate([observed[shown], predicted[shown]])
    low, high = (float(seen.min()) / 1.15, float(seen.max()) * 1.15) if len(seen) else (0.1, 1.0)
    ax.plot([low, high], [low, high], color=style.MUTED, linewidth=1.0, zorder=2)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    label = METRIC_LABELS[fit.law.metric]
    style.log_axis(ax.xaxis, f"observed {label}")
    style.log_axis(ax.yaxis, f"predicted {label}")
    text = _error_text(found)
    ax.set_title(fit.law.label, pad=14 * (text.count("\n") + 1) + 8)
    ax.text(0.5, 1.02, text, transform=ax.transAxes, ha="center", va="bottom", linespacing=1.4)


def _error_text(found: Agreement) -> str:
    """The mean relative errors in words."""
    ring = found.overtrained
    lines = ["relative error, mean (median)"]
    for name, runs in (("fitted", ~ring), ("held out" if found.forecast else "overtrained", ring)):
        if runs.any():
            off = found.errors(runs)
            lines.append(f"{off.mean:.1%} ({off.median:.1%}) on {runs.sum()} {name} runs")
    return "\n".join(lines)


@style.styled
def residuals(fits: Sequence[FitResult]) -> Figure:
    """Observed less predicted at every k of the fit, against N, D/N and k: one row per fit.

    In percent of the prediction for losses; in points of pass@k for pass@k, where a ratio of two small numbers would
    hide everything else.
    """
    columns = 3 if any(len(fit.curves.k) > 1 and fit.law.samples for fit in fits) else 2
    figure, axes = style.canvas(len(fits), columns, 4.0 * columns, 3.4 * len(fits), sharey="row")
    for row, fit in zip(axes, fits, strict=True):
        _residuals(row, fit)
    return figure


def _residuals(axes: NDArray[np.object_], fit: FitResult) -> None:
    curves, values = fit.curves, grid_values(fit)
    k = curves.k[: values.shape[1]]
    predicted = fit.law.predict(curves.N[:, None], curves.D[:, None], k[None, :])
    points = fit.law.metric == "pass_at_k"
    relative = 100 * (values - predicted) / (1.0 if points else predicted)
    spread = {
        "parameters N": curves.N[:, None],
        "tokens per parameter D/N": (curves.D / curves.N)[:, None],
        "samples per problem k": k[None, :],
    }
    for ax, (label, where) in zip(axes, spread.items(), strict=False):
        if where.size == 1:
            ax.set_axis_off()
            continue
        ax.axhline(0, color=style.MUTED, linewidth=1.0)
        ax.scatter(
            np.broadcast_to(where, relative.shape).ravel(), relative.ravel(), s=9, alpha=0.45, linewidths=0,
            color=style.law_colour(fit.law.name), rasterized=relative.size > style.RASTER_FROM,
        )  # fmt: skip
        style.log_axis(ax.xaxis, label)
        ax.set_title(fit.law.label)
        ax.set_ylabel("residual (points of pass@k)" if points else "residual (% of prediction)")
        ax.tick_params(labelleft=True)
