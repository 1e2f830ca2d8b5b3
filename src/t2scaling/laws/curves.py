"""From per-question outcomes to one value per run and k: what the laws are fitted to.

`curves` averages the measurements; `resampled_curves` does the same for many reweightings of the questions at once,
as the bootstrap over questions needs: one matrix product per k gives every replicate.
Shapes: R runs, Q questions, K values of k, B replicates.
"""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.errors import DataError, unknown
from t2scaling.laws.base import check_samples
from t2scaling.laws.measurements import Curves, Measurements, Target
from t2scaling.passk import log_fail_from_nll, mean_and_error, pass_at_k
from t2scaling.units import parse_numbers

_BLOCK = 2**16  # outcomes worked on at a time
_TINY = 1e-290


def default_target(measurements: Measurements) -> Target:
    """The paper's mean of −log pass@k from likelihoods; from counts −log of the mean, which stays finite at c = 0."""
    return "mean_neg_log" if measurements.kind == "nll" else "neg_log_mean"


def curves(measurements: Measurements, k: ArrayLike, target: Target | Literal["auto"] = "auto") -> Curves:
    """Average the outcomes over questions at each k.

    k        samples per problem, sorted and made to start at 1
    target   "mean_neg_log" = E[−log pass@k], "neg_log_mean" = −log E[pass@k], "auto" by the kind of outcome
    A run's value at k is NaN where one of its questions has fewer than k samples, and where it would be infinite.
    Raises ArgumentError where k < 1 or a likelihood is negative, DataError where there are no outcomes at all.
    """
    k = sample_counts(k)
    if target not in ("auto", *get_args(Target)):
        raise unknown("target", target, ("auto", *get_args(Target)))
    chosen: Target = default_target(measurements) if target == "auto" else target
    shape = (len(measurements.run_id), len(k))
    passed, se, value = np.empty(shape), np.empty(shape), np.empty(shape)
    for rows, j, table, cost in _outcomes(measurements, k, chosen):
        passed[rows, j], se[rows, j] = _mean_and_error(measurements, table)
        undefined = _undefined(measurements, rows, table)
        passed[rows, j] = np.where(undefined, np.nan, passed[rows, j])
        if cost is not None:
            mean = _weighted_mean(cost, measurements.question_weight[:, None])[0]
            value[rows, j] = np.where(undefined, np.nan, mean)
    if chosen == "neg_log_mean":
        value = _neg_log(passed)
    se[np.isnan(passed)] = np.nan
    value[~np.isfinite(value)] = np.nan
    return Curves(
        measurements.task, measurements.run_id, measurements.N, measurements.D, k, value, passed, se, chosen,
        measurements.train_flops, measurements.overtrained, measurements.conventions, measurements.data_hash,
        _chances(measurements),
    )  # fmt: skip


def _chances(measurements: Measurements) -> Array | None:
    """Distinct chances of a guess and the share of the questions that have them, (2, C); None where one is unknown."""
    chance = measurements.chance
    if chance is None or np.isnan(chance).any():
        return None
    distinct, where = np.unique(chance, return_inverse=True)
    return np.stack([distinct, np.bincount(where, measurements.question_weight) / measurements.question_weight.sum()])


def resampled_curves(measurements: Measurements, fitted: Curves, counts: Array) -> tuple[Array, Array]:
    """Value and pass@k, each (B, R, K), with question q counted counts[b, q] times; one matrix product per k.

    fitted   the curves of the full data: its k, its target, and NaN wherever it has NaN
    counts   shape (B, Q)
    """
    weight = (measurements.question_weight * counts).T
    shape = (len(counts), *fitted.value.shape)
    value, passed = np.empty(shape), np.empty(shape)
    for rows, j, table, cost in _outcomes(measurements, fitted.k, fitted.target):
        passed[:, rows, j] = _weighted_mean(table, weight)
        if cost is not None:
            value[:, rows, j] = _weighted_mean(cost, weight)
    if fitted.target == "neg_log_mean":
        value = _neg_log(passed)
    passed[:, np.isnan(fitted.pass_at_k)] = np.nan
    value[:, np.isnan(fitted.value)] = np.nan
    value[~np.isfinite(value)] = np.nan
    return value, passed


def _weighted_mean(table: Array, weight: Array) -> Array:
    """Mean over questions of table (R, Q) under weights (Q, B), missing questions left out; shape (B, R)."""
    missing = np.isnan(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        if not missing.any():
            return np.asarray((table @ weight).T / weight.sum(axis=0)[:, None])
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


def sample_counts(k: ArrayLike | str) -> Array:
    """k sorted, distinct, and starting at 1; text such as "1,2,4" too. Raises ArgumentError where k < 1."""
    k = parse_numbers(k, "k") if isinstance(k, str) else k
    return np.union1d([1.0], check_samples(k).ravel())


def most_samples(measurements: Measurements) -> float:
    """The largest k that at least half of the runs can tell of: infinite for likelihoods."""
    if measurements.n is None:
        return np.inf
    fewest = np.min(np.where(measurements.n > 0, measurements.n, np.inf), axis=1)
    return float(np.median(fewest))


def _outcomes(measurements: Measurements, k: Array, target: Target) -> Iterator[tuple[slice, int, Array, Array | None]]:
    """Some runs and one k at a time: which runs, which k, their pass@k per question (r, Q) and, where the target
    averages it, its −log; NaN where undefined. Blocks of runs are small enough to stay in the cache.
    """
    step = max(1, _BLOCK // max(1, len(measurements.question_weight)))
    for start in range(0, len(measurements.run_id), step):
        rows = slice(start, start + step)
        if measurements.nll is not None:
            pairs = _from_likelihoods(np.asarray(measurements.nll[rows], dtype=float), k, target)
        elif measurements.n is not None and measurements.c is not None:
            pairs = _from_counts(measurements.n[rows], measurements.c[rows], k, target)
        else:
            raise DataError("the measurements hold neither `nll` nor counts `n` and `c`: give one of them.")
        for j, (passed, cost) in enumerate(pairs):
            yield rows, j, passed, cost


def _from_likelihoods(nll: Array, k: Array, target: Target) -> Iterator[tuple[Array, Array | None]]:
    """As `passk.pass_at_k_from_nll`, with log(1 − p) taken once for all k."""
    log_fail = log_fail_from_nll(nll)
    with np.errstate(divide="ignore", under="ignore"):
        for samples in k:
            passed = -np.expm1(samples * log_fail)
            cost = None
            if target == "mean_neg_log":
                # Where pass@k underflows it is k·p, whose −log does not.
                cost = np.where(passed < _TINY, nll - np.log(samples), -np.log(passed))
            yield passed, cost


def _from_counts(n: Array, c: Array, k: Array, target: Target) -> Iterator[tuple[Array, Array | None]]:
    table = pass_at_k(n, c, k)
    for j in range(len(k)):
        passed = table[..., j]
        yield passed, _neg_log(passed) if target == "mean_neg_log" else None


def _undefined(measurements: Measurements, rows: slice, table: Array) -> Flags:
    """Runs (r,) with a question that was sampled, but fewer than k times. A question that a run lacks is left out."""
    if measurements.n is None:
        return np.zeros(len(table), dtype=bool)
    return np.any(np.isnan(table) & (measurements.n[rows] > 0), axis=1)


def _neg_log(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return -np.log(values)
