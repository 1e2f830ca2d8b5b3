"""What the laws of success share: a loss law, θ, and the chance that all k samples fail."""

from dataclasses import asdict
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws import cautions
from t2scaling.laws.base import Law, Metric, Solutions, numbers, points
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.measurements import Curves, FitData
from t2scaling.laws.options import FitOptions
from t2scaling.laws.solvers.beta import concentration, log_beta_fail, log_beta_fail_slopes, mean_success
from t2scaling.laws.solvers.restarts import fit_success_restarts
from t2scaling.laws.solvers.success import Curve, fit_success
from t2scaling.strategies import BetaSuccess, Success

LEAST_RATE = 1e-6


class SuccessLaw(Law):
    """Base of the laws of success: mean pass@k from the task's k = 1 loss, success being Beta over questions.

    curve   pass@k and its Jacobian, as stage 2 of the fit needs it
    """

    loss: ChinchillaLaw
    theta: tuple[float, ...]
    metric: ClassVar[Metric] = "pass_at_k"
    metrics: ClassVar[tuple[Metric, ...]] = ("pass_at_k", "neg_log_pass_at_k", "loss")
    curve: ClassVar[Curve]

    @property
    def parameters(self) -> dict[str, float]:
        return {**asdict(self.loss), **{f"theta{i}": value for i, value in enumerate(self.theta)}}

    @property
    def training_law(self) -> ChinchillaLaw:
        return self.loss

    def index(self, loss: Array) -> Array:
        """What θ acts on: L̂ itself here."""
        return loss

    def shape(self, loss: ArrayLike) -> tuple[Array, Array]:
        """(a, b) of the Beta distribution of success over questions at task loss L̂."""
        index = self.index(np.asarray(loss, dtype=float))
        mean, _ = mean_success(index, self.theta)
        nu, _ = concentration(index, self.theta[3], self.theta[4])
        return mean * nu, (1 - mean) * nu

    def log_fail(self, loss: ArrayLike, k: ArrayLike) -> Array:
        """log of E[(1 − p)^k] over questions, the mean chance that k samples all fail, at task loss L̂."""
        return log_beta_fail(*self.shape(loss), k)

    def success(self, N: ArrayLike, D: ArrayLike) -> Success:
        """The distribution of single-sample success over questions, for strategies."""
        return BetaSuccess(*self.shape(self.loss.predict(N, D)))

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Mean pass@k over questions, its −log, or the task's k = 1 loss."""
        if metric is not None and metric not in self.metrics:
            raise self.cannot_say(metric, ", ".join(self.metrics))
        N, D, k = points(N, D, k)
        loss = self.loss.predict(N, D)
        if metric == "loss":
            return np.broadcast_to(loss, np.broadcast_shapes(loss.shape, k.shape)).copy()
        passed = -np.expm1(self.log_fail(loss, k))
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(passed) if metric == "neg_log_pass_at_k" else passed)

    def score(self, loss: Array, log_k: Array) -> Array:
        """log of the chance that all k samples fail, which keeps its digits where pass@k saturates."""
        with np.errstate(all="ignore"):
            # At a loss so high that the mean success underflows to zero, all samples fail: log 1.
            return np.nan_to_num(self.log_fail(loss, np.exp(log_k)), nan=0.0)

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        return log_beta_fail_slopes(self.index(loss), self.theta, np.exp(log_k))

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        top = float(np.nanmax(curves.pass_at_k, initial=-np.inf))
        if top < LEAST_RATE:
            return (
                f"the largest mean pass@k is {max(top, 0):.2g}, and least squares sees nothing of rates below "
                f"{LEAST_RATE:g}: fit the loss law, whose −log pass@k is not small, or measure at a larger k."
            )
        return None

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """Stage 1: Chinchilla's law of the k = 1 loss, inverse-variance weights. Stage 2: θ from that law's loss."""
        if options.loss_law is not None:
            first = np.tile(options.loss_law.vector, (len(data.value), 1))
            converged = np.ones(len(first), dtype=bool)
        else:
            stage = ChinchillaLaw.fit_weighted(data, data.weight * data.inverse_variance, options, warm)
            first, converged = stage.parameters, stage.converged
        loss = ChinchillaLaw.from_vector(first.T[:, :, None]).surface(data.N, data.D)  # (B, R)
        if options.solver in ("restarts", "paper"):
            second = fit_success_restarts(cls.curve, loss, data.k, data.passed, data.weight)
        elif warm is None:
            second = fit_success(cls.curve, loss, data.k, data.passed, data.weight)
        else:
            second = fit_success(
                cls.curve, loss, data.k, data.passed, data.weight, warm=warm[None, 5:], starts=1, tolerance=1e-10
            )
        return Solutions(np.concatenate([first, second.theta], axis=1), second.value, converged & second.converged)

    def at_bound(self, options: FitOptions) -> dict[str, float]:
        return self.loss.at_bound(options)

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        return [*cautions.about_terms(self, curves, options), *cautions.about_theta(self.theta, curves.loss, curves)]

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        x = numbers(values)
        return cls(ChinchillaLaw(*x[:5]), tuple(x[5:]))  # type: ignore[call-arg]
