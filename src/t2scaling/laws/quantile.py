"""The quantile law: the bottleneck index, and success carried question by question instead of by a family.

It answers `predict` from likelihoods, for any k and for either mean of −log pass@k. Its parameters are a table (the
quantiles of every run fitted), so it is not planned with: `BottleneckLaw`, on the same index, is the smooth surface.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import DataError
from t2scaling.laws.base import Metric, Solutions, points
from t2scaling.laws.bottleneck import INDEX_NAMES, about_help, needs_success
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.measurements import Curves, FitData, Target
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import register
from t2scaling.laws.solvers.bottleneck import fit_index, log_loss_of
from t2scaling.laws.solvers.quantiles import BINS, carry, mean_pass
from t2scaling.laws.table import TableLaw


@register
@dataclass(frozen=True, eq=False)
class QuantileLaw(TableLaw):
    """pass@k from the quantiles of log NLL over questions, moved along θ = γ·log(A·N^−a + B·D^−b).

    loss    the sum x as a Chinchilla form with E = 0
    gamma   how softly the two bottlenecks meet
    theta   index of each run fitted, shape (R,)
    log_nll mean log NLL in U equal shares of the questions of each run, shape (R, U)
    target  which mean −log pass@k is
    """

    loss: ChinchillaLaw
    gamma: float
    theta: Array
    log_nll: Array
    target: Target = "mean_neg_log"

    name: ClassVar[str] = "quantile"
    label: ClassVar[str] = "bottleneck law, by quantiles"
    formula: ClassVar[str] = "pass@k = mean over u of 1 − (1 − e^−NLL(u, θ))^k, θ = γ·log(A·N^−a + B·D^−b)"
    parameter_names: ClassVar[tuple[str, ...]] = INDEX_NAMES
    tables: ClassVar[tuple[str, ...]] = ("theta", "log_nll")

    @property
    def parameters(self) -> dict[str, float]:
        values = (self.loss.A, self.loss.alpha, self.loss.B, self.loss.beta, self.gamma)
        return dict(zip(self.parameter_names, values, strict=True))

    @classmethod
    def head(cls, parameters: Mapping[str, Any], tables: Mapping[str, Array]) -> list[Any]:
        return [parameters[name] for name in cls.parameter_names]

    @property
    def training_law(self) -> ChinchillaLaw:
        return self.loss

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """Mean pass@k over questions, or the −log of it that `target` names."""
        if metric is not None and metric not in self.metrics:
            raise self.cannot_say(metric, ", ".join(self.metrics))
        N, D, k = points(N, D, k)
        index, k = np.broadcast_arrays(self.gamma * np.log(self.loss.predict(N, D)), k)
        # Many points share an index (all k of a run): each set of quantiles is carried once.
        distinct, where = np.unique(index, return_inverse=True)
        nll = carry(self.theta, self.log_nll, distinct)
        each = metric == "neg_log_pass_at_k" and self.target == "mean_neg_log"
        value = mean_pass(nll, where.ravel(), k.ravel(), each).reshape(k.shape)
        return value if each or metric != "neg_log_pass_at_k" else -np.log(value)

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        return needs_success(curves)

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """The index of mean pass@1, and each run's quantiles as they are."""
        if data.measurements is None or data.measurements.nll is None:
            raise DataError(
                "the quantile law is fitted to the likelihood of every question, and these data hold counts or "
                "averages: fit the bottleneck law (law='bottleneck') instead."
            )
        first = fit_index(data.N, data.D, log_loss_of(data.passed[:, :, 0]), data.weight)
        x = data.measurements.with_quantiles().quantiles
        assert x is not None
        table = np.broadcast_to(x.ravel(), (len(first.u), x.size))
        vector = np.concatenate([first.parameters(), first.index(data.N, data.D), table], axis=1)
        return Solutions(vector, first.value, first.converged)

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        return about_help(self.loss, self.gamma, curves)

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        values = np.asarray(values, dtype=float)
        A, a, B, b, gamma = (float(value) for value in values[:5])
        runs = (len(values) - 5) // (BINS + 1)
        theta, x = values[5 : 5 + runs], values[5 + runs :].reshape(runs, BINS)
        return cls(ChinchillaLaw(0.0, A, a, B, b), gamma, theta, x, target or "mean_neg_log")  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        # Seven digits of log NLL are more than any measurement has, and keep fit.json small.
        return super().to_dict() | {"log_nll": [[float(f"{v:.7g}") for v in row] for row in self.log_nll]}
