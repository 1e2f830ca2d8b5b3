"""One figure per result, for `.plot()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from t2scaling.laws.base import METRIC_LABELS
from t2scaling.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from t2scaling.laws import FitResult


@style.styled
def fit(result: FitResult) -> Figure:
    """Predicted against observed, one colour per k."""
    observed = result.law.observed(result.curves)
    predicted = observed - result.residuals
    figure, axes = style.canvas(1, 1, 5.6, 4.8)
    ax = axes[0, 0]
    columns = range(observed.shape[1]) if result.law.samples else [0]
    for column, colour in zip(columns, style.budget_colours(result.curves.k[list(columns)]), strict=True):
        label = f"k = {result.curves.k[column]:.3g}"
        ax.scatter(observed[:, column], predicted[:, column], s=14, color=[colour], linewidths=0, label=label)
    ends = [float(np.nanmin(observed)), float(np.nanmax(observed))]
    ax.plot(ends, ends, color=style.MUTED, linewidth=1.0, zorder=0)
    ax.set_xlabel(f"observed {METRIC_LABELS[result.law.metric]}")
    ax.set_ylabel(f"predicted {METRIC_LABELS[result.law.metric]}")
    ax.set_title(f"{result.law.label}: {result.task}")
    if result.law.samples:
        ax.legend(fontsize="small", ncols=2)
    return figure
