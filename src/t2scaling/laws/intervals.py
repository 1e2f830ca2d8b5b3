"""Intervals on forecasts, from how far forecasts were off on runs that the law had not seen.

On logit pass@k (on the log of −log pass@k and of a loss) an interval is

    prediction ± q·s_k·(1 + λ·distance),

with s_k the robust spread of the residuals within the data at k, and the distance in logs beyond the ranges that were
fitted (the largest over N, D, N·D and D/N). q is the quantile, at the level wanted, of the same ratio over inner
backtests: so an interval is as wide as it would have had to be there. It covers what those backtests covered: model
error and noise within and somewhat beyond the measured range, not a world in which the law breaks further out.
Shapes: R runs, K values of k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign.models import Floats
from t2scaling.laws.base import Metric

PER_LOG_UNIT = 0.5  # λ: how much wider per log unit of distance
LEAST_SPREAD = 0.03
LEVELS = np.arange(1, 100) / 100
_EDGE = 1e-9  # pass@k is held this far from 0 and 1, whose logits are infinite


def to_scale(metric: str, value: ArrayLike) -> Array:
    """The scale on which errors are even: logit pass@k, the log of any loss; NaN where that is infinite."""
    value = np.asarray(value, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric != "pass_at_k":
            return np.where(value > 0, np.log(value), np.nan)
        held = np.clip(value, _EDGE, 1 - _EDGE)
        return np.where(value > 0, np.log(held) - np.log1p(-held), np.nan)


def from_scale(metric: str, value: ArrayLike) -> Array:
    """Back from `to_scale`."""
    value = np.asarray(value, dtype=float)
    if metric != "pass_at_k":
        return np.exp(value)
    from scipy.special import expit

    return np.asarray(expit(value))


@dataclass(frozen=True)
class Spread:
    """How wide the intervals of one law and metric are.

    k, s   robust spread of the residuals within the data at each k, both (K,)
    q      the ratio's quantiles at `LEVELS`, shape (99,)
    """

    metric: Metric
    k: Floats
    s: Floats
    q: Floats

    def __post_init__(self) -> None:
        if not self.k.shape == self.s.shape == (self.k.size,) or self.q.shape != LEVELS.shape:
            raise DataError(f"a spread needs one s per k and {LEVELS.size} values of q: fit again.")

    def interval(self, value: ArrayLike, k: ArrayLike, distance: ArrayLike, level: float) -> tuple[Array, Array]:
        """Low and high around a prediction, broadcast. Raises ArgumentError for a level outside 0.01 … 0.99.

        distance   beyond the runs fitted, as `Support.distance` has it
        """
        half = quantile_at(self.q, level) * self.scale(k, distance)
        middle = to_scale(self.metric, value)
        return from_scale(self.metric, middle - half), from_scale(self.metric, middle + half)

    def scale(self, k: ArrayLike, distance: ArrayLike) -> Array:
        """s_k·(1 + λ·distance), broadcast."""
        s = np.interp(np.log(np.asarray(k, dtype=float)), np.log(self.k), self.s)
        return s * (1 + PER_LOG_UNIT * np.asarray(distance))


def quantile_at(q: Array, level: float) -> float:
    """The ratio at a level between 0.01 and 0.99."""
    if not LEVELS[0] <= level <= LEVELS[-1]:
        raise ArgumentError(f"`interval` = {level:g} must lie between {LEVELS[0]:g} and {LEVELS[-1]:g}, e.g. 0.9.")
    return float(np.interp(level, LEVELS, q))


def spread_of(metric: Metric, k: Array, within: Array, folds: list[Array]) -> Spread | None:
    """A `Spread` from residuals on the even scale.

    within   residuals of the runs fitted, shape (R, K), NaN where not measured
    folds    for each inner backtest |residual| over that fold's own s_k·(1 + λ·distance), any shape
    None without a fold.
    """
    finite = [fold[np.isfinite(fold)] for fold in folds]
    finite = [fold for fold in finite if fold.size]
    if not finite:
        return None
    q = np.mean([np.quantile(fold, LEVELS) for fold in finite], axis=0)
    return Spread(metric, k, spread_within(within), q)


def spread_within(residual: Array) -> Array:
    """s_k: 1.4826 × the median |residual| over runs, at least 0.03, shape (K,); the mean where nothing was measured."""
    measured = np.isfinite(residual).any(axis=0)
    s = np.full(residual.shape[1], np.nan)
    s[measured] = np.maximum(LEAST_SPREAD, 1.4826 * np.nanmedian(np.abs(residual[:, measured]), axis=0))
    return np.where(measured, s, np.nanmean(s) if measured.any() else LEAST_SPREAD)
