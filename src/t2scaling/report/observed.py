"""What was measured, in the metric of a law, at the k of a grid or at each run's own k. Nothing here is fitted.

From the averages that a fit keeps, values between its k are interpolated; from measurements of every question they
are exact. Shapes: R runs, Q questions, K values of k.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array
from t2scaling.laws.base import Metric
from t2scaling.laws.curves import curves as average
from t2scaling.laws.measurements import Measurements
from t2scaling.laws.result import FitResult
from t2scaling.passk import guessing, mean_and_error, neg_log_pass_at_k_from_nll, pass_at_k, pass_at_k_from_nll
from t2scaling.report.runs import levels, over_seeds


def grid_values(fit: FitResult) -> Array:
    """Observed values in the law's metric, shape (R, K); K = 1 for a law without k."""
    return fit.law.observed(fit.curves)[:, : None if fit.law.samples else 1]


def values_at(fit: FitResult, k: Array | float, data: Measurements | None = None) -> Array:
    """Observed values of each run at its own k, shape (R,), in the metric of the law; NaN beyond what the data reach.

    data   the measurements behind the fit: values are then exact. Without them they are interpolated in log k (of
           log pass@k for pass@k: both are close to straight lines there)
    """
    own = np.broadcast_to(np.asarray(k, dtype=float), len(fit.curves.N))
    if data is None:
        return _interpolated(fit, own)
    exact = average(data, own[np.isfinite(own)], fit.target)
    return _at_own(exact.k, fit.law.observed(exact), own)


def _at_own(k: Array, table: Array, own: Array) -> Array:
    """The entry of each row of `table` (R, K) at the row's own k, NaN where that is NaN; `k` holds every own k."""
    at = np.minimum(np.searchsorted(k, own), table.shape[1] - 1)
    return np.where(np.isfinite(own), np.take_along_axis(table, at[:, None], axis=1)[:, 0], np.nan)


def _interpolated(fit: FitResult, k: Array) -> Array:
    values, log_k, wanted = grid_values(fit), np.log(fit.curves.k), np.log(k)
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


@dataclass(frozen=True)
class Readings:
    """Mean pass@k of each run at its own k, with the standard error over questions; shape (R,), NaN where k < 1."""

    k: Array
    pass_at_k: Array
    se: Array


def readings(data: Measurements, k: Array) -> Readings:
    """Mean pass@k of every run at its own k, shape (R,)."""
    exact = average(data, k[np.isfinite(k)])
    return Readings(k, _at_own(exact.k, exact.pass_at_k, k), _at_own(exact.k, exact.se, k))


def in_nats(data: Measurements, k: Array) -> Array:
    """Mean −log pass@k of every run at its own k, shape (R,), from the likelihoods; NaN where k is."""
    found = np.full(len(k), np.nan)
    for run in np.flatnonzero(np.isfinite(k)):
        values = question_values(data, int(run), float(k[run]), "neg_log_pass_at_k")
        found[run] = mean_and_error(values, data.question_weight)[0]
    return found


def guesses(data: Measurements, k: Array, metric: Metric = "pass_at_k") -> Array:
    """What a guesser that knows only the questions' form reaches at each k (R,); NaN where the data do not say."""
    good = np.isfinite(k)
    found = np.full(len(k), np.nan)
    if data.chance is None or not good.any():
        return found
    if metric == "pass_at_k":
        found[good] = guessing(data.chance, k[good], data.question_weight)
        return found
    with np.errstate(divide="ignore"):  # a question that cannot be guessed costs infinitely much
        values = neg_log_pass_at_k_from_nll(-np.log(data.chance), k[good]).T
    found[good] = mean_and_error(values, data.question_weight)[0]
    return found


def task_loss(data: Measurements) -> Array:
    """The k = 1 loss of each run in nats, shape (R,)."""
    return average(data, [1.0]).loss


def question_values(data: Measurements, run: int, k: float, metric: Metric = "pass_at_k") -> Array:
    """pass@k, or −log pass@k, of one run on each question, shape (Q,)."""
    if data.nll is not None:
        return (pass_at_k_from_nll if metric == "pass_at_k" else neg_log_pass_at_k_from_nll)(data.nll[run], k)
    assert data.n is not None
    assert data.c is not None
    return pass_at_k(data.n[run], data.c[run], k)


def inner_minima(data: Measurements) -> list[bool]:
    """For each level of three sizes or more: is the smallest k = 1 loss (mean over seeds) at neither end in N?"""
    loss = over_seeds(data, task_loss(data))
    found = []
    for level in levels(data):
        N = data.N[level.runs]
        if np.unique(N).size >= 3:
            found.append(bool(N[0] < N[np.argmin(loss[level.runs])] < N[-1]))
    return found
