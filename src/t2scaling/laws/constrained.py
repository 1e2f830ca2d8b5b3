"""Laws when unique data runs out (Muennighoff et al. 2023, arXiv 2305.16264).

Repeated tokens are worth less with every epoch, and parameters beyond what the unique tokens can feed likewise. Both
decay exponentially towards a limit: D' = U + U·R*(1 − exp(−R/R*)) with R = D/U − 1 repetitions of U unique tokens,
and N' likewise from the N that is compute-optimal for U tokens. `DataConstrainedLaw` is their law of the loss;
`repeated` puts N' and D' for N and D in any law, as plans do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws.base import Law, Metric, points, positive
from t2scaling.laws.chinchilla import SPECK, ChinchillaLaw
from t2scaling.laws.mix import MixLaw
from t2scaling.laws.solvers.rootfind import root

# Their fit to 182 runs on C4, of up to 9B parameters and 900B tokens.
R_TOKENS, R_PARAMS = 15.387756, 5.309743


@dataclass(frozen=True)
class DataConstrainedLaw:
    """L(N, D, U) = E + A·N'^−alpha + B·D'^−beta for D tokens of which U are unique.

    loss                the law for unlimited unique tokens
    r_tokens, r_params  decay constants R*_D and R*_N of repeated tokens and of excess parameters
    """

    loss: ChinchillaLaw
    r_tokens: float = R_TOKENS
    r_params: float = R_PARAMS

    def predict(self, N: ArrayLike, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """Loss in nats, broadcast. With unique_tokens ≥ D this is the plain law, up to excess parameters."""
        (N, D, _), U = points(N, D), positive("unique_tokens", unique_tokens)
        return self.loss.predict(self.effective_params(N, D, U), self.effective_tokens(D, U))

    def effective_tokens(self, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """D': the unique tokens that D tokens, of which U are unique, are worth; at most U·(1 + R*_D)."""
        D = positive("D", D)
        return saturated(D, positive("unique_tokens", unique_tokens), self.r_tokens)

    def effective_params(self, N: ArrayLike, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """N': what N parameters are worth when only U tokens are unique.

        Parameters up to those that are compute-optimal for U tokens count in full, those beyond decay.
        """
        U = np.minimum(positive("unique_tokens", unique_tokens), positive("D", D))
        return saturated(positive("N", N), self.loss.params_fed(U), self.r_params)


def saturated(amount: ArrayLike, unique: ArrayLike, decay: float) -> Array:
    """u·(1 + R*(1 − exp(−R/R*))) with u = min(amount, unique) and R = amount/u − 1."""
    amount = np.asarray(amount, dtype=float)
    full = np.minimum(amount, unique)
    return np.asarray(full * (1 - decay * np.expm1(-(amount / full - 1) / decay)))


def _elasticity(amount: ArrayLike, unique: ArrayLike, decay: float) -> Array:
    """d log(saturated)/d log(amount)."""
    amount = np.asarray(amount, dtype=float)
    left = np.exp(-(amount / np.minimum(amount, unique) - 1) / decay)
    return np.asarray(amount * left / saturated(amount, unique, decay))


def repeated(law: Law, unique_tokens: float) -> Law:
    """The law when only so many tokens are unique and data may be repeated; itself where they are unlimited.

    Parameters count in full up to those that are compute-optimal for all the unique tokens, also while D is less: so
    the law that was fitted to unrepeated data is kept as it is until data repeat. (Muennighoff et al. take those of
    min(U, D) tokens. The two differ only where N is larger than compute-optimal and nothing is repeated.)

    >>> law = ChinchillaLaw(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28)
    >>> repeated(law, 25e9).predict(N=1e9, D=[25e9, 100e9, 1e12]).round(3)
    array([2.55 , 2.395, 2.282])
    """
    if not np.isfinite(unique_tokens):
        return law
    if isinstance(law, MixLaw):
        return MixLaw([repeated(part, unique_tokens) for part in law.parts], law.weights)
    return RepeatedLaw(law, unique_tokens)


@dataclass(frozen=True)
class _RepeatedLoss(ChinchillaLaw):
    """Chinchilla's law of N' and D'."""

    unique_tokens: float

    def worth(self, N: ArrayLike, D: ArrayLike) -> tuple[Array, Array]:
        """(N', D'). Raises ArgumentError where N or D is not positive."""
        N, D, _ = points(N, D)
        return saturated(N, self._fed, R_PARAMS), saturated(D, self.unique_tokens, R_TOKENS)

    @property
    def _fed(self) -> Array:
        return np.maximum(self.params_fed(self.unique_tokens), 1.0)  # 0 where parameters never help

    def surface(self, N: Array, D: Array) -> Array:
        return super().surface(*self.worth(N, D))

    def by_size(self, N: ArrayLike) -> Array:
        return super().by_size(saturated(N, self._fed, R_PARAMS)) * _elasticity(N, self._fed, R_PARAMS)

    def by_tokens(self, D: ArrayLike) -> Array:
        unique = self.unique_tokens
        return super().by_tokens(saturated(D, unique, R_TOKENS)) * _elasticity(D, unique, R_TOKENS)

    def optimal_params(self, product: ArrayLike) -> Array:
        return self.served_optimum(np.asarray(product, dtype=float), np.zeros(()))[0]

    def served_optimum(self, product: Array, served: Array, iterations: int = 100) -> tuple[Array, Array]:
        """By the root of the slope: N' and D' are concave in log N and log D, so the loss stays convex in log D."""
        shape = np.broadcast_shapes(np.shape(product), np.shape(served), np.shape(self.A))
        hi = np.log(product) + np.zeros(shape)

        def slope(x: Array) -> Array:
            D = np.exp(x)
            return self.by_size(product / (D + served)) * D / (D + served) - self.by_tokens(D)

        D = np.exp(root(slope, np.full(shape, np.log(SPECK)), hi, iterations))
        return product / (D + served), D


@dataclass(frozen=True)
class RepeatedLaw(Law):
    """A law asked at N' and D'; see `repeated`. It is planned with and never fitted."""

    law: Law
    unique_tokens: float

    def __post_init__(self) -> None:
        for name in ("name", "label", "formula", "parameter_names", "metric", "samples", "plans", "unimodal"):
            object.__setattr__(self, name, getattr(self.law, name))

    @property
    def parameters(self) -> dict[str, float]:
        return self.law.parameters

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self.law.metrics

    @property
    def training_law(self) -> _RepeatedLoss:
        plain = self.law.training_law
        return _RepeatedLoss(plain.E, plain.A, plain.alpha, plain.B, plain.beta, self.unique_tokens)

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        return self.law.predict(*self.training_law.worth(N, D), k, metric)

    def success(self, N: ArrayLike, D: ArrayLike) -> Any:
        return self.law.success(*self.training_law.worth(N, D))

    def score(self, loss: Array, log_k: Array) -> Array:
        return self.law.score(loss, log_k)

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        return self.law.slopes(loss, log_k)

    def log_samples_to_match(self, loss: Array, wanted: Array) -> Array:
        return self.law.log_samples_to_match(loss, wanted)
