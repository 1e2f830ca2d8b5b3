"""From per-question outcomes to one value per run and k: what the laws are fitted to.

`curves` averages the measurements; `Resampler` does the same for many reweightings of the questions at once, as the
bootstrap over questions needs: one matrix product per k gives every replicate.
Shapes: R runs, Q questions, K values of k, B replicates.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.errors import DataError
from t2scaling.laws.forms import check_samples
from t2scaling.laws.measurements import Curves, Measurements, Target
from t2scaling.passk import mean_and_error, neg_log_pass_at_k_from_nll, pass_at_k, pass_at_k_from_nll

Array = NDArray[np.float64]


def default_target(measurements: Measurements) -> Target:
    """The paper's mean of −log pass@k from likelihoods; from counts −log of the mean, which stays finite at c = 0."""
    return "mean_neg_log" if measurements.kind == "nll" else "neg_log_mean"


def curves(measurements: Measurements, k: ArrayLike, target: Target | Literal["auto"] = "auto") -> Curves:
    """Average the outcomes over questions at each k.

    k        samples per problem, sorted and made to start at 1
    target   "mean_neg_log" = E[−log pass@k], "neg_log_mean" = −log E[pass@k], "auto" by the kind of outcome
    A run's value at k is NaN where one of its questions has fewer than k samples, and where it would be infinite.
    Raises DataError if the likelihoods are means per token and target "neg_log_mean" would read them as chances.
    """
    k = sample_counts(k)
    chosen: Target = default_target(measurements) if target == "auto" else target
    shape = (len(measurements.run_id), len(k))
    passed, se, value = np.empty(shape), np.empty(shape), np.empty(shape)
    for j, samples in enumerate(k):
        table, cost = outcome_tables(measurements, float(samples), chosen)
        passed[:, j], se[:, j] = _mean_and_error(measurements, table)
        undefined = undefined_runs(measurements, table)
        passed[undefined, j] = se[undefined, j] = np.nan
        value[:, j] = _neg_log(passed[:, j]) if cost is None else _mean_and_error(measurements, cost)[0]
        value[undefined | ~np.isfinite(value[:, j]), j] = np.nan
    return Curves(
        measurements.task, measurements.run_id, measurements.N, measurements.D, k, value, passed, se, chosen,
        measurements.train_flops, measurements.overtrained, measurements.conventions, measurements.data_hash,
    )  # fmt: skip


def resampled_curves(measurements: Measurements, fitted: Curves, counts: Array) -> tuple[Array, Array]:
    """Value and pass@k, each (B, R, K), with question q counted counts[b, q] times; one matrix product per k.

    fitted   the curves of the full data: its k, its target, and NaN wherever it has NaN
    counts   shape (B, Q)
    """
    weight = (measurements.question_weight * counts).T
    shape = (len(counts), *fitted.value.shape)
    value, passed = np.empty(shape), np.empty(shape)
    for j, samples in enumerate(fitted.k):
        table, cost = outcome_tables(measurements, float(samples), fitted.target)
        passed[:, :, j] = _weighted_mean(table, weight)
        value[:, :, j] = _neg_log(passed[:, :, j]) if cost is None else _weighted_mean(cost, weight)
    passed[:, np.isnan(fitted.pass_at_k)] = np.nan
    value[:, np.isnan(fitted.value)] = np.nan
    value[~np.isfinite(value)] = np.nan
    return value, passed


def _weighted_mean(table: Array, weight: Array) -> Array:
    """Mean over questions of table (R, Q) under weights (Q, B), missing questions left out; shape (B, R)."""
    missing = np.isnan(table)
    if not missing.any():
        return np.asarray((table @ weight).T / weight.sum(axis=0)[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(((np.where(missing, 0.0, table) @ weight) / (~missing @ weight)).T)


def _mean_and_error(measurements: Measurements, table: Array) -> tuple[Array, Array]:
    """Weighted mean over questions (R,) and its standard error, the spread being taken within each task."""
    group = measurements.question_group
    if group is None:
        return mean_and_error(table, measurements.question_weight)
    mean, variance = np.zeros(len(table)), np.zeros(len(table))
    for label in np.unique(group):
        inside = group == label
        share = measurements.question_weight[inside]
        part, error = mean_and_error(table[:, inside], share)
        mean += share.sum() * part
        variance += (share.sum() * error) ** 2
    return mean, np.sqrt(variance)


def sample_counts(k: ArrayLike) -> Array:
    """k sorted, distinct, and starting at 1. Raises ValueError where k < 1."""
    return np.union1d([1.0], check_samples(k).ravel())


def most_samples(measurements: Measurements) -> float:
    """The largest k that at least half of the runs can tell of: infinite for likelihoods."""
    if measurements.n is None:
        return np.inf
    fewest = np.min(np.where(measurements.n > 0, measurements.n, np.inf), axis=1)
    return float(np.median(fewest))


def outcome_tables(measurements: Measurements, k: float, target: Target) -> tuple[Array, Array | None]:
    """pass@k of each run and question (R, Q), and its −log where the target averages that; NaN where undefined."""
    if measurements.nll is not None:
        passed = pass_at_k_from_nll(measurements.nll, k)
        return passed, neg_log_pass_at_k_from_nll(measurements.nll, k) if target == "mean_neg_log" else None
    if measurements.n is None or measurements.c is None:
        raise DataError("the measurements hold neither `nll` nor counts `n` and `c`: give one of them.")
    passed = pass_at_k(measurements.n, measurements.c, k)
    return passed, _neg_log(passed) if target == "mean_neg_log" else None


def undefined_runs(measurements: Measurements, table: Array) -> NDArray[np.bool_]:
    """Runs (R,) with a question that was sampled, but fewer than k times."""
    if measurements.n is None:
        return np.all(np.isnan(table), axis=1)
    return np.any(np.isnan(table) & (measurements.n > 0), axis=1) | np.all(np.isnan(table), axis=1)


def _neg_log(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return -np.log(values)
