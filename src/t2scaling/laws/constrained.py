"""Chinchilla's law when unique data runs out (Muennighoff et al. 2023, arXiv 2305.16264).

Repeated tokens are worth less with every epoch, and parameters beyond what the unique tokens can feed likewise. Both
decay exponentially towards a limit: D' = U + U·R*(1 − exp(−R/R*)) with R = D/U − 1 repetitions of U unique tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.laws.base import positive
from t2scaling.laws.chinchilla import ChinchillaLaw

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DataConstrainedLaw:
    """L(N, D, U) = E + A·N'^−alpha + B·D'^−beta for D tokens of which U are unique.

    loss                the law for unlimited unique tokens
    r_tokens, r_params  decay constants R*_D and R*_N of repeated tokens and of excess parameters
    """

    loss: ChinchillaLaw
    r_tokens: float
    r_params: float

    def predict(self, N: ArrayLike, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """Loss in nats, broadcast. With unique_tokens ≥ D this is the plain law, up to excess parameters."""
        N, D, U = positive("N", N), positive("D", D), positive("unique_tokens", unique_tokens)
        return self.loss.predict(self.effective_params(N, D, U), self.effective_tokens(D, U))

    def effective_tokens(self, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """D': the unique tokens that D tokens, of which U are unique, are worth; at most U·(1 + R*_D)."""
        D = positive("D", D)
        U = np.minimum(positive("unique_tokens", unique_tokens), D)
        return saturated(D, U, self.r_tokens)

    def effective_params(self, N: ArrayLike, D: ArrayLike, unique_tokens: ArrayLike) -> Array:
        """N': what N parameters are worth when only U tokens are unique.

        Parameters up to those that are compute-optimal for U tokens count in full, those beyond decay.
        """
        N, law = positive("N", N), self.loss
        U = np.minimum(positive("unique_tokens", unique_tokens), positive("D", D))
        ratio = np.exp(law.log_balance)
        fed = (U * ratio) ** (law.beta / law.alpha) * ratio
        return saturated(N, np.minimum(N, fed), self.r_params)


def saturated(amount: Array, unique: Array, decay: float) -> Array:
    """unique·(1 + R*(1 − exp(−R/R*))) with R = amount/unique − 1."""
    return np.asarray(unique * (1 - decay * np.expm1(-(amount / unique - 1) / decay)))
