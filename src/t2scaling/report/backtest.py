"""The figure of a backtest: what each law said of hidden runs against what was measured."""

import numpy as np
from matplotlib.figure import Figure

from t2scaling.laws.backtest import Backtest
from t2scaling.laws.registry import LAWS
from t2scaling.report import style


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
