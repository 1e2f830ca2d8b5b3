"""The one judge of extrapolation: what a fit has seen, and how far beyond it a point lies.

Fits, plans, frontiers, predictions and pages all ask it, so that they agree. A point is outside where N, D, k, D/N or
6·N·D leaves the range that was measured, with a slack of half a unit of the third digit, as ranges are shown with
three. How far is one number: the largest log distance beyond the range over N, D, N·D and D/N (k is a matter of the
samples drawn, not of the run).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.costs import train_flops
from t2scaling.units import format_flops, format_number

Range = tuple[float, float]

SLACK = 5e-3
# Axis → how a sentence names it. The keys are those of fit.json.
AXES = {
    "N": ("N", "parameters"),
    "D": ("D", "tokens"),
    "k": ("k", "samples"),
    "tokens_per_param": ("D/N", "tokens per parameter"),
    "train_flops": ("C", "training FLOPs"),
}


@dataclass(frozen=True)
class Support(Mapping[str, Range]):
    """Smallest and largest N, D, k, D/N and 6·N·D seen; an axis that is not known judges nothing.

    ranges   {"N": (lo, hi), "D": …, "k": …, "tokens_per_param": …, "train_flops": …}, any of them

    >>> seen = Support({"N": (1e6, 1e8), "D": (1e8, 1e10), "k": (1, 64)})
    >>> seen.outside([1e7, 1e9], 1e9).tolist(), round(float(seen.distance(1e9, 1e9)), 4)
    ([False, True], 2.3026)
    """

    ranges: Mapping[str, Range] = field(default_factory=dict)

    def __getitem__(self, axis: str) -> Range:
        return self.ranges[axis]

    def __iter__(self) -> Iterator[str]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)

    @classmethod
    def of(cls, N: ArrayLike, D: ArrayLike, k: ArrayLike = (), train: ArrayLike | None = None) -> Support:
        """The support of runs N, D, shape (R,), measured at the k given; `train` where FLOPs are not 6·N·D."""
        N, D, k = (np.asarray(value, dtype=float) for value in (N, D, k))
        flops = train_flops(N, D) if train is None else np.asarray(train, dtype=float)
        axes = {"N": N, "D": D, "k": k, "tokens_per_param": D / N, "train_flops": flops}
        return cls({axis: (float(value.min()), float(value.max())) for axis, value in axes.items() if value.size})

    def outside(self, N: ArrayLike, D: ArrayLike, k: ArrayLike | None = None) -> Flags:
        """Whether points lie outside, broadcast; k is judged where it is given. NaN is outside."""
        axes = _axes(N, D, k)
        out = np.zeros(np.broadcast_shapes(*(value.shape for value in axes.values())), dtype=bool)
        for axis, value in axes.items():
            if axis in self.ranges:
                low, high = self.ranges[axis]
                out = out | ~((value >= low * (1 - SLACK)) & (value <= high * (1 + SLACK)))
        return out

    def distance(self, N: ArrayLike, D: ArrayLike) -> Array:
        """Largest log distance beyond the range over N, D, N·D and D/N, broadcast; 0 inside."""
        axes = _axes(N, D, None)
        far = np.zeros(np.broadcast_shapes(*(value.shape for value in axes.values())))
        with np.errstate(divide="ignore", invalid="ignore"):
            for axis, value in axes.items():
                low, high = self.ranges.get(axis, (0.0, np.inf))
                far = np.maximum(far, np.maximum(np.log(value / high), np.log(low / value)))
        return far

    def sentences(self, N: float, D: float, k: float | None = None) -> list[str]:
        """A sentence for each axis on which a point leaves what was seen, with how far."""
        axes = {axis: float(value) for axis, value in _axes(N, D, k).items() if axis in self.ranges}
        found = [self._sentence(axis, value) for axis, value in axes.items()]
        return [text for text in found if text]

    def _sentence(self, axis: str, value: float) -> str:
        low, high = self.ranges[axis]
        symbol, unit = AXES[axis]
        if value > high * (1 + SLACK):
            side, edge, factor = "above the largest", high, value / high
        elif value < low * (1 - SLACK):
            side, edge, factor = "below the smallest", low, low / value
        else:
            return ""
        times = "just" if factor < 1.1 else f"{factor:.2g}×" if factor < 100 else f"{factor:,.0f}×"
        write = format_flops if axis == "train_flops" else format_number
        return (
            f"{symbol} = {write(value)} {unit} is {times} {side} that the law was fitted on "
            f"({write(edge)}): this is extrapolation."
        )


def _axes(N: ArrayLike, D: ArrayLike, k: ArrayLike | None) -> dict[str, Array]:
    N, D = np.asarray(N, dtype=float), np.asarray(D, dtype=float)
    axes = {"N": N, "D": D, "tokens_per_param": D / N, "train_flops": train_flops(N, D)}
    return axes if k is None else {**axes, "k": np.asarray(k, dtype=float)}
