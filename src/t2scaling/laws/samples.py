"""More samples from few: pass@k beyond the samples drawn, and how many samples a stated error takes.

Up to the samples of a run pass@k is the unbiased estimate. Beyond them it is extrapolated, by a zero-inflated
beta-binomial over the run's questions, and marked so; the plug-in 1 − (1 − c/n)^k is never used, since it calls every
question unsolvable that was not solved yet.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws.base import check_samples
from t2scaling.laws.curves import curves
from t2scaling.laws.measurements import Measurements
from t2scaling.laws.solvers.zero_inflated import ZeroInflatedFits, fit_zero_inflated
from t2scaling.passk import pass_at_k

REPLICATES = 40  # simulated benchmarks behind an error
_MOST = 2.0**20


@dataclass(frozen=True)
class MoreSamples:
    """pass@k of every run.

    k             shape (K,)
    pass_at_k     shape (R, K)
    extrapolated  shape (R, K): k is beyond the samples of the run's questions
    share, a, b   shape (R,): share of questions never solved, and the Beta of the others' success rates
    """

    run_id: tuple[str, ...]
    k: Array
    pass_at_k: Array
    extrapolated: Flags
    share: Array
    a: Array
    b: Array


def more_samples(measurements: Measurements, k: ArrayLike) -> MoreSamples:
    """pass@k of every run at any k, from counts.

    Raises DataError for likelihoods, which say pass@k at any k by themselves, ArgumentError where k < 1.
    """
    n, c = _counts(measurements)
    wanted = np.atleast_1d(check_samples(k)).astype(float)
    fits = fit_zero_inflated(n, c)
    table = curves(measurements, wanted, "neg_log_mean")
    measured = table.pass_at_k[:, np.searchsorted(table.k, wanted)]
    beyond = np.isnan(measured)
    value = np.where(beyond, fits.pass_at_k(wanted), measured)
    return MoreSamples(measurements.run_id, wanted, value, beyond, fits.share, fits.a, fits.b)


def samples_needed(measurements: Measurements, k: float, error: float, rng: np.random.Generator) -> Array:
    """Samples per question at which pass@k of each run would be known to a relative error, shape (R,); infinite where
    a million do not suffice.

    The run's fitted distribution stands for its questions: benchmarks are drawn from it, sampled n times, and judged by
    `more_samples`' own rule at n = 8, 16, 32 …; the error is the root mean square of log(estimate/truth), from the
    samples alone, for the questions there are.
    """
    if not 0 < error < 1:
        raise ArgumentError(f"`error` = {error:g} is a relative error: give a share such as 0.05.")
    k = float(check_samples(k))
    n, c = _counts(measurements)
    fits = fit_zero_inflated(n, c)
    return np.array([_needed(fits, run, int(np.sum(n[run] > 0)), k, error, rng) for run in range(len(n))])


def _needed(fits: ZeroInflatedFits, run: int, Q: int, k: float, error: float, rng: np.random.Generator) -> float:
    p = rng.beta(fits.a[run], fits.b[run], (REPLICATES, Q)) * (rng.random((REPLICATES, Q)) >= fits.share[run])
    truth = -np.expm1(k * np.log1p(-np.minimum(p, 1 - 1e-12))).mean(axis=1)
    samples = 8.0
    while samples <= _MOST:
        c = rng.binomial(int(samples), p).astype(float)
        some = (c.sum(axis=1) > 0) & (truth > 0)
        if some.mean() > 0.95 and _error(c[some], samples, k, truth[some]) <= error:
            return samples
        samples *= 2
    return float("inf")


def _error(c: Array, samples: float, k: float, truth: Array) -> float:
    n = np.full(c.shape, samples)
    if samples >= k:
        estimate = pass_at_k(n, c, k).mean(axis=1)
    else:
        estimate = fit_zero_inflated(n, c).pass_at_k(np.array([k]))[:, 0]
    return float(np.sqrt(np.mean(np.log(estimate / truth) ** 2)))


def _counts(measurements: Measurements) -> tuple[Array, Array]:
    if measurements.n is None or measurements.c is None:
        raise DataError(
            "these are likelihoods, which say pass@k at any k by themselves: more samples from few is for counts "
            "(n_samples and n_correct)."
        )
    return measurements.n, measurements.c
