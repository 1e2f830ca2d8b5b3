"""The laws as formulae: frozen parameters in, predictions out. No fitting here.

Two routes lead to pass@k. The loss route (Approach 1, `LossLaw`) adds a term in k to Chinchilla's law of the mean
negative log pass@k. The accuracy route (Approach 2, `AccuracyLaw`) turns Chinchilla's loss into a Beta distribution
of success over questions and integrates it. `NaiveLaw` is the foil: every question succeeds with the mean rate.
All end as `predict(N, D, k)`, with N, D and k broadcast against each other.

Symbols: N parameters, D training tokens, k samples per problem (real, at least 1), all natural logarithms.
Source: Hoffmann et al. 2022 (arXiv 2203.15556) for the Chinchilla term, Roberts et al. 2026 (arXiv 2604.01411)
for the rest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.errors import unknown
from t2scaling.passk import log_gamma_second_difference

Metric = Literal["loss", "neg_log_pass_at_k", "pass_at_k"]
Array = NDArray[np.float64]


@runtime_checkable
class Law(Protocol):
    """What fits, plans and figures ask of a law."""

    name: ClassVar[str]

    @property
    def metric(self) -> Metric:
        """The metric that `predict` returns when none is named."""

    @property
    def parameters(self) -> dict[str, float]:
        """Parameter names and values, in the order of the formula."""

    @property
    def training_law(self) -> ChinchillaLaw:
        """The k = 1 law in N and D alone: what the Chinchilla allocation minimises."""

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """The metric at (N, D, k), broadcast."""


def check_samples(k: ArrayLike) -> Array:
    """Return k as a float array; raises ValueError where k < 1, since a law says nothing of part of a sample."""
    k = np.asarray(k, dtype=float)
    if np.any(~(k >= 1)):
        worst = np.nanmin(k) if np.any(np.isfinite(k)) else np.nan
        raise ValueError(f"`k` = {worst:g} is below one sample: use k ≥ 1 (a smaller N, or a larger inference budget).")
    return k


def positive(name: str, value: ArrayLike) -> Array:
    """Return a positive float array; raises ValueError naming the argument otherwise."""
    value = np.asarray(value, dtype=float)
    if np.any(~(value > 0)):
        raise ValueError(f"`{name}` must be positive, got {float(np.min(value)):g}.")
    return value


def _metric_error(law: str, metric: str, able: str) -> ValueError:
    if metric not in get_args(Metric):
        return unknown("metric", metric, get_args(Metric))
    return ValueError(f"`metric` = {metric!r} is not something the {law} law can say: it predicts {able}.")


@dataclass(frozen=True)
class ChinchillaLaw:
    """L(N, D) = E + A·N^−alpha + B·D^−beta, in nats (Hoffmann et al. 2022, Eq. 10)."""

    E: float
    A: float
    alpha: float
    B: float
    beta: float

    name: ClassVar[str] = "chinchilla"

    @property
    def metric(self) -> Metric:
        return "loss"

    @property
    def parameters(self) -> dict[str, float]:
        return asdict(self)

    @property
    def training_law(self) -> ChinchillaLaw:
        return self

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Loss in nats at N parameters and D tokens; k must be 1, since this law knows nothing of samples."""
        if metric not in (None, "loss"):
            raise _metric_error("Chinchilla", metric, "the loss only; fit a loss or accuracy law for pass@k")
        if np.any(check_samples(k) != 1):
            raise ValueError("`k` has no place in the Chinchilla law: leave it out, or use a loss or accuracy law.")
        N, D = positive("N", N), positive("D", D)
        return np.asarray(self.E + self.A * N**-self.alpha + self.B * D**-self.beta)

    def optimum(self, train_flops: ArrayLike) -> tuple[Array, Array]:
        """Compute-optimal (N, D) for C = 6·N·D, in closed form (Hoffmann et al. 2022, Eq. 4). Broadcasts."""
        C = positive("train_flops", train_flops)
        if min(self.A, self.B, self.alpha, self.beta) <= 0:
            raise ValueError(f"the law {self} has no inner optimum: A, B, alpha and beta must be positive.")
        ratio = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        N = ratio * (C / 6) ** (self.beta / (self.alpha + self.beta))
        return N, C / (6 * N)


@dataclass(frozen=True)
class LossLaw:
    """Approach 1: mean −log pass@k = E + A·N^−alpha + B·D^−beta + G·k^−gamma (arXiv 2604.01411, §3).

    target   which mean the law was fitted to: "mean_neg_log" is E[−log pass@k] over questions (the paper's),
             "neg_log_mean" is −log E[pass@k], from which alone the benchmark's mean pass@k follows
    """

    E: float
    A: float
    alpha: float
    B: float
    beta: float
    G: float
    gamma: float
    target: Literal["mean_neg_log", "neg_log_mean"] = "mean_neg_log"

    name: ClassVar[str] = "loss"

    @property
    def metric(self) -> Metric:
        return "neg_log_pass_at_k"

    @property
    def parameters(self) -> dict[str, float]:
        return {key: value for key, value in asdict(self).items() if key != "target"}

    @property
    def training_law(self) -> ChinchillaLaw:
        return ChinchillaLaw(self.E + self.G, self.A, self.alpha, self.B, self.beta)

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """−log pass@k in nats, or pass@k where the law's target allows it."""
        k, N, D = check_samples(k), positive("N", N), positive("D", D)
        value = self.E + self.A * N**-self.alpha + self.B * D**-self.beta + self.G * k**-self.gamma
        if metric in (None, "neg_log_pass_at_k"):
            return np.asarray(value)
        if metric == "pass_at_k" and self.target == "neg_log_mean":
            return np.asarray(np.exp(-value))
        raise _metric_error(
            "loss",
            str(metric),
            "the mean of −log pass@k over questions, from which the mean pass@k does not follow; "
            "use the accuracy law, or fit with target='neg_log_mean'",
        )


class _SuccessLaw:
    """What the two laws of success share: a loss law, θ, and the chance that all k samples fail."""

    loss: ChinchillaLaw
    theta: tuple[float, ...]
    name: ClassVar[str]

    @property
    def metric(self) -> Metric:
        return "pass_at_k"

    @property
    def parameters(self) -> dict[str, float]:
        return {**asdict(self.loss), **{f"theta{i}": float(value) for i, value in enumerate(self.theta)}}

    @property
    def training_law(self) -> ChinchillaLaw:
        return self.loss

    def log_fail(self, loss: ArrayLike, k: ArrayLike) -> Array:
        """log of the mean chance that k samples all fail, at task loss L̂."""
        raise NotImplementedError

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Mean pass@k over questions, its −log, or the task's k = 1 loss."""
        k = check_samples(k)
        loss = self.loss.predict(N, D)
        if metric == "loss":
            return np.broadcast_to(loss, np.broadcast_shapes(loss.shape, k.shape)).copy()
        if metric not in (None, "pass_at_k", "neg_log_pass_at_k"):
            raise _metric_error(self.name, str(metric), "pass_at_k, neg_log_pass_at_k and loss")
        passed = -np.expm1(self.log_fail(loss, k))
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(passed) if metric == "neg_log_pass_at_k" else passed)


@dataclass(frozen=True)
class AccuracyLaw(_SuccessLaw):
    """Approach 2: mean pass@k = 1 − B(a, b + k)/B(a, b), success rates being Beta(a, b) over questions.

    With L̂ from the task's k = 1 loss law: mean μ = θ2/(1 + exp(θ1(L̂ − θ0))), concentration ν = exp(θ3 + θ4·L̂),
    a = μν and b = (1 − μ)ν (arXiv 2604.01411, §3). ν is held within [1e-6, 1e6].
    """

    loss: ChinchillaLaw
    theta: tuple[float, float, float, float, float]

    name: ClassVar[str] = "accuracy"

    def shape(self, loss: ArrayLike) -> tuple[Array, Array]:
        """(a, b) of the Beta distribution of success at task loss L̂."""
        mean, concentration = beta_mean(loss, self.theta), beta_concentration(loss, self.theta)
        return mean * concentration, (1 - mean) * concentration

    def log_fail(self, loss: ArrayLike, k: ArrayLike) -> Array:
        """log of E[(1 − p)^k] over questions, at task loss L̂."""
        return log_beta_fail(*self.shape(loss), k)


@dataclass(frozen=True)
class NaiveLaw(_SuccessLaw):
    """The foil: 1 − (1 − μ)^k with every question at the mean rate μ(L̂); never below `AccuracyLaw` (Jensen).

    theta   (θ0, θ1, θ2) of μ = θ2/(1 + exp(θ1(L̂ − θ0)))
    """

    loss: ChinchillaLaw
    theta: tuple[float, float, float]

    name: ClassVar[str] = "naive"

    def log_fail(self, loss: ArrayLike, k: ArrayLike) -> Array:
        """log of (1 − μ)^k, at task loss L̂."""
        with np.errstate(divide="ignore"):
            return np.asarray(k * np.log1p(-beta_mean(loss, self.theta)))


def beta_mean(loss: ArrayLike, theta: tuple[float, ...]) -> Array:
    """μ = θ2/(1 + exp(θ1(L̂ − θ0)))."""
    from scipy.special import expit

    return np.asarray(theta[2] * expit(-theta[1] * (np.asarray(loss, dtype=float) - theta[0])))


def beta_concentration(loss: ArrayLike, theta: tuple[float, ...]) -> Array:
    """ν = exp(θ3 + θ4·L̂), held within [1e-6, 1e6]."""
    log_nu = theta[3] + theta[4] * np.asarray(loss, dtype=float)
    return np.exp(np.clip(log_nu, np.log(1e-6), np.log(1e6)))


def log_beta_fail(a: ArrayLike, b: ArrayLike, k: ArrayLike) -> Array:
    """log of E[(1 − p)^k] = B(a, b + k)/B(a, b) for p ~ Beta(a, b); arrays broadcast."""
    return -log_gamma_second_difference(b, a, k)


LAWS: dict[str, type[Any]] = {law.name: law for law in (ChinchillaLaw, LossLaw, AccuracyLaw, NaiveLaw)}
