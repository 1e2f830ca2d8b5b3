"""Approach 1: Chinchilla's law with a term in k (Roberts et al. 2026, arXiv 2604.01411, §3)."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws import cautions
from t2scaling.laws.base import Law, Metric, Solutions, numbers, points
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.measurements import Curves, FitData, Target
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.sums import fit_sums


@register
@dataclass(frozen=True)
class LossLaw(Law):
    """Mean −log pass@k = E + A·N^−alpha + B·D^−beta + G·k^−gamma.

    target   which mean the law was fitted to: "mean_neg_log" is E[−log pass@k] over questions (the paper's),
             "neg_log_mean" is −log E[pass@k], from which alone the benchmark's mean pass@k follows

    >>> law = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
    >>> law.predict(N=1e9, D=2e10, k=[1, 16]).round(2)
    array([7.53, 4.98])
    """

    E: float
    A: float
    alpha: float
    B: float
    beta: float
    G: float
    gamma: float
    target: Target = "mean_neg_log"

    name: ClassVar[str] = "loss"
    label: ClassVar[str] = "T² loss law"
    formula: ClassVar[str] = "−log pass@k = E + A·N^−α + B·D^−β + G·k^−γ"
    parameter_names: ClassVar[tuple[str, ...]] = ("E", "A", "alpha", "B", "beta", "G", "gamma")
    metric: ClassVar[Metric] = "neg_log_pass_at_k"
    unimodal: ClassVar[bool] = True  # the score is convex in log k along either budget

    @property
    def parameters(self) -> dict[str, float]:
        return {key: value for key, value in asdict(self).items() if key != "target"}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return ("neg_log_pass_at_k", "pass_at_k") if self.target == "neg_log_mean" else ("neg_log_pass_at_k",)

    @property
    def neg_log_target(self) -> Target:
        return self.target

    @property
    def training_law(self) -> ChinchillaLaw:
        return ChinchillaLaw(self.E + self.G, self.A, self.alpha, self.B, self.beta)

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """−log pass@k in nats, or pass@k where the law's target allows it."""
        if metric is not None and metric not in self.metrics:
            raise self.cannot_say(
                metric,
                "the mean of −log pass@k over questions, from which the mean pass@k does not follow; "
                "use the accuracy law, or fit with target='neg_log_mean'",
            )
        N, D, k = points(N, D, k)
        value = ChinchillaLaw(self.E, self.A, self.alpha, self.B, self.beta).surface(N, D) + self.G * k**-self.gamma
        return np.asarray(np.exp(-value) if metric == "pass_at_k" else value)

    def score(self, loss: Array, log_k: Array) -> Array:
        """The law's value: loss + G·(k^−gamma − 1)."""
        return loss + self.G * np.expm1(-self.gamma * log_k)

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        return np.ones_like(loss), -self.gamma * self.G * np.exp(-self.gamma * log_k)

    def log_samples_to_match(self, loss: Array, wanted: Array) -> Array:
        """In closed form, from wanted = loss + G·(k^−gamma − 1)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_k = -np.log((wanted - loss) / self.G + 1) / self.gamma
        return np.where(np.isfinite(log_k), np.maximum(log_k, 0.0), np.inf)

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        if len(curves.k) < 2:
            return (
                "the loss law needs two values of k at least, and the fit has k = 1 only: give `k`, or a larger "
                "`inference_flops`; the chinchilla law does without k."
            )
        return None

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """Least squares over runs × k, all seven parameters at once."""
        exponents = None if warm is None else warm[[2, 4, 6]]
        fits = fit_sums(data.N, data.D, data.k, data.value, data.weight, options, exponents)
        E, A, B, G = fits.coefficients.T
        alpha, beta, gamma = fits.exponents.T
        return Solutions(np.stack([E, A, alpha, B, beta, G, gamma], axis=1), fits.value, fits.converged)

    def at_bound(self, options: FitOptions) -> dict[str, float]:
        return cautions.exponents_at_bound(self.parameters, options.bounds)

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        found = cautions.about_terms(self, curves, options)
        if len(curves.k) < 3:
            found.append(
                f"gamma and G rest on {len(curves.k)} values of k, which do not identify them: fit with three or more."
            )
        return found

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        E, A, alpha, B, beta, G, gamma = numbers(values)
        return cls(E, A, alpha, B, beta, G, gamma, target or "mean_neg_log")  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "target": self.target, "parameters": self.parameters}
