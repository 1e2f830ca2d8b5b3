"""A law against the runs: predicted and observed at each run's own k, and how far apart they are.

The one place where errors on held-out runs are computed, for the page's Figure 4 and for the results of a suite.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Flags
from t2scaling.errors import FitError
from t2scaling.laws import fit
from t2scaling.laws.measurements import Measurements
from t2scaling.laws.result import FitResult
from t2scaling.report.observed import values_at
from t2scaling.report.runs import overtrained, samples_at

_FEWEST_RUNS = 12  # a law of seven parameters is not refitted to fewer


@dataclass(frozen=True)
class Errors:
    """Over the runs where both sides are defined and something was observed; NaN if there is none.

    mean, median   of |predicted − observed| / observed
    bias           mean of (predicted − observed) / observed
    absolute       mean of |predicted − observed|
    lowest, highest   observed
    """

    n: int
    mean: float
    median: float
    bias: float
    absolute: float
    lowest: float
    highest: float


def errors(predicted: Array, observed: Array) -> Errors:
    """How far predictions (R,) are from observations (R,)."""
    good = np.isfinite(predicted) & np.isfinite(observed) & (observed > 0)
    if not good.any():
        return Errors(0, *[float("nan")] * 6)
    seen, off = observed[good], predicted[good] - observed[good]
    size = np.abs(off) / seen
    numbers = size.mean(), np.median(size), (off / seen).mean(), np.abs(off).mean(), seen.min(), seen.max()
    return Errors(int(good.sum()), *(float(number) for number in numbers))


@dataclass(frozen=True)
class Agreement:
    """Predicted and observed values of every run, shape (R,), NaN where the budget is below one sample.

    overtrained   which runs the suite marks as such
    forecast      whether the predicting law was fitted without these
    """

    predicted: Array
    observed: Array
    overtrained: Flags
    forecast: bool

    def errors(self, runs: Flags) -> Errors:
        """How far off the runs of a mask (R,) are."""
        return errors(self.predicted[runs], self.observed[runs])


def agreement(
    fitted: FitResult, inference_flops: float, held: FitResult | None = None, data: Measurements | None = None
) -> Agreement:
    """Every run at k = C_inf/(2·N), or at k = 1 for a law without k.

    held   the same law fitted without the overtrained runs: it then predicts all of them
    data   the measurements behind the fit, for observed values without interpolation
    """
    runs = fitted.curves
    k = samples_at(runs.N, inference_flops) if fitted.law.samples else np.ones(len(runs.N))
    good = np.isfinite(k)
    predicted = np.full(len(k), np.nan)
    predicted[good] = (held or fitted).law.predict(runs.N[good], runs.D[good], k[good])
    return Agreement(predicted, values_at(fitted, k, data), overtrained(runs), held is not None)


def refit(fitted: FitResult, keep: Flags) -> FitResult | None:
    """The same law on the runs where `keep` (R,); None where these are too few or hold no law."""
    if keep.all() or keep.sum() < _FEWEST_RUNS:
        return None
    try:
        return fit(fitted.curves.take(keep), law=fitted.law.name, seed=fitted.seed, quality=False)
    except FitError:
        return None


def hold_out(fitted: FitResult) -> FitResult | None:
    """The same law fitted without the overtrained runs; None where none is marked or too few others remain."""
    return refit(fitted, ~overtrained(fitted.curves))
