"""What every strategy checks of its counts."""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError


def check_counts(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> tuple[Array, Array, Array]:
    """n and c with as many axes appended as k has, and k, as floats. Raises ArgumentError for impossible counts."""
    n, c, k = (np.asarray(value, dtype=float) for value in (n, c, k))
    if np.any(~(k >= 1)):
        raise ArgumentError(f"`k` = {float(np.min(k)):g} is below one sample: use k ≥ 1.")
    n, c = np.broadcast_arrays(n, c)
    bad = ~((c >= 0) & (c <= n) & (n == np.round(n)) & (c == np.round(c)))
    if np.any(bad):
        at = np.unravel_index(np.argmax(bad), bad.shape)
        raise ArgumentError(f"`c` = {c[at]:g} of `n` = {n[at]:g} samples: counts are whole, and 0 ≤ c ≤ n.")
    new = (...,) + (None,) * k.ndim
    return n[new], c[new], k


def whole_k(k: ArrayLike) -> Array:
    """k as floats. Raises ArgumentError where k is no whole number of 1 or more."""
    k = np.asarray(k, dtype=float)
    if np.any(~((k >= 1) & (k == np.round(k)))):
        raise ArgumentError(
            f"`k` = {np.array2string(k)} must be whole numbers of samples, 1 or more, for this strategy."
        )
    return k
