"""What the figures take from a fit: the observed values in the metric of its law, at k = 1 and at the k of a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from t2scaling.costs import samples_afforded
from t2scaling.costs import train_flops as counted_flops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from t2scaling.laws.measurements import Curves
    from t2scaling.laws.result import FitResult


_LEVELS = 14  # more training budgets than this are gathered into bins of equal ratio


@dataclass(frozen=True)
class Level:
    """Runs of about the same training budget: `exact` if all have the very same."""

    train_flops: float
    runs: NDArray[np.int64]
    exact: bool


def train_flops(curves: Curves) -> NDArray[np.float64]:
    """Training FLOPs per run, 6·N·D where the data does not say."""
    return curves.train_flops if curves.train_flops is not None else counted_flops(curves.N, curves.D)


def overtrained(curves: Curves) -> NDArray[np.bool_]:
    """Which runs the suite marks as overtrained; none where it does not say."""
    return curves.overtrained if curves.overtrained is not None else np.zeros(len(curves.N), dtype=bool)


def tokens_per_param(curves: Curves) -> NDArray[np.float64]:
    """D/N per run."""
    return curves.D / curves.N


def samples_at(N: NDArray[np.float64], inference_flops: float) -> NDArray[np.float64]:
    """k = C_inf/(2N), NaN where the budget does not pay for one sample."""
    k = samples_afforded(N, inference_flops)
    return np.where(k >= 1, k, np.nan)


def grid_values(fit: FitResult) -> NDArray[np.float64]:
    """Observed values in the law's metric, shape (R, K); K = 1 for a law without k."""
    return fit.law.observed(fit.curves)[:, : None if fit.law.samples else 1]


def values_at(fit: FitResult, k: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Observed values of each run at its own k, shape (R,), in the metric of the law.

    Between the k of the fit they are interpolated in log k (of log pass@k for pass@k: both are close to straight
    lines there); NaN beyond the k that the data reaches.
    """
    values, log_k = grid_values(fit), np.log(fit.curves.k)
    wanted = np.log(np.broadcast_to(np.asarray(k, dtype=float), len(values)))
    if values.shape[1] == 1:
        return np.where(wanted == 0, values[:, 0], np.nan)
    logged = fit.law.metric == "pass_at_k"
    with np.errstate(divide="ignore"):
        rows = np.log(values) if logged else values
    result = np.full(len(rows), np.nan)
    for run, (row, point) in enumerate(zip(rows, wanted, strict=True)):
        known = np.isfinite(row)
        if np.isfinite(point) and known.any() and point <= log_k[known][-1] * (1 + 1e-9):
            result[run] = np.interp(point, log_k[known], row[known])
    return np.exp(result) if logged else result


def levels(curves: Curves) -> list[Level]:
    """The runs by training budget, rising; many different budgets are gathered into bins."""
    flops = train_flops(curves)
    # Budgets are written with a few digits, so values within 0.1% are the same budget.
    distinct, where = np.unique(np.round(np.log(flops) * 1000).astype(int), return_inverse=True)
    if len(distinct) <= _LEVELS:
        return [
            Level(float(np.median(flops[where == i])), np.flatnonzero(where == i), True) for i in range(len(distinct))
        ]
    edges = np.geomspace(flops.min(), flops.max() * (1 + 1e-9), _LEVELS + 1)
    where = np.digitize(flops, edges) - 1
    bins = (np.flatnonzero(where == i) for i in range(_LEVELS))
    return [Level(float(np.exp(np.log(flops[runs]).mean())), runs, False) for runs in bins if len(runs)]


def relative_error(predicted: NDArray[np.float64], observed: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and median of |predicted − observed| / observed where both are defined and above zero; NaN if none is."""
    good = np.isfinite(predicted) & np.isfinite(observed) & (observed > 0)
    if not good.any():
        return float("nan"), float("nan")
    error = np.abs(predicted - observed)[good] / observed[good]
    return float(error.mean()), float(np.median(error))
