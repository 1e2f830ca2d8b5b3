"""`fit`: measurements in, a `FitResult` out.

Measurements become curves over an explicit list of k (`curves`), a law is fitted to them (`Law.fit`), the fit is judged
(`cautions`) and, on request, refitted to resampled data (`bootstrap`).
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs import sample_flops
from t2scaling.errors import ArgumentError, DataError, FitError, unknown
from t2scaling.laws import cautions
from t2scaling.laws.base import FEWEST_RUNS, Law
from t2scaling.laws.bootstrap import bootstrap
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.curves import most_samples, sample_counts
from t2scaling.laws.default import AUTO, resolve
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.options import DELTA, EXPONENT_BOUNDS, FitOptions, Solver
from t2scaling.laws.quality import quality
from t2scaling.laws.result import Bootstrap, FitResult, FitStatus
from t2scaling.laws.support import Support
from t2scaling.units import format_number

Objective = Literal["sse", "log_sse", "log_huber"]
_SOLVER_OF: dict[Objective, Solver] = {"sse": "varpro", "log_sse": "log_sse", "log_huber": "huber"}
GRID_POINTS = 12
MOST_MISSED = 0.5  # of a value, in the median: a law that misses more is no description of its own data


def fit(
    data: Any, law: str = AUTO, task: str | None = None, k: ArrayLike | str | None = None, **options: Any
) -> FitResult:
    """Fit a law to measurements.

    data     Observations, or anything with `.measurements(task=, stage=)`; or `Measurements`; or `Curves`
    law      "auto": the bottleneck law plans, its quantile form gives the numbers on likelihoods, the paper's two stand
             beside it; or one law, "bottleneck", "loss" (Approach 1), "accuracy" (Approach 2), "chinchilla" (k = 1
             only), "naive" (the foil), or any other name in `LAWS`
    task     name of a task, "macro" for the mean over tasks, None where there is only one
    k        samples per problem to fit at, at least 1; 1 is always added. Default: see `default_k`
    options  the fields of `FitOptions`: solver, bounds, bootstrap, seed, …

    Raises DataError where the data cannot carry the law, FitError where no usable law was found, ArgumentError for
    impossible arguments.
    """
    chosen = FitOptions.of(**options)
    plans, _, _ = resolve(law, "counts")
    measurements, curves, notes = _prepare(data, plans, task, k, chosen)
    plans, numbers, beside = resolve(law, "counts" if measurements is None else measurements.kind)
    if measurements is not None and numbers is not None:
        measurements = measurements.with_quantiles()
    best, found = plans.of(curves, chosen, measurements)
    residuals = best.observed(curves) - best.predict(curves.N[:, None], curves.D[:, None], curves.k)
    status = _status(best, bool(found.converged[0]), chosen)
    if status is FitStatus.FAILED:
        raise FitError(f"the {plans.name} law did not fit {curves.task}: {status.value}", best)
    if status.usable and _median_miss(best.observed(curves), residuals) > MOST_MISSED:
        status = FitStatus.POOR
    boot = _bootstrap(best, curves, chosen, measurements) if chosen.bootstrap else None
    if boot is not None and boot.over != chosen.bootstrap_over:
        notes.append("only runs were resampled: the curves given do not hold single questions.")
    speaking = None if numbers is None else numbers.of(curves, chosen, measurements)[0]
    others = tuple(cls.of(curves, chosen, measurements)[0] for cls in beside if cls.check(curves) is None)
    fitted = FitResult(
        law=best,
        task=curves.task,
        target=curves.target,
        status=status,
        objective=float(found.value[0]),
        solver=chosen.solver,
        curves=curves,
        residuals=residuals,
        support=Support.of(curves.N, curves.D, curves.k, curves.train_flops),
        conventions=dict(curves.conventions),
        data_hash=curves.data_hash,
        seed=chosen.seed,
        warnings=(*notes, *best.cautions(curves, chosen), *cautions.general(best, curves)),
        bootstrap=boot,
        numbers=speaking,
        others=others,
    )
    return judged(fitted, measurements, chosen) if chosen.quality else fitted


def judged(fit: FitResult, measurements: Measurements | None, options: FitOptions) -> FitResult:
    """The fit with its quality, from a short backtest of all its laws, and what that warns of."""
    speakers = {metric: fit.speaker(metric) for metric in fit.metrics if metric != "loss" or fit.law.metric == "loss"}
    found = quality(speakers, fit.laws, fit.curves, measurements, options)
    return replace(fit, quality=found, warnings=(*fit.warnings, *found.warnings()))


def _bootstrap(law: Law, curves: Curves, options: FitOptions, measurements: Measurements | None) -> Bootstrap:
    if not law.resamples:
        raise ArgumentError(
            f"`bootstrap` = {options.bootstrap} means nothing for the {law.name} law, whose parameters are a table of "
            "the runs: leave it out, its intervals come from the backtest."
        )
    if measurements is None and options.bootstrap_over == "questions":
        raise ArgumentError(
            "`bootstrap_over` = questions has none to draw: the data hold means over questions. Draw runs."
        )
    return bootstrap(law, curves, options, measurements)


def _status(law: Law, converged: bool, options: FitOptions) -> FitStatus:
    if not np.all(np.isfinite(list(law.parameters.values()))):
        return FitStatus.FAILED
    if not converged:
        return FitStatus.MAX_ITERATIONS
    return FitStatus.AT_BOUND if law.at_bound(options) else FitStatus.CONVERGED


def _median_miss(observed: Array, residuals: Array) -> float:
    """The median of |predicted/observed − 1| over all runs and k with something to be relative to."""
    some = np.isfinite(residuals) & (observed > 0)
    return float(np.median(np.abs(residuals[some] / observed[some]))) if some.any() else 0.0


def fit_chinchilla(
    N: ArrayLike,
    D: ArrayLike,
    loss: ArrayLike,
    *,
    objective: Objective = "sse",
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    delta: float = DELTA,
    bootstrap: int = 0,
    seed: int = 0,
) -> FitResult:
    """Fit L = E + A·N^−alpha + B·D^−beta to plain arrays of parameters, tokens and losses (nats), all of shape (R,).

    objective   "sse": raw squares; "log_sse": squares of log errors; "log_huber": Hoffmann's
    Raises as `fit` does, and DataError where the arrays differ in length or hold what is not positive.
    """
    if objective not in _SOLVER_OF:
        raise unknown("objective", objective, _SOLVER_OF)
    arrays = {"N": N, "D": D, "loss": loss}
    sizes, tokens, losses = (_positive(name, np.asarray(value, dtype=float)) for name, value in arrays.items())
    if not sizes.shape == tokens.shape == losses.shape:
        raise DataError(f"N, D and loss must be of one length, got {sizes.shape}, {tokens.shape}, {losses.shape}.")
    blank = np.full((len(losses), 1), np.nan)
    names = tuple(str(i) for i in range(len(losses)))
    curves = Curves("loss", names, sizes, tokens, np.ones(1), losses[:, None], blank, blank, "mean_neg_log")
    return fit(
        curves, law="chinchilla", solver=_SOLVER_OF[objective], bounds=bounds, delta=delta, bootstrap=bootstrap,
        bootstrap_over="runs", seed=seed,
    )  # fmt: skip


def default_k(N: Array, inference_flops: float | None = None, most: float = np.inf) -> Array:
    """Twelve real k, log-spaced from 1 to what the smallest model affords: inference_flops / (2·N_min).

    inference_flops   FLOPs per token served; default 2·N_max, which lets every model draw one sample
    most              the largest k that the data can tell of
    """
    one_sample = sample_flops(N, 1)
    budget = float(np.max(one_sample)) if inference_flops is None else inference_flops
    afforded = budget / float(np.min(one_sample))
    if not afforded >= 1:
        raise ArgumentError(
            f"`inference_flops` = {budget:g} buys no sample of the smallest model (2·N = {np.min(one_sample):g}): "
            "raise it."
        )
    top = min(afforded, most)
    return np.array([1.0]) if top <= 1 else np.geomspace(1, top, GRID_POINTS)


def _prepare(
    data: Any, law: type[Law], task: str | None, k: ArrayLike | str | None, options: FitOptions
) -> tuple[Measurements | None, Curves, list[str]]:
    """Measurements (None for bare curves), curves without empty k, and notes on what was left out."""
    notes: list[str] = []
    if isinstance(data, Curves):
        measurements, curves = None, data
    else:
        measurements = data if isinstance(data, Measurements) else data.measurements(task=task, stage=options.stage)
        counts = _counts(measurements, k, options.serving_flops, notes) if law.samples else np.ones(1)
        curves = make_curves(measurements, counts, options.target)
    if not law.samples and len(curves.k) > 1:
        curves = curves.at_k(curves.k == 1)
    curves = _drop_empty_k(curves, notes)
    _check_enough(curves, law, notes)
    return measurements, curves, notes


def _counts(
    measurements: Measurements, k: ArrayLike | str | None, inference_flops: float | None, notes: list[str]
) -> Array:
    if k is not None:
        return sample_counts(k)
    most = most_samples(measurements)
    wanted = default_k(measurements.N, inference_flops)
    if wanted[-1] > most:
        notes.append(
            f"the budget affords k up to {format_number(wanted[-1])}, the data have samples for k up to "
            f"{format_number(most)}: the fit ends there. Sample more per question to go further."
        )
    return default_k(measurements.N, inference_flops, most)


def _drop_empty_k(curves: Curves, notes: list[str]) -> Curves:
    """Without the k at which no run is measured; k = 1 stays. Curves with no pass@k at all are judged by value."""
    measured = np.any(np.isfinite(curves.value) | np.isfinite(curves.pass_at_k), axis=0)
    if measured.all():
        return curves
    if not measured[0]:
        raise DataError(f"no run of {curves.task} has a value at k = 1: check the outcomes with `t2 validate`.")
    beyond = ", ".join(format_number(value) for value in curves.k[~measured])
    notes.append(f"dropped k = {beyond}: no run has that many samples per question.")
    return curves.at_k(measured)


def _check_enough(curves: Curves, law: type[Law], notes: list[str]) -> None:
    usable = int(np.sum(np.isfinite(curves.value[:, 0])))
    if usable < FEWEST_RUNS:
        raise DataError(
            f"{usable} of {len(curves.N)} runs have a finite loss at k = 1, and a law in N and D has {FEWEST_RUNS} "
            "parameters: add runs, or runs that solve at least one question."
        )
    reason = law.check(curves)
    if reason:
        raise DataError(" ".join([reason, *notes]))


def _positive(name: str, values: Array) -> Array:
    if values.ndim != 1 or not np.all(np.isfinite(values) & (values > 0)):
        raise DataError(f"`{name}` must be a list of positive finite numbers.")
    return values
