"""The index fitted anew at each k: good numbers where it was fitted, and no surface to plan with.

A choice compares runs at different k, and small inconsistencies between the fits at each k would decide it. Between
the k of the grid the index is interpolated in log k; outside it the nearest is moved by the last slope.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws.base import Metric, Solutions, points
from t2scaling.laws.bottleneck import INDEX_NAMES, needs_success
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.measurements import Curves, FitData, Target
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.bottleneck import fit_index, log_loss_of
from t2scaling.laws.table import TableLaw

_P = len(INDEX_NAMES)


@register
@dataclass(frozen=True, eq=False)
class DirectLaw(TableLaw):
    """log(−log pass@k) = γ·log(A·N^−a + B·D^−b) with parameters of its own at each k.

    k        shape (K,)
    passed   parameters A, a, B, b, γ of −log of the mean pass@k at each k, shape (K, 5)
    value    the same of the mean of −log pass@k; equal to `passed` where the target is −log of the mean
    """

    k: Array
    passed: Array
    value: Array
    target: Target = "mean_neg_log"

    name: ClassVar[str] = "direct"
    label: ClassVar[str] = "bottleneck index, anew at each k"
    formula: ClassVar[str] = "−log pass@k = (A(k)·N^−a(k) + B(k)·D^−b(k))^γ(k)"
    parameter_names: ClassVar[tuple[str, ...]] = INDEX_NAMES
    tables: ClassVar[tuple[str, ...]] = ("k", "passed", "value")

    @property
    def parameters(self) -> dict[str, float]:
        """Those at k = 1."""
        return dict(zip(self.parameter_names, map(float, self.passed[0]), strict=True))

    @property
    def training_law(self) -> ChinchillaLaw:
        A, a, B, b, _ = self.passed[0]
        return ChinchillaLaw(0.0, float(A), float(a), float(B), float(b))

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Mean pass@k over questions, or its −log."""
        if metric is not None and metric not in self.metrics:
            raise self.cannot_say(metric, ", ".join(self.metrics))
        N, D, k = np.broadcast_arrays(*points(N, D, k))
        table = self.value if metric == "neg_log_pass_at_k" else self.passed
        A, a, B, b, gamma = table.T
        index = gamma * np.log(A * N[..., None] ** -a + B * D[..., None] ** -b)  # (…, K)
        loss = np.exp(_between(np.log(self.k), index, np.log(k)))
        return loss if metric == "neg_log_pass_at_k" else np.exp(-loss)

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        return needs_success(curves)

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """One index per k and target, all in one batch."""
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(data.value > 0, np.log(data.value), np.nan)
        both = np.concatenate([log_loss_of(data.passed), mean], axis=2).transpose(0, 2, 1)  # (B, 2K, R)
        weight = np.repeat(data.weight, both.shape[1], axis=0)
        fits = fit_index(data.N, data.D, both.reshape(-1, len(data.N)), weight)
        table = fits.parameters().reshape(len(data.value), -1)
        k = np.broadcast_to(data.k, (len(table), len(data.k)))
        value, converged = fits.value.reshape(len(table), -1), fits.converged.reshape(len(table), -1)
        return Solutions(np.concatenate([k, table], axis=1), value.sum(axis=1), np.all(converged, axis=1))

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        values = np.asarray(values, dtype=float)
        K = len(values) // (2 * _P + 1)
        passed, value = values[K:].reshape(2, K, _P)
        return cls(values[:K], passed, value, target or "mean_neg_log")  # type: ignore[arg-type]


def _between(grid: Array, values: Array, at: Array) -> Array:
    """values (…, K) on the grid (K,), interpolated linearly at `at` (…); beyond the ends along the last slope."""
    if len(grid) == 1:
        return values[..., 0]
    right = np.clip(np.searchsorted(grid, at), 1, len(grid) - 1)
    share = (at - grid[right - 1]) / (grid[right] - grid[right - 1])
    low = np.take_along_axis(values, (right - 1)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(values, right[..., None], axis=-1)[..., 0]
    return low + share * (high - low)
