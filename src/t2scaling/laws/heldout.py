"""One law, one split: fitted to part of a suite, judged on the rest.

A `Trial` holds what was measured and what was forecast for every run and k, so that errors, bias and coverage are all
read from one place. Laws differ in which mean −log pass@k is; each is judged against its own, and says which.
Shapes: R runs, K values of k.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from t2scaling.arrays import Array, Flags
from t2scaling.laws.base import FEWEST_RUNS, Law, Metric
from t2scaling.laws.intervals import PER_LOG_UNIT, Spread, quantile_at, spread_of, spread_within, to_scale
from t2scaling.laws.measurements import Curves, Measurements, Target
from t2scaling.laws.options import FitOptions
from t2scaling.laws.splits import Split, inner_splits
from t2scaling.laws.support import Support

LEAST_NATS = 0.02  # a relative error of −log pass@k below this says nothing: a handful of questions decides it
COVERAGE = (0.5, 0.8, 0.9)
FEWEST_IN_FOLD = FEWEST_RUNS + 1


@dataclass(frozen=True)
class Trial:
    """What one law, fitted to one side of a split, says of all runs in one metric.

    observed, predicted   shape (R, K)
    target                which mean −log pass@k is, where that is the metric
    """

    law: str
    metric: Metric
    target: Target
    split: Split
    curves: Curves
    observed: Array
    predicted: Array

    @property
    def judged(self) -> Flags:
        """Points that were hidden from the fit and measured, shape (R, K)."""
        hidden = np.broadcast_to(self.split.held_out[:, None], self.observed.shape)
        if np.isfinite(self.split.most_k):
            hidden = hidden & (self.curves.k > self.split.most_k)
        return hidden & (self.observed > 0) & np.isfinite(self.predicted)

    @property
    def residual(self) -> Array:
        """Observed less predicted on the scale where errors are even, shape (R, K)."""
        return to_scale(self.metric, self.observed) - to_scale(self.metric, self.predicted)

    @property
    def within(self) -> Array:
        """The residuals of the points fitted, NaN elsewhere, shape (R, K)."""
        fitted = self.split.train[:, None] & (self.curves.k <= self.split.most_k)
        return np.where(fitted, self.residual, np.nan)

    @property
    def ratio(self) -> Array:
        """|residual| over s_k·(1 + λ·distance) of the points judged: what an interval's q has to exceed; shape (n,)."""
        curves, train = self.curves, self.split.train
        away = Support.of(curves.N[train], curves.D[train]).distance(curves.N, curves.D)
        s = spread_within(self.within)
        if np.isfinite(self.split.most_k):
            s = np.where(curves.k <= self.split.most_k, s, s[np.sum(curves.k <= self.split.most_k) - 1])
        scale = s * (1 + PER_LOG_UNIT * away[:, None])
        return (np.abs(self.residual) / scale)[self.judged]

    def errors(self) -> dict[str, float]:
        """Mean errors over the points judged; NaN where none can be had.

        relative   |predicted − observed| / observed; of −log pass@k only above 0.02 nats
        absolute   |predicted − observed|
        log        |log predicted − log observed|
        even       |error| on the scale of intervals (logit pass@k), and `bias` its signed mean, predicted − observed
        """
        judged = self.judged
        observed, predicted = self.observed[judged], self.predicted[judged]
        off = np.abs(predicted - observed)
        solid = observed > (LEAST_NATS if self.metric == "neg_log_pass_at_k" else 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.abs(np.log(predicted) - np.log(observed))
        return {
            "relative": _mean(off[solid] / observed[solid]),
            "absolute": _mean(off),
            "log": _mean(log),
            "even": _mean(np.abs(self.residual[judged])),
            "bias": -_mean(self.residual[judged]),
            "points": float(judged.sum()),
        }


def trials(
    law: type[Law],
    curves: Curves,
    measurements: Measurements | None,
    split: Split,
    options: FitOptions,
    only_pass: bool = False,
) -> list[Trial]:
    """The law fitted to the split's one side, in every metric that it can say, or in pass@k only.

    A law of the mean −log pass@k cannot say pass@k; for that it is fitted again to −log of the mean.
    """
    again = law.samples and law.metric == "neg_log_pass_at_k" and curves.target != "neg_log_mean"
    found = [] if again and only_pass else _trial(law, curves, measurements, split, options)
    if again:
        with np.errstate(divide="ignore"):
            mean = -np.log(curves.pass_at_k)
        mean[~np.isfinite(mean)] = np.nan
        table = replace(curves, value=mean, target="neg_log_mean")
        found += [t for t in _trial(law, table, measurements, split, options) if t.metric == "pass_at_k"]
    return [trial for trial in found if trial.metric == "pass_at_k" or not only_pass]


def _trial(
    law: type[Law], curves: Curves, measurements: Measurements | None, split: Split, options: FitOptions
) -> list[Trial]:
    part = None if measurements is None else measurements.take(split.train)
    fitted, _ = law.of(curves.take(split.train, split.most_k), options, part)
    return judge(fitted, curves, split)


def judge(law: Law, curves: Curves, split: Split) -> list[Trial]:
    """What a law already fitted says of all runs, in every metric that it can say."""
    said: list[Metric] = ["loss"] if law.metric == "loss" else [m for m in law.metrics if m != "loss"]
    N, D = curves.N[:, None], curves.D[:, None]
    return [
        Trial(
            law.name, metric, law.neg_log_target, split, curves, observed_in(curves, metric, law.neg_log_target),
            np.broadcast_to(law.predict(N, D, curves.k, metric), curves.value.shape),
        )
        for metric in said
    ]  # fmt: skip


def observed_in(curves: Curves, metric: Metric, target: Target) -> Array:
    """The measurements in a metric, shape (R, K)."""
    if metric == "pass_at_k":
        return curves.pass_at_k
    if metric == "loss" or target == curves.target:
        return curves.value
    with np.errstate(divide="ignore"):
        return -np.log(curves.pass_at_k)


def folds(
    law: type[Law],
    curves: Curves,
    measurements: Measurements | None,
    split: Split,
    options: FitOptions,
    only_pass: bool = False,
) -> list[list[Trial]]:
    """The trials of each inner split."""
    inner = inner_splits(curves, split, FEWEST_IN_FOLD)
    able = [part for part in inner if law.check(curves.take(part.train, part.most_k)) is None]
    return [trials(law, curves, measurements, part, options, only_pass) for part in able]


def spread(trial: Trial, inner: Sequence[Sequence[Trial]]) -> Spread | None:
    """How wide the intervals of this trial's law and metric are, from its inner backtests."""
    same = [other for fold in inner for other in fold if other.metric == trial.metric]
    return spread_of(trial.metric, trial.curves.k, trial.within, [other.ratio for other in same])


def coverage(trial: Trial, width: Spread | None) -> dict[str, float]:
    """Share of the points judged that the intervals at 50, 80 and 90 % hold."""
    ratio = trial.ratio
    return {
        f"covered_{round(100 * level)}": float("nan")
        if width is None or not ratio.size
        else float(np.mean(ratio <= quantile_at(width.q, level)))
        for level in COVERAGE
    }


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.mean(finite)) if finite.size else float("nan")


def mean_of(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    """Mean of a number over rows, those where it is not finite left out."""
    return _mean(np.array([row[key] for row in rows], dtype=float))
