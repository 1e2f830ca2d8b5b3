"""`fit`: measurements in, a `FitResult` out."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.errors import DataError
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.measurements import Curves, Measurements, Target
from t2scaling.laws.powers import design
from t2scaling.laws.result import FitResult, FitStatus
from t2scaling.laws.serialise import law_from_vector
from t2scaling.laws.varpro import EXPONENT_BOUNDS, fit_powers

Array = NDArray[np.float64]


def fit(
    data: Any,
    law: Literal["loss", "accuracy", "chinchilla", "naive"] = "loss",
    task: str | None = None,
    k: ArrayLike | None = None,
    *,
    inference_flops: float | None = None,
    target: Target | Literal["auto"] = "auto",
    seed: int = 0,
    stage: str = "base",
) -> FitResult:
    """Fit a law to measurements."""
    measurements = data if isinstance(data, Measurements | Curves) else data.measurements(task=task, stage=stage)
    if isinstance(measurements, Curves):
        curves = measurements
    else:
        counts = default_k(measurements.N, inference_flops) if k is None else k
        curves = make_curves(measurements, counts, target)
    if law != "loss":
        raise ValueError(f"`law` = {law!r} is not known: use loss.")
    weight = np.ones((1, len(curves.N)))
    found = fit_powers(design(curves.N, curves.D, curves.k, curves.value[None], weight))
    E, A, B, G = found.coefficients[0]
    alpha, beta, gamma = found.exponents[0]
    best = law_from_vector("loss", (E, A, alpha, B, beta, G, gamma), curves.target)
    bound = np.isclose(found.exponents[0][:, None], EXPONENT_BOUNDS).any()
    status = FitStatus.AT_BOUND if bound else FitStatus.CONVERGED
    return FitResult(
        law=best,
        task=curves.task,
        target=curves.target,
        status=status if found.converged[0] else FitStatus.MAX_ITERATIONS,
        objective=float(found.value[0]),
        solver="varpro",
        curves=curves,
        residuals=curves.value - best.predict(curves.N[:, None], curves.D[:, None], curves.k),
        support=support(curves),
        conventions=curves.conventions,
        data_hash=curves.data_hash,
        seed=seed,
    )


def default_k(N: Array, inference_flops: float | None = None) -> Array:
    """Twelve real k, log-spaced from 1 to what the smallest model affords: inference_flops / (2·N_min).

    inference_flops   FLOPs per token served; default 2·N_max, which lets every model draw one sample
    """
    budget = 2 * N.max() if inference_flops is None else inference_flops
    most = budget / (2 * N.min())
    if most < 1:
        raise ValueError(
            f"`inference_flops` = {budget:g} buys no sample of the smallest model (2·N = {2 * N.min():g}): raise it."
        )
    return np.array([1.0]) if most == 1 else np.geomspace(1, most, 12)


def support(curves: Curves) -> dict[str, tuple[float, float]]:
    """Smallest and largest N, D, k, tokens per parameter and training FLOPs among the curves."""
    if not len(curves.N):
        raise DataError("no runs to fit.")
    flops = 6 * curves.N * curves.D if curves.train_flops is None else curves.train_flops
    seen = {"N": curves.N, "D": curves.D, "k": curves.k, "tokens_per_param": curves.D / curves.N, "train_flops": flops}
    return {name: (float(value.min()), float(value.max())) for name, value in seen.items()}
