"""Several tasks at once: the weighted mean of one law's fits to each of them.

Nothing is fitted here. Each task keeps its own law of (N, D) and its own distribution of success, and what a plan makes
best is the weighted mean of the tasks' values. Shapes: T tasks along a new first axis, before those of N, D and k.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError
from t2scaling.laws.base import Law, Metric
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.loss import LossLaw
from t2scaling.laws.solvers.rootfind import root
from t2scaling.strategies import Success


class MixLaw(Law):
    """Weighted mean over tasks of a law's own metric.

    parts    one law per task, all of one class
    weights  one per part, above zero; they are divided by their sum

    >>> easy, hard = (ChinchillaLaw(E, 400, 0.34, 1200, 0.37) for E in (1, 3))
    >>> float(MixLaw([easy, hard], [3, 1]).predict(1e9, 2e10) - easy.predict(1e9, 2e10))
    0.5

    Raises ArgumentError for weights that are none, laws of several classes, and −log of a mean, which has no mean.
    """

    name = "mix"

    def __init__(self, parts: Sequence[Law], weights: Sequence[float]) -> None:
        if len(parts) != len(weights) or not all(np.isfinite(one) and one > 0 for one in weights):
            said = ", ".join(f"{one:g}" for one in weights)
            raise ArgumentError(f"`weights` = {said} must be {len(parts)} numbers above zero, one per fit.")
        if len({type(part) for part in parts}) > 1:
            raise ArgumentError(
                "the fits are of several laws, whose values have no mean: fit the same law to each task."
            )
        if any(isinstance(part, LossLaw) and part.target == "neg_log_mean" for part in parts):
            raise ArgumentError(
                "a −log of mean pass@k has no mean over tasks: fit with target mean_neg_log, or the accuracy law."
            )
        self.parts = tuple(parts)
        self.weights = tuple(one / sum(weights) for one in weights)
        first = parts[0]
        self.label, self.metric, self.samples = f"{first.label}, mix of tasks", first.metric, first.samples  # type: ignore[misc]

    @property
    def training_law(self) -> Any:
        """The weighted mean of the tasks' k = 1 laws."""
        return MixLaw([part.training_law for part in self.parts], self.weights)

    @property
    def training_laws(self) -> tuple[ChinchillaLaw, ...]:
        return tuple(part.training_law for part in self.parts)

    def surface(self, N: ArrayLike, D: ArrayLike) -> Array:
        """Every task's k = 1 loss, (T, …)."""
        return np.stack([law.surface(np.asarray(N), np.asarray(D)) for law in self.training_laws])

    def optimal_params(self, product: ArrayLike) -> Array:
        """N of least mean k = 1 loss among all (N, D) with N·D = product: between the optima of the tasks."""
        ends = np.log([law.optimal_params(product) for law in self.training_laws])

        def slope(log_n: Array) -> Array:
            N = np.exp(log_n)
            return _mean(self.weights, [law.by_tokens(product / N) - law.by_size(N) for law in self.training_laws])

        return np.exp(root(slope, ends.min(axis=0), ends.max(axis=0)))

    def by_size(self, N: Array) -> Array:
        """−∂loss/∂log N of the mean k = 1 loss."""
        return _mean(self.weights, [law.by_size(N) for law in self.training_laws])

    def by_tokens(self, D: Array) -> Array:
        """−∂loss/∂log D of the mean k = 1 loss."""
        return _mean(self.weights, [law.by_tokens(D) for law in self.training_laws])

    def score(self, loss: Array, log_k: Array) -> Array:
        """Mean of the tasks' losses, or log of the mean chance that all k samples fail."""
        scores = [part.score(one, log_k) for part, one in zip(self.parts, loss, strict=True)]
        return _log_mean(self.weights, scores) if self.metric == "pass_at_k" else _mean(self.weights, scores)

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """The mean over tasks of the laws' own metric."""
        if metric not in (None, self.metric):
            raise self.cannot_say(str(metric), f"the mean over tasks of {self.metric}")
        return _mean(self.weights, [part.predict(N, D, k) for part in self.parts])

    def success(self, N: ArrayLike, D: ArrayLike) -> Success | None:
        """Success over the questions of all tasks, each task weighed."""
        found = [part.success(N, D) for part in self.parts]
        return None if any(one is None for one in found) else _Mixture(tuple(found), self.weights)


@dataclass(frozen=True)
class _Mixture:
    """A distribution of success whose parts have weights."""

    parts: tuple[Success, ...]
    weights: tuple[float, ...]

    @property
    def mean(self) -> Array:
        return _mean(self.weights, [part.mean for part in self.parts])

    def log_fail(self, k: ArrayLike) -> Array:
        return _log_mean(self.weights, [part.log_fail(k) for part in self.parts])

    def log_all(self, k: ArrayLike) -> Array:
        return _log_mean(self.weights, [part.log_all(k) for part in self.parts])

    def expect(self, function: Callable[[Array], Array]) -> Array:
        return _mean(self.weights, [part.expect(function) for part in self.parts])


def _mean(weights: Sequence[float], values: Sequence[Array]) -> Array:
    return np.asarray(sum(weight * value for weight, value in zip(weights, values, strict=True)))


def _log_mean(weights: Sequence[float], logs: Sequence[Array]) -> Array:
    """log of the weighted mean of what has these logs."""
    return np.asarray(np.logaddexp.reduce([np.log(weight) + log for weight, log in zip(weights, logs, strict=True)]))
