"""Costs per query that are a line in k: the prompt once, then the same for each sample.

`QueryCost` is the plainest, 2·N·(prompt + k·answer). Others (`sardana`, `kinetics`) say only what the line is.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs.base import FlopsTraining, check_amounts
from t2scaling.costs.flops import sample_flops


@dataclass(frozen=True)
class QueryCost(FlopsTraining):
    """6·N·D to train and 2·N·(prompt + k·answer) FLOPs per query, the prompt being read once for all samples.

    prompt_tokens, answer_tokens   of one query and of one sample

    >>> float(QueryCost(prompt_tokens=70, answer_tokens=215).serve(1e9, 1))
    570000000000.0
    """

    prompt_tokens: float
    answer_tokens: float

    name: ClassVar[str] = "query"
    label: ClassVar[str] = "2·N·(prompt + k·answer) per query"
    serve_unit: ClassVar[str] = "FLOPs per query"
    product: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_amounts(self, "prompt_tokens", zero=True)
        check_amounts(self, *(one.name for one in fields(self)[1:]))  # those of the models below this one too

    def line(self, N: Array) -> tuple[Array, Array]:
        """(cost of the prompt, cost of one sample) of a model of N parameters."""
        return sample_flops(N, self.prompt_tokens), sample_flops(N, self.answer_tokens)

    def serve(self, N: ArrayLike, k: ArrayLike) -> Array:
        """Cost of one query with k samples."""
        start, slope = self.line(np.asarray(N, dtype=float))
        return np.asarray(start + slope * np.asarray(k, dtype=float))

    def samples(self, N: ArrayLike, serve_budget: ArrayLike) -> Array:
        """k that a budget per query buys; below 1 where it cannot afford one."""
        start, slope = self.line(np.asarray(N, dtype=float))
        return np.maximum((np.asarray(serve_budget, dtype=float) - start) / slope, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Name and settings, for plan.json."""
        return {"name": self.name, **vars(self)}
