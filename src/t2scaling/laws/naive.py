"""The foil: every question succeeds with the mean rate, so that k samples always help as much as they could."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.beta import mean_success
from t2scaling.laws.solvers.success import naive_curve
from t2scaling.laws.success import SuccessLaw
from t2scaling.strategies import PointSuccess, Success


@register
@dataclass(frozen=True)
class NaiveLaw(SuccessLaw):
    """Mean pass@k = 1 − (1 − μ(L̂))^k; never below `AccuracyLaw` of the same μ (Jensen).

    theta   (θ0, θ1, θ2) of μ = θ2/(1 + exp(θ1(L̂ − θ0)))

    >>> law = NaiveLaw(ChinchillaLaw(4, 400, 0.34, 1200, 0.37), theta=(10, 0.6, 0.9))
    >>> law.predict(N=1e9, D=2e10, k=[1, 2]).round(3)
    array([0.867, 0.982])
    """

    loss: ChinchillaLaw
    theta: tuple[float, float, float]

    name: ClassVar[str] = "naive"
    label: ClassVar[str] = "naive law"
    formula: ClassVar[str] = "pass@k = 1 − (1 − μ)^k, μ = θ2/(1 + e^(θ1(L̂ − θ0)))"
    parameter_names: ClassVar[tuple[str, ...]] = (*ChinchillaLaw.parameter_names, "theta0", "theta1", "theta2")
    curve = staticmethod(naive_curve)

    def log_fail(self, loss: ArrayLike, k: ArrayLike) -> Array:
        """log of (1 − μ)^k, at task loss L̂."""
        with np.errstate(divide="ignore"):
            return np.asarray(k * np.log1p(-mean_success(loss, self.theta)[0]))

    def success(self, N: ArrayLike, D: ArrayLike) -> Success:
        """One class of questions, at the mean rate."""
        return PointSuccess(mean_success(self.loss.predict(N, D), self.theta)[0][..., None], np.ones(1))

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        k = np.exp(log_k)
        mean, spread = mean_success(loss, self.theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            return k * self.theta[1] * spread / (1 - mean), k * np.log1p(-mean)
