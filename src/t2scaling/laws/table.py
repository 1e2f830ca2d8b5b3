"""What the laws share whose parameters are a table of the runs: no surface to plan with, nothing to resample."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from t2scaling.arrays import Array
from t2scaling.errors import DataError
from t2scaling.laws.base import Law, Metric
from t2scaling.laws.measurements import Target


class TableLaw(Law):
    """Base of the quantile law, the index anew at each k, and the nearest run.

    tables   fields that are arrays, in the order of the vector and under their names in fit.json
    gaps     whether NaN may stand in them
    target   which mean −log pass@k is
    """

    metric: ClassVar[Metric] = "pass_at_k"
    metrics: ClassVar[tuple[Metric, ...]] = ("pass_at_k", "neg_log_pass_at_k")
    plans: ClassVar[bool] = False
    resamples: ClassVar[bool] = False
    tables: ClassVar[tuple[str, ...]]
    gaps: ClassVar[bool] = False
    target: Target

    @property
    def neg_log_target(self) -> Target:
        return self.target

    @classmethod
    def head(cls, parameters: Mapping[str, Any], tables: Mapping[str, Array]) -> list[Any]:
        """What stands before the tables in the vector."""
        return []

    @classmethod
    def _joined(cls, parameters: Mapping[str, Any], tables: Mapping[str, Array]) -> Array:
        head = np.array(cls.head(parameters, tables), dtype=float)
        return np.concatenate([head, *(part.ravel() for part in tables.values())])

    @property
    def vector(self) -> Array:
        return self._joined(self.parameters, {name: getattr(self, name) for name in self.tables})

    def to_dict(self) -> dict[str, Any]:
        tables = {name: getattr(self, name) for name in self.tables}
        return {"name": self.name, "target": self.target, "parameters": self.parameters, **tables}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        try:
            parts = {name: np.array(content[name], dtype=float) for name in cls.tables}
            whole = cls._joined(content["parameters"], parts)
            law = cls.from_vector(whole, content.get("target"))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the {cls.name} law lacks its table or a parameter ({error}): fit it again.") from error
        whole_table = all(getattr(law, name).shape == part.shape for name, part in parts.items())
        if not whole_table or not (cls.gaps or np.all(np.isfinite(whole))):
            raise DataError(f"the {cls.name} law's table has a gap, or not the shape of one: fit it again.")
        return law
