"""A verifier that errs: by its two rates, or by how well its scores tell right from wrong (AUC)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.strategies.base import register
from t2scaling.strategies.counts import check_counts, whole_k
from t2scaling.strategies.success import Success

_REACH, _NODES = 9.0, 361  # of the trapezoid rule over scores: exponentially accurate for these smooth tails


def verifier(
    p: ArrayLike, k: ArrayLike, *, tpr: float | None = None, fpr: float | None = None, auc: float | None = None
) -> Array:
    """Chance that the sample handed on is right, per question of success p.

    tpr, fpr   shares of right and of wrong samples accepted: one accepted sample is drawn evenly, or any where none is
    auc        instead of them: right scores ~ N(d, 1), wrong ~ N(0, 1), d = √2·Φ⁻¹(auc); the highest score is taken
    p, k       broadcast; k ≥ 1, real
    Raises ArgumentError for rates outside [0, 1], tpr < fpr, auc outside [0.5, 1), or both kinds given.

    >>> round(float(verifier(0.1, 10, tpr=0.9, fpr=0.05)), 6)
    0.513038
    """
    strategy = Verifier(tpr=tpr, fpr=fpr, auc=auc)
    p, k = np.asarray(p, dtype=float), np.asarray(k, dtype=float)
    if np.any(~((p >= 0) & (p <= 1))):
        raise ArgumentError("`p` must lie in [0, 1]: it is a chance of success.")
    if np.any(~(k >= 1)):
        raise ArgumentError(f"`k` = {float(np.min(k)):g} is below one sample: use k ≥ 1.")
    return strategy.at(p, k)


@register
@dataclass(frozen=True)
class Verifier:
    """Accepts right samples at rate tpr and wrong ones at fpr, or ranks with the AUC given; see `verifier`."""

    tpr: float | None = None
    fpr: float | None = None
    auc: float | None = None

    name: ClassVar[str] = "verifier"
    rising: ClassVar[bool] = True

    def __post_init__(self) -> None:
        rates = self.tpr is not None or self.fpr is not None
        if rates == (self.auc is not None):
            raise ArgumentError("`strategy` = verifier needs either tpr and fpr, or auc: verifier:tpr=.9,fpr=.05")
        if self.auc is not None:
            if not 0.5 <= self.auc < 1:
                raise ArgumentError(f"`auc` = {self.auc:g} must lie in [0.5, 1): 0.5 guesses, 1 would be the oracle.")
            return
        if self.tpr is None or self.fpr is None:
            raise ArgumentError("`strategy` = verifier needs both tpr and fpr: verifier:tpr=.9,fpr=.05")
        for name, value in (("tpr", self.tpr), ("fpr", self.fpr)):
            if not 0 <= value <= 1:
                raise ArgumentError(f"`{name}` = {value:g} must lie in [0, 1]: it is a share of samples accepted.")
        if self.tpr < self.fpr:
            raise ArgumentError(
                f"`tpr` = {self.tpr:g} is below `fpr` = {self.fpr:g}: this verifier prefers wrong answers; swap them."
            )

    @property
    def label(self) -> str:
        """With its rates."""
        return (
            f"verifier (AUC {self.auc:g})" if self.auc is not None else f"verifier (TPR {self.tpr:g}, FPR {self.fpr:g})"
        )

    def at(self, p: Array, k: Array) -> Array:
        """Value per question, p and k broadcast."""
        return self._ranked(p, k) if self.auc is not None else self._accepted(p, k)

    def ceiling(self, p: ArrayLike) -> Array:
        """Limit for many samples: p·tpr/(p·tpr + (1 − p)·fpr), and 1 by AUC (a rank finds a right one in the end)."""
        p = np.asarray(p, dtype=float)
        if self.tpr is None or self.fpr is None:
            return np.where(p > 0, 1.0, 0.0)
        accepted = p * self.tpr + (1 - p) * self.fpr
        return np.where(accepted > 0, p * self.tpr / np.where(accepted > 0, accepted, 1.0), p)

    def value(self, success: Success, k: ArrayLike) -> Array:
        """Mean over the distribution."""
        k = np.asarray(k, dtype=float)[..., None]
        return success.expect(lambda p: self.at(p, k))

    def from_counts(self, n: ArrayLike, c: ArrayLike, k: ArrayLike, **more: Any) -> Array:
        """Unbiased: mean over subsets of k of n samples, c right, of what the rates make of them. k whole.

        With j right and m wrong samples E[right accepted / accepted] = ∫₀¹ j·tpr·(1 − tpr + tpr·x)^(j−1)
        (1 − fpr + fpr·x)^m dx, a polynomial that Gauss–Legendre nodes integrate exactly.
        """
        from scipy.stats import hypergeom

        if self.tpr is None or self.fpr is None:
            raise ArgumentError(
                "`strategy` = verifier:auc works on a law's success or on p, not on counts: give tpr and fpr."
            )
        shape = np.shape(k)
        n, c, _ = check_counts(n, c, 1.0)
        columns = []
        for samples in whole_k(k).ravel():
            right = np.arange(samples + 1)
            chance = hypergeom.pmf(right, n[..., None], c[..., None], np.minimum(samples, n)[..., None])
            value = chance @ _mixed(self.tpr, self.fpr, right, samples)
            columns.append(np.where(n < samples, np.nan, value))
        return np.stack(columns, axis=-1).reshape(n.shape + shape)

    def _accepted(self, p: Array, k: Array) -> Array:
        tpr, fpr = float(self.tpr or 0), float(self.fpr or 0)
        a = p * tpr + (1 - p) * fpr
        with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
            log_none = k * np.log1p(-a)
            found = np.where(a > 0, -np.expm1(log_none) * p * tpr / a, 0.0)
            # (1 − a)^k/(1 − a): any sample is handed on where none is accepted
            missed = np.where(a < 1, np.exp((k - 1) * np.log1p(-a)) * p * (1 - tpr), 0.0)
        return np.asarray(found + missed)

    def _ranked(self, p: Array, k: Array) -> Array:
        """∫ k·p·φ(s − d)·[p·Φ(s − d) + (1 − p)·Φ(s)]^(k−1) ds."""
        from scipy.special import ndtr, ndtri

        d = np.sqrt(2) * ndtri(self.auc)
        s, step = np.linspace(d - _REACH, d + _REACH, _NODES, retstep=True)
        density = np.exp(-((s - d) ** 2) / 2) / np.sqrt(2 * np.pi)
        p, k = np.broadcast_arrays(p, k)
        total = np.zeros(p.shape)
        with np.errstate(under="ignore"):
            for at, weight in zip(s, density * step, strict=True):
                above = p * ndtr(d - at) + (1 - p) * ndtr(-at)
                total += weight * np.exp((k - 1) * np.log1p(-np.minimum(above, 1 - 1e-16)))
        return np.asarray(k * p * total)


def _mixed(tpr: float, fpr: float, right: Array, k: float) -> Array:
    """Chance that the sample handed on is right when `right` of k samples are, shape (k + 1,)."""
    x, weight = np.polynomial.legendre.leggauss(int(k) // 2 + 1)
    x, weight = (x + 1) / 2, weight / 2
    wrong = k - right
    kept, dropped = 1 - tpr + tpr * x, 1 - fpr + fpr * x
    powers = kept ** np.maximum(right - 1, 0)[:, None] * dropped ** wrong[:, None]
    return right * tpr * (powers @ weight) + (1 - tpr) ** right * (1 - fpr) ** wrong * right / k
