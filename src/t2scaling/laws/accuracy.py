"""Approach 2: from the task's loss to a Beta distribution of success (Roberts et al. 2026, arXiv 2604.01411, §3)."""

from dataclasses import dataclass
from typing import ClassVar

from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.success import beta_curve
from t2scaling.laws.success import SuccessLaw


@register
@dataclass(frozen=True)
class AccuracyLaw(SuccessLaw):
    """Mean pass@k = 1 − B(a, b + k)/B(a, b), success rates being Beta(a, b) over questions.

    With L̂ from the task's k = 1 loss law: mean μ = θ2/(1 + exp(θ1(L̂ − θ0))), concentration ν = exp(θ3 + θ4·L̂),
    a = μν and b = (1 − μ)ν. ν is held within [1e-6, 1e6].

    >>> law = AccuracyLaw(ChinchillaLaw(4, 400, 0.34, 1200, 0.37), theta=(10, 0.6, 0.9, 1, -0.1))
    >>> law.predict(N=1e9, D=2e10, k=[1, 16]).round(3)
    array([0.867, 0.997])
    """

    loss: ChinchillaLaw
    theta: tuple[float, float, float, float, float]

    name: ClassVar[str] = "accuracy"
    label: ClassVar[str] = "T² accuracy law"
    formula: ClassVar[str] = (
        "pass@k = 1 − B(a, b + k)/B(a, b), a = μν, b = (1 − μ)ν, μ = θ2/(1 + e^(θ1(L̂ − θ0))), ν = e^(θ3 + θ4·L̂)"
    )
    parameter_names: ClassVar[tuple[str, ...]] = (
        *ChinchillaLaw.parameter_names, "theta0", "theta1", "theta2", "theta3", "theta4"
    )  # fmt: skip
    curve = staticmethod(beta_curve)
