"""Ways to hide part of a suite, so that a law can be judged on what it has not seen.

Every axis orders the runs (or, for "samples", the k) by one number; what lies at or below a bound is fitted, what lies
above is judged. "size" instead leaves out one N after the other.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Flags
from t2scaling.errors import ArgumentError, require, unknown
from t2scaling.laws.measurements import Curves

AXES: dict[str, str] = {
    "overtrained": "tokens per parameter",
    "larger": "parameters",
    "longer": "training tokens",
    "compute": "training FLOPs",
    "samples": "samples k",
    "size": "parameters, one size at a time",
}
QUANTILE = 0.65  # of the axis, where no bound is given
INNER = (0.5, 0.65, 0.8)  # quantiles of the fitted part at which it is cut again, for intervals


@dataclass(frozen=True)
class Split:
    """What is fitted and what is judged.

    bound     value of the axis up to which runs (or k) are fitted; the size left out for "size"
    train     shape (R,), runs fitted
    held_out  shape (R,), runs judged
    most_k    largest k fitted; k above it are the ones judged, unless infinite
    """

    axis: str
    bound: float
    train: Flags
    held_out: Flags
    most_k: float = np.inf


def axis_values(curves: Curves, axis: str) -> Array:
    """The number by which an axis orders the runs, shape (R,)."""
    if axis == "overtrained":
        return curves.D / curves.N
    if axis in ("larger", "size"):
        return curves.N
    if axis == "longer":
        return curves.D
    return curves.flops


def splits(curves: Curves, axis: str, bound: float | None = None, quantile: float | None = None) -> list[Split]:
    """The split of one axis (one per size for "size").

    bound     a value of the axis; or
    quantile  the share of runs (or k) at or below the bound, default 0.65
    Raises ArgumentError for an unknown axis, both or impossible bounds, and where nothing is left on one side.
    """
    if axis not in AXES:
        raise unknown("axis", axis, AXES)
    if bound is not None and quantile is not None:
        raise ArgumentError(f"`bound` = {bound:g} and `quantile` = {quantile:g} say the same thing: give one.")
    share = QUANTILE if quantile is None else quantile
    require(0 < share < 1, "quantile", share, f"lie between 0 and 1, such as {QUANTILE}")
    everything = np.ones(len(curves.N), dtype=bool)
    if axis == "size":
        if len(np.unique(curves.N)) < 3:
            raise ArgumentError("`axis` = 'size' leaves out one size at a time and needs three sizes at least.")
        return [Split(axis, float(size), size != curves.N, size == curves.N) for size in np.unique(curves.N)]
    values = curves.k if axis == "samples" else axis_values(curves, axis)
    at = float(np.quantile(values, share, method="lower")) if bound is None else float(bound)
    below = values <= at
    if below.all() or not below.any():
        raise ArgumentError(
            f"`bound` = {at:g} leaves nothing {'above' if below.all() else 'below'} on the axis {axis} "
            f"({AXES[axis]}), which runs from {values.min():g} to {values.max():g}."
        )
    if axis == "samples":
        return [Split(axis, at, everything, everything, at)]
    return [Split(axis, at, below, ~below)]


def inner_splits(curves: Curves, split: Split, fewest: int) -> list[Split]:
    """The fitted part of a split cut again on the same axis, at its 50, 65 and 80 % quantiles.

    fewest   runs that a fit needs; cuts that leave fewer are left out
    """
    if split.axis == "samples":
        known = curves.k[curves.k <= split.most_k]
        cuts = np.unique([np.quantile(known, share, method="lower") for share in INNER])
        return [
            Split(split.axis, float(cut), split.train, split.train, float(cut)) for cut in cuts if 1 < cut < known[-1]
        ]
    values = axis_values(curves, "compute" if split.axis == "size" else split.axis)
    found = []
    for cut in np.unique([np.quantile(values[split.train], share) for share in INNER]):
        below, above = split.train & (values <= cut), split.train & (values > cut)
        if below.sum() >= fewest and above.any():
            found.append(Split(split.axis, float(cut), below, above))
    return found
