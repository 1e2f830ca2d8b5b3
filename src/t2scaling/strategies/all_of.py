"""All k right (pass^k, reliability), and at least a share tau of them (G-pass@k)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import require
from t2scaling.passk import log_gamma_second_difference
from t2scaling.strategies.base import register
from t2scaling.strategies.counts import check_counts, whole_k
from t2scaling.strategies.success import Success


def all_of(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Array:
    """C(c, k)/C(n, k): the chance that k samples drawn without replacement are all right (Yao et al. 2024, pass^k).

    n, c   samples and right samples per question, broadcast; k ≥ 1, real
    Returns shape (n, c).shape + k.shape, 0 where c < k and NaN where n < k. Raises ArgumentError as `pass_at_k`.

    >>> float(all_of(10, 7, 3))  # 7/24
    0.2916666666666667
    """
    n, c, k = check_counts(n, c, k)
    able = c >= k
    with np.errstate(invalid="ignore"):
        log_share = -log_gamma_second_difference(np.where(able, c - k + 1, 1.0), n - c, k)
    return np.where(n < k, np.nan, np.where(able, np.exp(log_share), 0.0))


def at_least(n: ArrayLike, c: ArrayLike, k: ArrayLike, tau: float) -> Array:
    """Chance that at least ⌈tau·k⌉ of k samples drawn without replacement are right (Liu et al. 2024, G-pass@k).

    Shapes as `all_of`; k must be whole, tau in (0, 1].

    >>> round(float(at_least(16, 10, 8, 0.75)), 6)  # 87/286
    0.304196
    """
    from scipy.stats import hypergeom

    needed = _needed(whole_k(k), tau)
    n, c, k = check_counts(n, c, k)
    drawn = np.minimum(k, n)
    share = hypergeom.sf(np.minimum(needed, drawn + 1) - 1, n, c, drawn)
    return np.where(n < k, np.nan, share)


def _needed(k: Array, tau: float) -> Array:
    require(0 < tau <= 1, "tau", tau, "lie in (0, 1]: it is the share of the samples that must be right")
    return np.ceil(tau * k - 1e-9)


@register
@dataclass(frozen=True)
class AllOf:
    """pass^k = E[p^k]: every one of k samples is right."""

    name: ClassVar[str] = "all"
    label: ClassVar[str] = "pass^k"
    rising: ClassVar[bool] = False

    def value(self, success: Success, k: ArrayLike) -> Array:
        """E[p^k] over the distribution."""
        return np.asarray(np.exp(success.log_all(k)))

    def from_counts(self, n: ArrayLike, c: ArrayLike, k: ArrayLike, **more: Any) -> Array:
        """C(c, k)/C(n, k)."""
        return all_of(n, c, k)


@register
@dataclass(frozen=True)
class AtLeast:
    """G-pass@k: at least a share tau of k samples is right; k whole.

    tau   in (0, 1]
    """

    tau: float

    name: ClassVar[str] = "at_least"
    rising: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _needed(np.ones(1), self.tau)

    @property
    def label(self) -> str:
        """With its share."""
        return f"at least {self.tau:.3g} of k"

    def value(self, success: Success, k: ArrayLike) -> Array:
        """E[P(Bin(k, p) ≥ ⌈tau·k⌉)], by the incomplete Beta function."""
        from scipy.special import betainc

        k = whole_k(k)
        needed = _needed(k, self.tau)[..., None]
        return success.expect(lambda p: betainc(needed, k[..., None] - needed + 1, p))

    def from_counts(self, n: ArrayLike, c: ArrayLike, k: ArrayLike, **more: Any) -> Array:
        """Hypergeometric."""
        return at_least(n, c, k, self.tau)
