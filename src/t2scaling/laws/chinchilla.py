"""Chinchilla's law: the loss as a floor and two power laws (Hoffmann et al. 2022, arXiv 2203.15556, Eq. 10)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.laws import cautions
from t2scaling.laws.base import Law, Metric, Solutions, numbers, points, positive
from t2scaling.laws.measurements import Curves, FitData
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.sums import fit_sums

# Where samples leave nothing for training, D is this instead of 0, so that the loss is huge and not infinite.
SPECK = 1e-9


@register
@dataclass(frozen=True)
class ChinchillaLaw(Law):
    """L(N, D) = E + A·N^−alpha + B·D^−beta, in nats.

    >>> law = ChinchillaLaw(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28)
    >>> round(float(law.predict(N=70e9, D=1.4e12)), 3)
    1.937
    """

    E: float
    A: float
    alpha: float
    B: float
    beta: float

    name: ClassVar[str] = "chinchilla"
    label: ClassVar[str] = "Chinchilla law"
    formula: ClassVar[str] = "L = E + A·N^−α + B·D^−β"
    parameter_names: ClassVar[tuple[str, ...]] = ("E", "A", "alpha", "B", "beta")
    metric: ClassVar[Metric] = "loss"
    samples: ClassVar[bool] = False
    unimodal: ClassVar[bool] = True

    @property
    def parameters(self) -> dict[str, float]:
        return asdict(self)

    @property
    def training_law(self) -> ChinchillaLaw:
        return self

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Loss in nats at N parameters and D tokens; k must be 1, since this law knows nothing of samples."""
        if metric not in (None, "loss"):
            raise self.cannot_say(metric, "the loss only; fit a loss or accuracy law for pass@k")
        N, D, k = points(N, D, k)
        if np.any(k != 1):
            raise ArgumentError("`k` has no place in the Chinchilla law: leave it out, or use a loss or accuracy law.")
        return np.asarray(self.surface(N, D))

    def surface(self, N: Array, D: Array) -> Array:
        """The sum itself, unchecked: for arrays of laws, and for N and D beyond anything that can be trained."""
        return self.E + self.A * N**-self.alpha + self.B * D**-self.beta

    def by_size(self, N: ArrayLike) -> Array:
        """−∂loss/∂log N: what a larger model gains."""
        return np.asarray(self.alpha * self.A * np.asarray(N) ** -self.alpha)

    def by_tokens(self, D: ArrayLike) -> Array:
        """−∂loss/∂log D."""
        return np.asarray(self.beta * self.B * np.asarray(D) ** -self.beta)

    def optimum(self, train_flops: ArrayLike) -> tuple[Array, Array]:
        """Compute-optimal (N, D) for C = 6·N·D, in closed form (Hoffmann et al. 2022, Eq. 4). Broadcasts."""
        product = positive("train_flops", train_flops) / 6
        if min(self.A, self.B, self.alpha, self.beta) <= 0:
            raise ArgumentError(f"the law {self} has no inner optimum: A, B, alpha and beta must be positive.")
        N = self.optimal_params(product)
        return N, product / N

    def optimal_params(self, product: ArrayLike) -> Array:
        """N of least loss among all (N, D) with N·D = product; 0 where A = 0 and infinite where B = 0. Elementwise."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_n = self.log_balance + self.beta * np.log(np.asarray(product)) / (self.alpha + self.beta)
            return np.where(np.isnan(log_n), np.inf, np.exp(log_n))

    @property
    def log_balance(self) -> Array:
        """log of G = (alpha·A/(beta·B))^(1/(alpha + beta)), Hoffmann's ratio: N = G·(N·D)^(beta/(alpha + beta))."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio = np.log(self.alpha * self.A) - np.log(self.beta * self.B)
            return np.asarray(log_ratio / (self.alpha + self.beta))

    def params_fed(self, tokens: ArrayLike) -> Array:
        """N that is compute-optimal for so many training tokens; 0 where A = 0, infinite where B = 0. Elementwise."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            log_n = self.log_balance + np.divide(self.beta, self.alpha) * (np.log(tokens) + self.log_balance)
            return np.where(np.isnan(log_n), np.inf, np.exp(log_n))

    def served_optimum(self, product: Array, served: Array, iterations: int = 60) -> tuple[Array, Array]:
        """(N, D) of least loss under N·(D + served) = product (Sardana et al. 2024, turned round), elementwise.

        product   N·D that the whole budget would buy in training
        served    what serving costs, as training tokens per parameter

        At the optimum alpha·A·N^−alpha = beta·B·D^−beta·(1 + served/D), so N follows from D and the cost grows with
        log D with a slope between 1 and 1 + beta/alpha + 1/alpha, monotone: Newton's method converges from anywhere.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            log_a, log_b = np.log(self.alpha * self.A), np.log(self.beta * self.B)
            start = np.log(product) - np.log(self.optimal_params(product))  # with nothing served
            x = start + np.zeros(np.broadcast_shapes(np.shape(product), np.shape(served)))
            for _ in range(iterations):
                D = np.exp(x)
                log_n = (log_a - log_b + self.beta * x - np.log1p(served / D)) / self.alpha
                gap = log_n + np.log(D + served) - np.log(product)
                share = served / (D + served)
                move = gap / ((self.beta + share) / self.alpha + 1 - share)
                x = x - move
                if np.all(np.abs(np.nan_to_num(move)) <= 1e-15 * np.abs(np.nan_to_num(x))):
                    break
            D = np.exp(x)
            N = product / (D + served)
        # A or B at zero: more parameters, or more tokens, never help.
        edge = np.where(np.asarray(self.A) > 0, product / served, 0.0)
        return np.where(np.isfinite(N), N, edge), np.where(np.isfinite(N), D, SPECK)

    def score(self, loss: Array, log_k: Array) -> Array:
        return loss + np.zeros_like(log_k)

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        return np.ones_like(loss), np.zeros_like(log_k)

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """Least squares of the k = 1 loss, by any of the solvers."""
        return cls.fit_weighted(data, data.weight, options, warm)

    @classmethod
    def fit_weighted(cls, data: FitData, weight: Array, options: FitOptions, warm: Array | None = None) -> Solutions:
        """The same under other run weights (B, R), as the first stage of other laws needs."""
        exponents = None if warm is None else warm[[2, 4]]
        fits = fit_sums(data.N, data.D, data.k[:1], data.value[:, :, :1], weight, options, exponents)
        E, A, B = fits.coefficients.T
        alpha, beta = fits.exponents.T
        return Solutions(np.stack([E, A, alpha, B, beta], axis=1), fits.value, fits.converged)

    def at_bound(self, options: FitOptions) -> dict[str, float]:
        return cautions.exponents_at_bound(self.parameters, options.bounds)

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        return cautions.about_terms(self, curves, options)

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> ChinchillaLaw:
        return cls(*numbers(values))
