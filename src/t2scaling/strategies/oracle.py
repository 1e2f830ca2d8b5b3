"""The oracle: a sample is picked that is right, if any is. pass@k, the bound on every other strategy."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.passk import pass_at_k
from t2scaling.strategies.base import register
from t2scaling.strategies.success import Success


@register
@dataclass(frozen=True)
class Oracle:
    """pass@k = 1 − E[(1 − p)^k] (Chen et al. 2021, arXiv 2107.03374).

    >>> from t2scaling.strategies import BetaSuccess
    >>> round(float(Oracle().value(BetaSuccess(2, 3), 5)), 6)  # 1 − B(2, 8)/B(2, 3) = 1 − (1/72)/(1/12)
    0.833333
    """

    name: ClassVar[str] = "oracle"
    label: ClassVar[str] = "pass@k"
    rising: ClassVar[bool] = True

    def value(self, success: Success, k: ArrayLike) -> Array:
        """pass@k over the distribution."""
        return np.asarray(-np.expm1(success.log_fail(k)))

    def from_counts(self, n: ArrayLike, c: ArrayLike, k: ArrayLike, **more: Any) -> Array:
        """The unbiased estimate 1 − C(n − c, k)/C(n, k)."""
        return pass_at_k(n, c, k)


ORACLE = Oracle()
