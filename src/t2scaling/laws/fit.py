"""`fit`: measurements in, a `FitResult` out.

Measurements become curves over an explicit list of k (`curves`), a law is fitted to them (`solve`), the fit is
judged (`diagnose`) and, on request, refitted to resampled data (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.errors import DataError, FitError, unknown
from t2scaling.laws import diagnose
from t2scaling.laws.bootstrap import OVER, Over
from t2scaling.laws.bootstrap import bootstrap as resample
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.curves import most_samples, sample_counts
from t2scaling.laws.forms import ChinchillaLaw
from t2scaling.laws.isoflop import inverse_variance_weights
from t2scaling.laws.logfit import DELTA
from t2scaling.laws.measurements import Curves, Measurements, Target
from t2scaling.laws.restarts import RESTARTS
from t2scaling.laws.result import FitResult, FitStatus
from t2scaling.laws.serialise import AnyLaw, law_from_vector
from t2scaling.laws.solve import LAW_NAMES, SOLVERS, LawName, Recipe, Solver, Table, solve
from t2scaling.laws.varpro import EXPONENT_BOUNDS
from t2scaling.units import format_number

Array = NDArray[np.float64]
Objective = Literal["sse", "log_sse", "log_huber"]
_SOLVER_OF: dict[Objective, Solver] = {"sse": "varpro", "log_sse": "log_sse", "log_huber": "huber"}
GRID_POINTS = 12
FEWEST_RUNS = 5  # E, A, alpha, B and beta


def fit(
    data: Any,
    law: LawName = "loss",
    task: str | None = None,
    k: ArrayLike | None = None,
    *,
    inference_flops: float | None = None,
    target: Target | Literal["auto"] = "auto",
    solver: Solver = "varpro",
    weights: Literal["inverse_variance", "equal"] = "inverse_variance",
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    restarts: int = RESTARTS,
    delta: float = DELTA,
    loss_law: ChinchillaLaw | None = None,
    bootstrap: int = 0,
    bootstrap_over: Over = "runs_and_questions",
    seed: int = 0,
    jobs: int | None = None,
    stage: str = "base",
    advance: Callable[[int], object] | None = None,
) -> FitResult:
    """Fit a law to measurements.

    data       Observations, or anything with `.measurements(task=, stage=)`; or `Measurements`; or `Curves`
    law        "loss" (Approach 1), "accuracy" (Approach 2), "chinchilla" (k = 1 only), "naive" (the foil)
    task       name of a task, "macro" for the mean over tasks, None where there is only one
    k          samples per problem to fit at, at least 1; 1 is always added. Default: see `default_k`
    inference_flops  per token served; sets the largest k of the default
    target     which mean the loss is: "mean_neg_log" = E[−log pass@k], "neg_log_mean" = −log E[pass@k];
               "auto" takes the first for likelihoods and the second for counts
    solver     "varpro" (variable projection), "restarts" (the paper's L-BFGS-B from random starts), "huber"
               (Hoffmann's, in log space), "log_sse" (squares in log space)
    weights    of isoFLOP groups in stage 1 of the accuracy and naive laws (arXiv 2604.01411, App. F)
    bounds     smallest and largest exponent
    restarts   starts of the solver "restarts"
    delta      of the solver "huber"
    loss_law   stage 1 of the accuracy and naive laws, where you have a loss law of your own
    bootstrap  refits to resampled data, over "runs", "questions" or "runs_and_questions"; 0 for none
    jobs       batches of refits worked on at once (default 1)
    advance    called with 1 for each start of "restarts" and with the number of refits done, for progress bars

    Raises DataError where the data cannot carry the law, FitError where no usable law was found, ValueError for
    impossible arguments.
    """
    _check(law, solver, bounds, bootstrap, bootstrap_over, seed)
    measurements, curves, notes = _prepare(data, law, task, k, inference_flops, target, stage)
    recipe = Recipe(law, solver, bounds, restarts, delta, seed, loss_law, advance=advance)
    inverse = inverse_variance(curves, weights)
    table = Table(
        curves.N, curves.D, curves.k, curves.value[None], curves.pass_at_k[None], np.ones((1, len(curves.N))), inverse
    )
    found = solve(recipe, table)
    best = law_from_vector(law, found.parameters[0], curves.target)
    status = diagnose.status(best, bool(found.converged[0]), bounds)
    if status is FitStatus.FAILED:
        raise FitError(f"the {law} law did not fit {curves.task}: {status.value}", best)
    boot = None
    if bootstrap:
        boot = resample(
            recipe, best, curves, inverse, measurements=measurements, replicates=bootstrap, over=bootstrap_over,
            seed=seed, jobs=jobs or 1, advance=advance,
        )  # fmt: skip
        if boot.over != bootstrap_over:
            notes.append("only runs were resampled: the curves given do not hold single questions.")
    return FitResult(
        law=best,
        task=curves.task,
        target=curves.target,
        status=status,
        objective=float(found.value[0]),
        solver=solver,
        curves=curves,
        residuals=residuals(best, curves),
        support=support(curves),
        conventions=dict(curves.conventions),
        data_hash=curves.data_hash,
        seed=seed,
        warnings=(*notes, *diagnose.warnings(best, curves, bounds)),
        bootstrap=boot,
    )


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
    budget = 2 * float(np.max(N)) if inference_flops is None else inference_flops
    afforded = budget / (2 * float(np.min(N)))
    if not afforded >= 1:
        raise ValueError(
            f"`inference_flops` = {budget:g} buys no sample of the smallest model (2·N = {2 * np.min(N):g}): raise it."
        )
    top = min(afforded, most)
    return np.array([1.0]) if top <= 1 else np.geomspace(1, top, GRID_POINTS)


def support(curves: Curves) -> dict[str, tuple[float, float]]:
    """Smallest and largest N, D, k, tokens per parameter and training FLOPs among the curves."""
    flops = 6 * curves.N * curves.D if curves.train_flops is None else curves.train_flops
    seen = {"N": curves.N, "D": curves.D, "k": curves.k, "tokens_per_param": curves.D / curves.N, "train_flops": flops}
    return {name: (float(value.min()), float(value.max())) for name, value in seen.items()}


def residuals(law: AnyLaw, curves: Curves) -> Array:
    """Observed less predicted, shape (R, K), in the metric that the law was fitted to."""
    N, D = curves.N[:, None], curves.D[:, None]
    if law.metric == "pass_at_k":
        return curves.pass_at_k - law.predict(N, D, curves.k)
    return curves.value - law.predict(N, D, curves.k)


def _check(law: str, solver: str, bounds: tuple[float, float], replicates: int, over: str, seed: int) -> None:
    for name, value, known in (("law", law, LAW_NAMES), ("solver", solver, SOLVERS), ("bootstrap_over", over, OVER)):
        if value not in known:
            raise unknown(name, value, known)
    if not 0 < bounds[0] < bounds[1]:
        raise ValueError(f"`bounds` = {bounds} must be two positive exponents, the smaller first.")
    if seed < 0:
        raise ValueError(f"`seed` = {seed} must be 0 or more.")
    if replicates < 0 or replicates == 1:
        raise ValueError(f"`bootstrap` = {replicates} gives no interval: ask for 0 (none) or, say, 200.")


def _prepare(
    data: Any,
    law: LawName,
    task: str | None,
    k: ArrayLike | None,
    inference_flops: float | None,
    target: Target | Literal["auto"],
    stage: str,
) -> tuple[Measurements | None, Curves, list[str]]:
    """Measurements (None for bare curves), curves without empty k, and notes on what was left out."""
    notes: list[str] = []
    if isinstance(data, Curves):
        measurements, curves = None, data
    else:
        measurements = data if isinstance(data, Measurements) else data.measurements(task=task, stage=stage)
        counts = np.ones(1) if law == "chinchilla" else _counts(measurements, k, inference_flops, notes)
        curves = make_curves(measurements, counts, target)
    if law == "chinchilla" and len(curves.k) > 1:
        curves = _keep_k(curves, curves.k == 1)
    curves = _drop_empty_k(curves, notes)
    _check_enough(curves, law, notes)
    return measurements, curves, notes


def _counts(measurements: Measurements, k: ArrayLike | None, inference_flops: float | None, notes: list[str]) -> Array:
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
    return _keep_k(curves, measured)


def _keep_k(curves: Curves, keep: NDArray[np.bool_]) -> Curves:
    return replace(
        curves,
        k=curves.k[keep],
        value=curves.value[:, keep],
        pass_at_k=curves.pass_at_k[:, keep],
        se=curves.se[:, keep],
    )


def _check_enough(curves: Curves, law: LawName, notes: list[str]) -> None:
    usable = int(np.sum(np.isfinite(curves.value[:, 0])))
    if usable < FEWEST_RUNS:
        raise DataError(
            f"{usable} of {len(curves.N)} runs have a finite loss at k = 1, and a law in N and D has {FEWEST_RUNS} "
            "parameters: add runs, or runs that solve at least one question."
        )
    if law == "loss" and len(curves.k) < 2:
        why = "".join(f"{note.rstrip('.')}; " for note in notes)
        raise DataError(
            f"the loss law needs two values of k at least, and the fit has k = 1 only: {why}give `k`, or a larger "
            "`inference_flops`; the chinchilla law does without k."
        )


def inverse_variance(curves: Curves, weights: str) -> Array:
    """Run weights of stage 1, shape (R,): "inverse_variance" per isoFLOP group, or "equal"."""
    if weights not in ("inverse_variance", "equal"):
        raise unknown("weights", weights, ("inverse_variance", "equal"))
    if weights == "equal":
        return np.ones(len(curves.N))
    flops = 6 * curves.N * curves.D if curves.train_flops is None else curves.train_flops
    return inverse_variance_weights(flops, curves.loss)


def _positive(name: str, values: Array) -> Array:
    if values.ndim != 1 or not np.all(np.isfinite(values) & (values > 0)):
        raise DataError(f"`{name}` must be a list of positive finite numbers.")
    return values
