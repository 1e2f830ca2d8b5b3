"""How a fit ended, and the refits behind its intervals: what a `FitResult` and its artefact share."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.laws.base import Law, Metric
from t2scaling.laws.measurements import Target
from t2scaling.units import check_level


class FitStatus(StrEnum):
    """How a fit ended; each value is the sentence to show."""

    CONVERGED = "The fit converged."
    AT_BOUND = "The fit converged with a parameter on its bound: add runs that vary more in N, D or k."
    MAX_ITERATIONS = "The fit ran out of iterations: its parameters may still move; fit with more restarts."
    POOR = (
        "The law misses its own measurements, half of them by more than half of their value: fit another law, or "
        "another range of k; plan nothing with this one."
    )
    FAILED = "The fit found no usable law: check the measurements with `t2 validate`."

    @property
    def usable(self) -> bool:
        """Whether the law may be relied on; `t2 fit` exits 1 where it may not."""
        return self in (FitStatus.CONVERGED, FitStatus.AT_BOUND)


@dataclass(frozen=True)
class Bootstrap:
    """Parameters of the law refitted to resampled data.

    law       class of the law
    samples   shape (B, P), columns in the order of `names`
    over      what was resampled: "runs", "questions" or "runs_and_questions"
    """

    law: type[Law]
    samples: Array
    over: str
    target: Target | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, one per column."""
        return self.law.parameter_names

    def laws(self) -> list[Law]:
        """One law per replicate, of the class that was fitted."""
        return [self.law.from_vector(row, self.target) for row in self.samples]

    def interval(self, level: float = 0.9) -> dict[str, tuple[float, float]]:
        """Percentile interval of each parameter that holds the share `level` of the replicates."""
        low, high = np.quantile(self.samples, _tails(level), axis=0)
        return {name: (float(a), float(b)) for name, a, b in zip(self.names, low, high, strict=True)}

    def predict_interval(
        self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None, level: float = 0.9
    ) -> tuple[Array, Array]:
        """Percentile interval of the predictions, low and high, of the shape that N, D and k broadcast to."""
        draws = np.stack([law.predict(N, D, k, metric) for law in self.laws()])
        low, high = np.quantile(draws, _tails(level), axis=0)
        return low, high


def _tails(level: float) -> list[float]:
    check_level(level)
    return [(1 - level) / 2, (1 + level) / 2]
