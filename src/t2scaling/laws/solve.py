"""The bare fit of one law to curves, which fits, bootstraps and backtests repeat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.base import Law, Solutions
from t2scaling.laws.isoflop import inverse_variance_weights
from t2scaling.laws.measurements import Curves, FitData, Measurements
from t2scaling.laws.options import FitOptions

Array = NDArray[np.float64]


def fit_law(
    law: type[Law], curves: Curves, options: FitOptions, measurements: Measurements | None = None
) -> tuple[Law, Solutions]:
    """The law fitted to curves, and how the solver ended: the bare fit that backtests repeat."""
    inverse = inverse_variance(curves, options.weights)
    found = law.fit(FitData.of(curves, inverse, measurements), options)
    return law.from_vector(found.parameters[0], curves.target), found


def inverse_variance(curves: Curves, weights: str) -> Array:
    """Run weights of stage 1, shape (R,): "inverse_variance" per isoFLOP group, or "equal"."""
    if weights == "equal":
        return np.ones(len(curves.N))
    return inverse_variance_weights(curves.flops, curves.loss)
