"""The nearest run as a forecast: what a law has to beat. No parameters, no slope, no plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws.base import Metric, Solutions, points
from t2scaling.laws.measurements import FitData, Target
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.table import TableLaw


@register
@dataclass(frozen=True, eq=False)
class NearestLaw(TableLaw):
    """pass@k of the run that is nearest in (log N, log D); between its k interpolated in log k, beyond them held.

    table   shape (R, 2 + 2K): log N, log D, pass@k and the target at each k, NaN where not measured
    k       shape (K,)
    """

    k: Array
    table: Array
    target: Target = "mean_neg_log"

    name: ClassVar[str] = "nearest"
    label: ClassVar[str] = "nearest run"
    formula: ClassVar[str] = "pass@k of the run nearest in (log N, log D)"
    parameter_names: ClassVar[tuple[str, ...]] = ()
    tables: ClassVar[tuple[str, ...]] = ("k", "table")
    gaps: ClassVar[bool] = True

    @property
    def parameters(self) -> dict[str, float]:
        return {}

    @classmethod
    def head(cls, parameters: Mapping[str, Any], tables: Mapping[str, Array]) -> list[Any]:
        return [tables["k"].size]

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Mean pass@k over questions, or its −log; NaN where the nearest run was not measured."""
        if metric is not None and metric not in self.metrics:
            raise self.cannot_say(metric, ", ".join(self.metrics))
        N, D, k = np.broadcast_arrays(*points(N, D, k))
        away = (np.log(N)[..., None] - self.table[:, 0]) ** 2 + (np.log(D)[..., None] - self.table[:, 1]) ** 2
        run = np.argmin(away, axis=-1)
        K = len(self.k)
        values = self.table[:, 2 + K :] if metric == "neg_log_pass_at_k" else self.table[:, 2 : 2 + K]
        at = np.clip(np.searchsorted(self.k, k), 1, max(K - 1, 1))
        if K == 1:
            return values[run, 0]
        low, high = np.log(self.k[at - 1]), np.log(self.k[at])
        share = np.clip((np.log(k) - low) / (high - low), 0.0, 1.0)
        # At a point of the grid only that point has to be measured.
        left = np.where(share < 1, values[run, at - 1] * (1 - share), 0.0)
        right = np.where(share > 0, values[run, at] * share, 0.0)
        return left + right

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """The runs as they are."""
        B, R, K = data.value.shape
        place = np.broadcast_to(np.stack([np.log(data.N), np.log(data.D)], axis=1), (B, R, 2))
        table = np.concatenate([place, data.passed, data.value], axis=2).reshape(B, -1)
        head = np.broadcast_to(np.append(float(K), data.k), (B, K + 1))
        return Solutions(np.concatenate([head, table], axis=1), np.zeros(B), np.ones(B, dtype=bool))

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        values = np.asarray(values, dtype=float)
        K = int(values[0])
        table = values[1 + K :].reshape(-1, 2 + 2 * K)
        return cls(values[1 : 1 + K], table, target or "mean_neg_log")  # type: ignore[arg-type]
