"""What the search needs of a law: a score to make small, and its slopes in the loss and in log k.

The laws here depend on (N, D) through the loss L̂ of their `training_law` alone, so that with the loss known
    d score / d log k  =  (∂score/∂L̂)·(dL̂/d log k)  +  ∂score/∂log k,
where dL̂/d log k comes from the budget (`problem.py`) and the rest from the law. Scores:
    LossLaw      L̂ + G·(k^−gamma − 1), which is the law's value
    AccuracyLaw  log E[(1 − p)^k], the log of the chance that all k samples fail
    NaiveLaw     k·log(1 − μ)
A law's fields may be arrays (one law per element): everything is elementwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.forms import AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw, beta_concentration, log_beta_fail

Array = NDArray[np.float64]
SampledLaw = LossLaw | AccuracyLaw | NaiveLaw


def score(law: SampledLaw, loss: Array, log_k: Array) -> Array:
    """What the plan makes as small as it can, at training loss `loss` and samples e^log_k."""
    if isinstance(law, LossLaw):
        return loss + law.G * np.expm1(-law.gamma * log_k)
    with np.errstate(all="ignore"):
        if isinstance(law, NaiveLaw):
            return np.exp(log_k) * np.log1p(-_mean_and_slope(law.theta, loss)[0])
        a, b = law.shape(loss)
        # At a loss so high that the mean success underflows to zero, all samples fail: log 1.
        return np.nan_to_num(log_beta_fail(a, b, np.exp(log_k)), nan=0.0)


def slopes(law: SampledLaw, loss: Array, log_k: Array) -> tuple[Array, Array]:
    """(∂score/∂loss, ∂score/∂log k)."""
    if isinstance(law, LossLaw):
        return np.ones_like(loss), -law.gamma * law.G * np.exp(-law.gamma * log_k)
    k = np.exp(log_k)
    mean, mean_slope = _mean_and_slope(law.theta, loss)
    if isinstance(law, NaiveLaw):
        with np.errstate(divide="ignore", invalid="ignore"):
            return -k * mean_slope / (1 - mean), k * np.log1p(-mean)
    return _accuracy_slopes(law, loss, k, mean, mean_slope)


def _accuracy_slopes(law: AccuracyLaw, loss: Array, k: Array, mean: Array, mean_slope: Array) -> tuple[Array, Array]:
    # log fail = lnΓ(b + k) − lnΓ(b) + lnΓ(ν) − lnΓ(ν + k), differentiated. Differences of digammas are taken
    # before they cancel: for small means a = μν is tiny beside b.
    nu = beta_concentration(loss, law.theta)
    clipped = (nu <= 1e-6) | (nu >= 1e6)
    nu_slope = np.where(clipped, 0.0, law.theta[4] * nu)
    a, b = mean * nu, (1 - mean) * nu
    far = digamma_difference(b, k)
    near, tail = digamma_difference(b, a), digamma_difference(b + k, a)
    by_loss = -mean_slope * nu * far + nu_slope * (near - tail - mean * far)
    return by_loss, -k * tail


def _mean_and_slope(theta: tuple[float, ...], loss: Array) -> tuple[Array, Array]:
    """μ = θ2/(1 + exp(θ1(L̂ − θ0))) and dμ/dL̂."""
    from scipy.special import expit

    z = theta[1] * (loss - theta[0])
    up = expit(-z)
    return np.asarray(theta[2] * up), np.asarray(-theta[1] * theta[2] * up * expit(z))


_SHIFT = 8
_ASYMPTOTIC = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)


def digamma_difference(z: Array, step: Array) -> Array:
    """ψ(z + step) − ψ(z) for z > 0 and step ≥ 0, without cancellation for small steps or large z.

    The recurrence ψ(z + 1) = ψ(z) + 1/z lifts z above 8, where the asymptotic series is exact to rounding.
    """
    z, step = np.asarray(z, dtype=float), np.asarray(step, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.zeros(np.broadcast_shapes(z.shape, step.shape))
        for i in range(_SHIFT):
            total = total + step / ((z + i) * (z + i + step))
        low = z + _SHIFT
        high = low + step
        total = total + np.log1p(step / low) + step / (2 * low * high)
        # 1/low² − 1/high² = d·s with d the difference and s the sum of the reciprocals, and so on for higher powers.
        x, y = 1 / low**2, 1 / high**2
        gap = step * (low + high) / (low * high) ** 2
        powers = np.zeros_like(total)
        for n, coefficient in enumerate(_ASYMPTOTIC):
            powers = x * powers + y**n
            total = total + coefficient * gap * powers
    return total


def stack(laws: list[SampledLaw] | list[ChinchillaLaw]) -> SampledLaw | ChinchillaLaw:
    """One law whose fields are arrays, for the B laws of a bootstrap (all of one class)."""
    first = laws[0]
    if any(type(law) is not type(first) for law in laws):
        raise ValueError("`laws` must all be of one class to be planned together.")

    def column(values: list[float]) -> float:
        return np.array(values, dtype=float)  # type: ignore[return-value]

    if isinstance(first, AccuracyLaw | NaiveLaw):
        theta = tuple(column([law.theta[i] for law in laws]) for i in range(len(first.theta)))  # type: ignore[union-attr]
        return type(first)(loss=stack([law.loss for law in laws]), theta=theta)  # type: ignore[arg-type, union-attr]
    names = list(first.parameters)
    fields = {name: column([law.parameters[name] for law in laws]) for name in names}
    extra = {"target": first.target} if isinstance(first, LossLaw) else {}
    return type(first)(**fields, **extra)  # type: ignore[arg-type]
