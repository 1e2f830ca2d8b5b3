"""Distributions of single-sample success p over questions: what a law says of (N, D), and what strategies work on.

`BetaSuccess` is a law's; `PointSuccess` is a list of questions or classes with weights. Both give the two chances with
a closed form (all k samples fail, all k are right) and the mean of any function of p, for strategies that have none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.passk import log_gamma_second_difference

_TINY = np.finfo(float).tiny


@runtime_checkable
class Success(Protocol):
    """What a strategy asks of a distribution of p. Fields may be arrays; k broadcasts against them."""

    @property
    def mean(self) -> Array:
        """E[p], which is pass@1."""

    def log_fail(self, k: ArrayLike) -> Array:
        """log E[(1 − p)^k]."""

    def log_all(self, k: ArrayLike) -> Array:
        """log E[p^k]."""

    def expect(self, function: Callable[[Array], Array]) -> Array:
        """E[function(p)]; the function sees p with one more axis, the last, which is averaged away."""


@dataclass(frozen=True)
class BetaSuccess:
    """p ~ Beta(a, b), elementwise over arrays.

    >>> float(BetaSuccess(2, 3).mean)
    0.4
    """

    a: ArrayLike
    b: ArrayLike

    @property
    def mean(self) -> Array:
        """a/(a + b)."""
        a, b = np.asarray(self.a, dtype=float), np.asarray(self.b, dtype=float)
        return np.asarray(a / (a + b))

    def log_fail(self, k: ArrayLike) -> Array:
        """log B(a, b + k)/B(a, b)."""
        return np.asarray(-log_gamma_second_difference(self.b, self.a, k))

    def log_all(self, k: ArrayLike) -> Array:
        """log B(a + k, b)/B(a, b)."""
        return np.asarray(-log_gamma_second_difference(self.a, self.b, k))

    def expect(self, function: Callable[[Array], Array]) -> Array:
        """E[function(p)] by the double-exponential rule over quantiles (Takahasi and Mori 1974), 141 nodes.

        Good to about 1e-7 for functions as smooth as a strategy's, however close to 0 the mass lies.
        """
        from scipy.special import betaincinv

        t = np.linspace(-4.0, 3.0, 141)  # beyond 3 the quantile is 1 to rounding
        inner = np.pi / 2 * np.sinh(t)
        quantile = 1 / (1 + np.exp(-2 * inner))
        weight = np.cosh(t) / np.cosh(inner) ** 2
        a, b = (np.asarray(value, dtype=float)[..., None] for value in (self.a, self.b))
        return PointSuccess(betaincinv(a, b, quantile), weight / weight.sum()).expect(function)


@dataclass(frozen=True)
class PointSuccess:
    """p takes the values `p` with probabilities `weight`, both along the last axis.

    p        shape (…, Q)
    weight   shape (Q,) or (…, Q), sums to 1

    >>> float(PointSuccess([0.0, 0.5], [0.5, 0.5]).mean)
    0.25
    """

    p: ArrayLike
    weight: ArrayLike

    @property
    def mean(self) -> Array:
        """Σ weight·p."""
        return self.expect(lambda p: p)

    def log_fail(self, k: ArrayLike) -> Array:
        """log Σ weight·(1 − p)^k; k of the shape of p without its last axis, or broadcast against it."""
        return self._log_power(np.log1p, -1.0, k)

    def log_all(self, k: ArrayLike) -> Array:
        """log Σ weight·p^k."""
        return self._log_power(np.log, 1.0, k)

    def expect(self, function: Callable[[Array], Array]) -> Array:
        """Σ weight·function(p)."""
        return np.asarray(np.sum(np.asarray(self.weight) * function(np.asarray(self.p, dtype=float)), axis=-1))

    def _log_power(self, log: Callable[[Array], Array], sign: float, k: ArrayLike) -> Array:
        """log E[q^k] with log q = log(sign·p): near 0 through E[q^k − 1], which keeps the digits of rare success."""
        k = np.asarray(k, dtype=float)[..., None]
        with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
            exponent = k * log(sign * np.asarray(self.p, dtype=float))
            lost = np.sum(np.asarray(self.weight) * np.expm1(exponent), axis=-1)
            top = np.max(exponent, axis=-1, keepdims=True)
            scaled = np.sum(np.asarray(self.weight) * np.exp(exponent - np.maximum(top, -1 / _TINY)), axis=-1)
            return np.where(lost > -0.5, np.log1p(np.maximum(lost, -1.0)), np.log(scaled) + top[..., 0])
