"""Optima along many budgets at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.allocate.allocation import PlanStatus
from t2scaling.allocate.budgets import check_sensible
from t2scaling.allocate.cautions import infeasible
from t2scaling.allocate.chinchilla import chinchilla, value_of
from t2scaling.allocate.optimum import Choice, optimum, runaway
from t2scaling.allocate.plan import check_grows_better, limits_of
from t2scaling.allocate.problem import TwoBudgets
from t2scaling.allocate.source import Source, source_of
from t2scaling.arrays import Array, Flags
from t2scaling.artefacts import write_json, write_text
from t2scaling.costs import PAPER, CostModel
from t2scaling.errors import ArgumentError
from t2scaling.strategies import ORACLE, Strategy, parse
from t2scaling.units import format_flops, format_number, named_number, parse_numbers
from t2scaling.views import Result, html_table

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


@dataclass(frozen=True, repr=False)
class Frontier(Result):
    """The optimum and Chinchilla's allocation at each of n budgets, arrays of shape (n,).

    NaN marks a budget that affords no model allowed or has no best size, and a Chinchilla value at k < 1.
    outside         True where the optimum leaves the N, D, k, D/N or 6·N·D that the law was fitted on
    unique_tokens   how many tokens are distinct; data beyond them is repeated
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
    outside: Flags
    unique_tokens: float = np.inf
    warnings: tuple[str, ...] = ()
    kind: ClassVar[str] = "frontier"

    @property
    def tokens_per_param(self) -> Array:
        """D/N of the optimum."""
        return self.n_tokens / self.n_params

    @property
    def epochs(self) -> Array:
        """Passes over the unique tokens of the optimum; 1 where nothing is repeated."""
        return np.maximum(self.n_tokens / self.unique_tokens, 1.0)

    def rows(self) -> list[dict[str, Any]]:
        """One dict per budget."""
        columns = [getattr(self, name).tolist() for name in COLUMNS] + [self.outside.tolist()]
        return [dict(zip((*COLUMNS, "outside"), row, strict=True)) for row in zip(*columns, strict=True)]

    records = rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        head = {"law": self.law, "task": self.task, "metric": self.metric}
        return {**head, "rows": self.rows(), "warnings": list(self.warnings)}

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

    def __repr__(self) -> str:
        low, high = format_flops(self.train_flops.min()), format_flops(self.train_flops.max())
        return f"Frontier({self.law}, {self.task}: {len(self.k)} budgets, C {low} to {high})"

    def _repr_html_(self) -> str:
        head = ("C", "N", "D", "k", self.metric)
        shown = [
            (
                format_flops(self.train_flops[i]),
                format_number(self.n_params[i]),
                format_number(self.n_tokens[i]),
                format_number(self.k[i]),
                f"{self.value[i]:.4g}",
            )
            for i in evenly(len(self.k), 25)
        ]
        return html_table(head, shown)


def evenly(total: int, most: int) -> list[int]:
    """At most `most` of `total` indices, evenly chosen, both ends among them."""
    if total <= most:
        return list(range(total))
    return sorted({i * (total - 1) // (most - 1) for i in range(most)})


def frontier(
    law_or_fit: Any,
    *,
    train_flops: ArrayLike,
    inference_flops: ArrayLike = np.inf,
    sizes: str | Sequence[float | str] = (),
    n_range: str | tuple[float | str, float | str] | None = None,
    max_tokens: float | str | None = None,
    unique_tokens: float | str | None = None,
    integer_k: bool = False,
    cost: CostModel = PAPER,
    strategy: str | Strategy = ORACLE,
) -> Frontier:
    """Optima for all budgets at once; `train_flops` and `inference_flops` broadcast, and are flattened.

    inference_flops   per token served, or per query in the unit of a `cost` of its own
    Other options as in `plan`. Raises ArgumentError for budgets that are not positive, and where not one of them
    affords a model.
    """
    limits = limits_of(sizes, n_range, max_tokens, integer_k, unique_tokens)
    source, strategy = source_of(law_or_fit).repeating(limits.unique_tokens), parse(strategy)
    law = source.law
    train, inference = np.broadcast_arrays(
        _numbers("train_flops", train_flops), _numbers("inference_flops", inference_flops)
    )
    train, inference = train.ravel(), inference.ravel()
    _check(train, inference, needs_samples=law.samples)
    check_grows_better(law)
    problem = TwoBudgets(train, inference, limits, cost)
    best = optimum(law, problem, strategy)
    if not np.isfinite(best.N).any():
        raise ArgumentError(infeasible(problem))
    lost = runaway(problem, best)
    best = Choice(*(np.where(lost, np.nan, part) for part in (best.N, best.D, best.k, best.score)))
    rival_n, rival_d, rival_k = chinchilla(law, problem)
    return Frontier(
        law=law.name,
        task=source.task,
        metric=law.metric if strategy == ORACLE else strategy.label,
        train_flops=train,
        inference_flops=inference,
        n_params=best.N,
        n_tokens=best.D,
        k=best.k,
        value=value_of(law, strategy, best.N, best.D, best.k),
        chinchilla_n_params=rival_n,
        chinchilla_n_tokens=rival_d,
        chinchilla_k=rival_k,
        chinchilla_value=value_of(law, strategy, rival_n, rival_d, rival_k),
        outside=np.isfinite(best.N) & source.support.outside(best.N, best.D, best.k if law.samples else None),
        unique_tokens=limits.unique_tokens,
        warnings=(*source.warnings, *_gaps(source, best, lost)),
    )


def _gaps(source: Source, best: Choice, lost: Flags) -> list[str]:
    """What the rows without numbers mean. `status` of a plan says the same for one budget."""
    total, poor, found = len(lost), int(np.sum(~np.isfinite(best.N) & ~lost)), []
    if lost.any():
        found.append(
            f"{int(lost.sum())} of {total} budgets have {PlanStatus.NO_OPTIMUM.value}: by this law ever smaller models "
            "do better. Say which sizes you would train with `sizes` or `n_range`."
        )
    if poor:
        found.append(f"{poor} of {total} budgets cannot pay for one sample of any model allowed: they have no row.")
    return found


def _numbers(name: str, values: Any) -> Array:
    """Budgets from numbers, text, or a list of either."""
    if isinstance(values, str):
        return np.array(parse_numbers(values, name))
    if isinstance(values, list | tuple):
        return np.array([named_number(name, value) for value in values], dtype=float)
    return np.asarray(values, dtype=float)


def _check(train: Array, inference: Array, needs_samples: bool) -> None:
    for name, values in {"train_flops": train, "inference_flops": inference}.items():
        if values.size == 0:
            raise ArgumentError(f"`{name}` is empty: give at least one budget.")
        if np.any(~(values > 0)) or (name == "train_flops" and not np.all(np.isfinite(values))):
            raise ArgumentError(f"`{name}` must be positive and finite, got {values.min():g} to {values.max():g}.")
    if needs_samples and not np.all(np.isfinite(inference)):
        raise ArgumentError("`inference_flops` is missing: this law draws samples, so say what one token may cost.")
    for name, values in {"train_flops": train, "inference_flops": inference[np.isfinite(inference)]}.items():
        for value in (values.min(), values.max()) if values.size else ():
            check_sensible(name, float(value))
