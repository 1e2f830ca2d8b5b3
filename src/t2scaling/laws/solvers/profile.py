"""Stage 1 of Approach 2 as the paper has it: E on a grid, the rest by L-BFGS-B (arXiv 2604.01411, App. F).

E takes 40 values in [0.01, 0.95] of the smallest loss; for each, log A, log B, alpha and beta descend from 50 random
starts, and the E of least sum of squares wins. So E is never zero, and is known to a fortieth of the smallest loss;
`varpro` profiles E exactly and allows zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.options import EXPONENT_BOUNDS
from t2scaling.laws.solvers.restarts import fit_restarts
from t2scaling.laws.solvers.varpro import PowerFits

Array = NDArray[np.float64]

GRID = np.linspace(0.01, 0.95, 40)  # of the smallest loss
STARTS = 50  # per value of E


def fit_profile(
    N: Array,
    D: Array,
    y: Array,
    weight: Array,
    *,
    starts: int = STARTS,
    seed: int = 0,
    bounds: tuple[float, float] = EXPONENT_BOUNDS,
    warm: Array | None = None,
    advance: Callable[[int], object] | None = None,
) -> PowerFits:
    """Fit E + A·N^−alpha + B·D^−beta to one table y of shape (R, 1), E on the grid; a batch of one comes back.

    starts   per value of E
    warm     exponents (1, 2) to start from as well, at every E
    """
    fits = [
        fit_restarts(
            N, D, np.ones(1), y, weight, restarts=starts, seed=seed, bounds=bounds, warm=warm, advance=advance, floor=E
        )
        for E in GRID * float(np.nanmin(y))
    ]
    return min(fits, key=lambda found: float(found.value[0]))
