"""The bottleneck law: one index of ability that parameters and tokens move, and success as a Beta along it.

    −log pass@1 = x^γ,   x = A·N^−a + B·D^−b        (a = α/γ, b = β/γ)

Where one resource alone is short, −log pass@1 falls as N^−α or D^−β; γ says how softly the two bottlenecks meet: γ → 0
is the harder of the two, γ = 1 Chinchilla's sum without a floor, γ → ∞ their product. The second stage is Approach 2's
with the index θ = γ·log x in place of the loss. Derivation and limits: docs/math.md.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from t2scaling.arrays import Array
from t2scaling.laws import cautions
from t2scaling.laws.base import Metric, Solutions, numbers
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.measurements import Curves, FitData
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.bottleneck import fit_index, log_loss_of
from t2scaling.laws.solvers.success import beta_curve, fit_success
from t2scaling.laws.success import SuccessLaw

INDEX_NAMES = ("A", "a", "B", "b", "gamma")
_FLAT = 0.01  # an elasticity below this helps nobody


@register
@dataclass(frozen=True)
class BottleneckLaw(SuccessLaw):
    """Mean pass@k = 1 − B(a', b' + k)/B(a', b') with a' = μν, b' = (1 − μ)ν along θ = γ·log(A·N^−a + B·D^−b).

    loss    the sum x as a Chinchilla form with E = 0
    gamma   how softly the two bottlenecks meet
    theta   (θ0 … θ4) of μ = θ2/(1 + exp(θ1(θ − θ0))) and ν = exp(θ3 + θ4·θ)

    >>> law = BottleneckLaw(ChinchillaLaw(0, 400, 0.34, 1200, 0.37), 1.0, theta=(0.5, 1.6, 1.0, 0.6, -0.2))
    >>> law.predict(N=1e9, D=2e10, k=[1, 16]).round(3)
    array([0.859, 0.998])
    """

    loss: ChinchillaLaw
    gamma: float
    theta: tuple[float, float, float, float, float]

    name: ClassVar[str] = "bottleneck"
    label: ClassVar[str] = "bottleneck law"
    formula: ClassVar[str] = (
        "pass@k = 1 − B(μν, (1 − μ)ν + k)/B(μν, (1 − μ)ν), μ = θ2/(1 + e^(θ1(θ − θ0))), ν = e^(θ3 + θ4·θ), "
        "θ = γ·log(A·N^−a + B·D^−b)"
    )
    parameter_names: ClassVar[tuple[str, ...]] = (*INDEX_NAMES, "theta0", "theta1", "theta2", "theta3", "theta4")

    metrics: ClassVar[tuple[Metric, ...]] = ("pass_at_k", "neg_log_pass_at_k")

    @property
    def parameters(self) -> dict[str, float]:
        values = (self.loss.A, self.loss.alpha, self.loss.B, self.loss.beta, self.gamma, *self.theta)
        return dict(zip(self.parameter_names, values, strict=True))

    def index(self, loss: Array) -> Array:
        """θ = γ·log x at the sum x: the lower, the abler."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.gamma * np.log(loss))

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        by_index, by_log_k = super().slopes(loss, log_k)
        return by_index * self.gamma / loss, by_log_k

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        return needs_success(curves) or super().check(curves)

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """The index of mean pass@1, then θ0 … θ4 by least squares on pass@k over runs and k."""
        first = fit_index(data.N, data.D, log_loss_of(data.passed[:, :, 0]), data.weight)
        narrow: dict[str, Any] = {} if warm is None else {"warm": warm[None, 5:], "starts": 1, "tolerance": 1e-10}
        second = fit_success(beta_curve, first.index(data.N, data.D), data.k, data.passed, data.weight, **narrow)
        vector = np.concatenate([first.parameters(), second.theta], axis=1)
        return Solutions(vector, second.value, first.converged & second.converged)

    def at_bound(self, options: FitOptions) -> dict[str, float]:
        return {}  # γ at the end of its range is a regime, not a failure; the other parameters have priors

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        return [
            *about_help(self.loss, self.gamma, curves),
            *cautions.about_theta(self.theta, self.index_of(curves), curves),
        ]

    def index_of(self, curves: Curves) -> Array:
        """θ of every run, shape (R,)."""
        return self.index(self.loss.surface(curves.N, curves.D))

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        A, a, B, b, gamma, *theta = numbers(values)
        zero = 0.0 if np.ndim(A) == 0 else np.zeros_like(A)
        return cls(ChinchillaLaw(zero, A, a, B, b), gamma, tuple(theta))


def needs_success(curves: Curves) -> str | None:
    """Why the index cannot be fitted to these curves, or None."""
    usable = int(np.sum(curves.pass_at_k[:, 0] > 0))
    if usable >= len(INDEX_NAMES):
        return None
    return (
        f"{usable} of {len(curves.N)} runs have a mean pass@1 above zero, and the index has {len(INDEX_NAMES)} "
        "parameters: give outcomes per question (not losses alone), more samples, or runs that solve something."
    )


def about_help(law: ChinchillaLaw, gamma: float, curves: Curves) -> list[str]:
    """Cautions where more parameters, or more tokens, help nowhere among the runs by the sum x and γ."""
    terms = law.A * curves.N**-law.alpha, law.B * curves.D**-law.beta
    share = terms[0] / (terms[0] + terms[1])
    # By how many per cent −log pass@1 falls for one per cent more of either.
    helps = {"parameters": gamma * law.alpha * share, "tokens": gamma * law.beta * (1 - share)}
    return [
        f"by this fit more {what} do not help (one per cent more lower −log pass@1 by {np.max(help):.2g} per cent at "
        "most), which no plan can be built on. Add runs, or check the measurements."
        for what, help in helps.items()
        if np.max(help) < _FLAT
    ]
