"""Optima along many budgets at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.allocate.chinchilla import chinchilla, predict
from t2scaling.allocate.optimum import optimum
from t2scaling.allocate.plan import check_inner_optimum
from t2scaling.allocate.problem import Limits, TwoBudgets
from t2scaling.allocate.source import source_of
from t2scaling.artefacts import dumps, write_json, write_text

Array = NDArray[np.float64]

COLUMNS = (
    "train_flops",
    "inference_flops",
    "n_params",
    "n_tokens",
    "k",
    "tokens_per_param",
    "value",
    "chinchilla_n_params",
    "chinchilla_n_tokens",
    "chinchilla_k",
    "chinchilla_value",
)


@dataclass(frozen=True)
class Frontier:
    """The optimum and Chinchilla's allocation at each of n budgets, arrays of shape (n,).

    NaN marks a budget that affords no model allowed, and a Chinchilla value at k < 1.
    outside   True where the optimum leaves the N, D or k that the law was fitted on
    """

    law: str
    task: str | None
    metric: str
    train_flops: Array
    inference_flops: Array
    n_params: Array
    n_tokens: Array
    k: Array
    value: Array
    chinchilla_n_params: Array
    chinchilla_n_tokens: Array
    chinchilla_k: Array
    chinchilla_value: Array
    outside: NDArray[np.bool_]
    warnings: tuple[str, ...] = ()

    @property
    def tokens_per_param(self) -> Array:
        """D/N of the optimum."""
        return self.n_tokens / self.n_params

    def rows(self) -> list[dict[str, Any]]:
        """One dict per budget."""
        columns = [getattr(self, name).tolist() for name in COLUMNS] + [self.outside.tolist()]
        return [dict(zip((*COLUMNS, "outside"), row, strict=True)) for row in zip(*columns, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        head = {"law": self.law, "task": self.task, "metric": self.metric}
        return {**head, "rows": self.rows(), "warnings": list(self.warnings)}

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return dumps(self.to_dict(), indent=2)

    def to_csv(self) -> str:
        """One line per budget under the names of `COLUMNS`; an empty field where there is no number."""
        rows = self.rows()
        header = ",".join((*COLUMNS, "outside"))
        lines = [",".join("" if value != value else str(value) for value in row.values()) for row in rows]
        return "\n".join([header, *lines]) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write CSV, or JSON where the name ends so."""
        if Path(path).suffix == ".json":
            return write_json(path, self.to_dict())
        return write_text(path, self.to_csv())


def frontier(
    law_or_fit: Any,
    *,
    train_flops: ArrayLike,
    inference_flops: ArrayLike = np.inf,
    sizes: tuple[float, ...] = (),
    n_range: tuple[float, float] | None = None,
    max_tokens: float | None = None,
    integer_k: bool = False,
) -> Frontier:
    """Optima for all budgets at once; `train_flops` and `inference_flops` broadcast, and are flattened.

    Options as in `plan`. Raises ValueError for budgets that are not positive.
    """
    source = source_of(law_or_fit)
    law = source.law
    train, inference = np.broadcast_arrays(np.asarray(train_flops, float), np.asarray(inference_flops, float))
    train, inference = train.ravel(), inference.ravel()
    _check(train, inference, needs_samples=law.samples)
    limits = Limits(
        sizes=tuple(float(size) for size in sizes),
        n_range=(1.0, np.inf) if n_range is None else n_range,
        max_tokens=np.inf if max_tokens is None else max_tokens,
        integer_k=integer_k,
    )
    check_inner_optimum(law, limits)
    problem = TwoBudgets(train, inference, limits)
    best = optimum(law, problem)
    rival_n, rival_d, rival_k = chinchilla(law, problem)
    outside = np.zeros(train.shape, dtype=bool)
    for axis, values in {"N": best.N, "D": best.D, "k": best.k}.items():
        lo, hi = source.support.get(axis, (0.0, np.inf))
        outside |= (values < lo * (1 - 1e-9)) | (values > hi * (1 + 1e-9))
    return Frontier(
        law=law.name,
        task=source.task,
        metric=law.metric,
        train_flops=train,
        inference_flops=inference,
        n_params=best.N,
        n_tokens=best.D,
        k=best.k,
        value=predict(law, best.N, best.D, best.k),
        chinchilla_n_params=rival_n,
        chinchilla_n_tokens=rival_d,
        chinchilla_k=rival_k,
        chinchilla_value=predict(law, rival_n, rival_d, rival_k),
        outside=outside,
        warnings=source.warnings,
    )


def _check(train: Array, inference: Array, needs_samples: bool) -> None:
    for name, values in {"train_flops": train, "inference_flops": inference}.items():
        if values.size == 0:
            raise ValueError(f"`{name}` is empty: give at least one budget.")
        if np.any(~(values > 0)) or (name == "train_flops" and not np.all(np.isfinite(values))):
            raise ValueError(f"`{name}` must be positive and finite, got {values.min():g} to {values.max():g}.")
    if needs_samples and not np.all(np.isfinite(inference)):
        raise ValueError("`inference_flops` is missing: this law draws samples, so say what one token may cost.")
