"""IsoFLOP profiles with both frontiers (the T² paper's Figure 3)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from t2scaling.allocate import frontier
from t2scaling.costs import tokens_afforded
from t2scaling.laws.base import METRIC_LABELS
from t2scaling.laws.result import FitResult
from t2scaling.report import style
from t2scaling.report.observed import values_at
from t2scaling.report.runs import Level, levels, overtrained, samples_at, train_flops
from t2scaling.units import format_flops

_STAGES = {"base": "pretrained", "ft": "fine-tuned", "sft": "SFT"}


@style.styled
def isoflop_profiles(fits: Sequence[FitResult], inference_flops: float) -> Figure:
    """One row per fit: the metric against N on each training budget, at k = 1 and at k = C_inf/2N.

    Dots are the runs (rings: overtrained), thin lines the fitted law along each budget. Black is the Chinchilla
    frontier, the minimum of the k = 1 law; the coloured line is the law's own frontier. Each frontier is judged at
    the k of its panel, so on the right they show what the choice of N costs or gains.
    """
    columns = 1 if all(not fit.law.samples for fit in fits) else 2
    figure, axes = style.canvas(len(fits), columns, 1.5 + 4.5 * columns, 1.1 + 3.9 * len(fits), sharex=True)
    for row, fit in zip(axes, fits, strict=True):
        name = fit.law.label
        _panel(row[0], fit, inference_flops, corrected=False)
        row[0].set_title(f"{name}: one sample, k = 1")
        if columns == 1:
            continue
        if not fit.law.samples:
            row[1].set_axis_off()
            continue
        _panel(row[1], fit, inference_flops, corrected=True)
        row[1].set_title(f"{name}: k = C_inf / 2N, C_inf = {format_flops(inference_flops)} FLOPs")
    _legend(figure, fits)
    return figure


@style.styled
def stages(fits: Mapping[str, Sequence[FitResult]], inference_flops: float) -> Figure:
    """A row per law, a column per stage of training: profiles at k = C_inf/2N with both frontiers (Figure 5).

    fits   stage → the laws fitted at that stage
    """
    laws = list(dict.fromkeys(fit.law.name for row in fits.values() for fit in row))
    figure, axes = style.canvas(len(laws), len(fits), 1.0 + 4.2 * len(fits), 1.1 + 3.6 * len(laws))
    for column, (stage, held) in enumerate(fits.items()):
        for row, law in enumerate(laws):
            fit = next((one for one in held if one.law.name == law), None)
            _filled(axes[row][column], fit, inference_flops, f"{style.law_label(law)}: {_STAGES.get(stage, stage)}")
    _legend(figure, next(iter(fits.values())))
    return figure


@style.styled
def task_profiles(rows: Mapping[str, Sequence[FitResult | None]], inference_flops: Sequence[float]) -> Figure:
    """A row per task, a column per inference budget: profiles at k = C_inf/2N with both frontiers (Figures 6 and 7).

    rows   task → one fit per inference budget, None where there is none
    """
    width, height = 1.0 + 4.0 * len(inference_flops), 1.1 + 3.2 * len(rows)
    figure, axes = style.canvas(len(rows), len(inference_flops), width, height)
    for row, (task, fits) in zip(axes, rows.items(), strict=True):
        for ax, fit, budget in zip(row, fits, inference_flops, strict=True):
            _filled(ax, fit, budget, f"{task}: C_inf = {format_flops(budget)}")
    _legend(figure, [fit for fits in rows.values() for fit in fits if fit is not None][:1])
    return figure


def _filled(ax: Axes, fit: FitResult | None, inference_flops: float, title: str) -> None:
    """A profile at the k of the budget, or the words that there is none."""
    ax.set_title(title)
    if fit is None:
        ax.text(0.5, 0.5, "no law could be fitted", ha="center", transform=ax.transAxes)
        return
    _panel(ax, fit, inference_flops, corrected=True)


def _panel(ax: Axes, fit: FitResult, inference_flops: float, *, corrected: bool) -> None:
    curves = fit.curves
    k = samples_at(curves.N, inference_flops) if corrected else np.ones(len(curves.N))
    values, ring = values_at(fit, k), overtrained(curves)
    groups, many = levels(curves), len(values) > style.RASTER_FROM
    for level, colour in zip(groups, style.budget_colours([level.train_flops for level in groups]), strict=True):
        _law_line(ax, fit, level, inference_flops, colour, corrected)
        runs = level.runs
        ax.scatter(
            curves.N[runs],
            values[runs],
            s=15 if level.exact else 7,
            color=[colour],
            zorder=3,
            linewidths=0,
            rasterized=many,
        )
        ringed = runs[ring[runs]]
        ax.scatter(
            curves.N[ringed], values[ringed], s=46, facecolors="none", edgecolors=style.INK, linewidths=0.9, zorder=4
        )
    _frontiers(ax, fit, inference_flops, corrected)
    _limit(ax, values, logarithmic=fit.law.metric == "pass_at_k")
    if fit.law.metric == "pass_at_k":
        ax.set_yscale("log")
        style.log_axis(ax.yaxis, METRIC_LABELS["pass_at_k"])
    else:
        ax.set_ylabel(METRIC_LABELS[fit.law.metric] if corrected else METRIC_LABELS["loss"])
    # A frontier may run off to sizes that nobody has trained: the axis stays with the data.
    ax.set_xlim(curves.N.min() / 1.7, curves.N.max() * 1.7)
    style.log_axis(ax.xaxis, "parameters N")
    ax.tick_params(labelbottom=True)


def _limit(ax: Axes, values: np.ndarray, logarithmic: bool) -> None:
    """Hold the axis to what was observed: far from the data a law may run off by orders of magnitude."""
    seen = values[np.isfinite(values) & ((values > 0) | (not logarithmic))]
    if len(seen):
        low, high = float(seen.min()), float(seen.max())
        margin = 0.08 * (high - low)
        ax.set_ylim(*((low / 1.5, min(high * 1.5, 1.0)) if logarithmic else (low - margin, high + margin)))


def _predict(fit: FitResult, N: np.ndarray, D: np.ndarray, inference_flops: float, corrected: bool) -> np.ndarray:
    """The law at k = 1 or at the k of the budget, NaN where that is below one sample."""
    k = samples_at(N, inference_flops) if corrected else np.ones_like(N)
    value = np.full(N.shape, np.nan)
    good = np.isfinite(k) & np.isfinite(N) & np.isfinite(D)
    value[good] = fit.law.predict(N[good], D[good], k[good])
    return value


def _law_line(ax: Axes, fit: FitResult, level: Level, inference_flops: float, colour: tuple, corrected: bool) -> None:
    """The law along one training budget, over the sizes that this budget has and a little beyond."""
    sizes = fit.curves.N[level.runs]
    N = np.geomspace(sizes.min() / 1.15, sizes.max() * 1.15, 60)
    value = _predict(fit, N, tokens_afforded(N, level.train_flops), inference_flops, corrected)
    ax.plot(N, value, color=colour, linewidth=1.1, alpha=0.85, zorder=2)


def _frontiers(ax: Axes, fit: FitResult, inference_flops: float, corrected: bool) -> None:
    """Both frontiers over the budgets of the data."""
    flops = train_flops(fit.curves)
    budgets = np.geomspace(flops.min(), flops.max(), 25)
    ours = frontier(fit.law, train_flops=budgets, inference_flops=inference_flops)
    theirs = _predict(fit, ours.chinchilla_n_params, ours.chinchilla_n_tokens, inference_flops, corrected)
    ax.plot(ours.chinchilla_n_params, theirs, color=style.INK, linewidth=2.2, zorder=5)
    if fit.law.samples:
        value = _predict(fit, ours.n_params, ours.n_tokens, inference_flops, corrected)
        ax.plot(ours.n_params, value, color=style.law_colour(fit.law.name), linewidth=2.6, zorder=6)


def _legend(figure: Figure, fits: Sequence[FitResult]) -> None:
    """Frontiers and rings by name; the training budgets as a short ramp of colours."""
    lines = [Line2D([], [], color=style.INK, linewidth=2.2, label="Chinchilla frontier")]
    for fit in fits:
        if fit.law.samples:
            label = f"{fit.law.label} frontier"
            lines.append(Line2D([], [], color=style.law_colour(fit.law.name), linewidth=2.6, label=label))
    if any(overtrained(fit.curves).any() for fit in fits):
        ring = Line2D([], [], marker="o", linestyle="none", markersize=7, label="overtrained run")
        ring.set(markerfacecolor="none", markeredgecolor=style.INK)
        lines.append(ring)
    flops = [level.train_flops for level in levels(fits[0].curves)]
    for position in sorted({0, len(flops) // 2, len(flops) - 1}):
        colour = style.budget_colours(flops)[position]
        label = f"{format_flops(flops[position])} FLOPs"
        lines.append(Line2D([], [], color=colour, marker="o", markersize=4, linewidth=1.1, label=label))
    figure.legend(handles=lines, loc="outside lower center", ncols=4)
