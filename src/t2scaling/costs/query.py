"""Costs per query that are a line in k: the prompt once, then the same for each sample.

`QueryCost` is the plainest, 2·N·(prompt + k·answer). Others (`sardana`, `kinetics`) say only what the line is.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs.flops import sample_flops, tokens_afforded, train_flops
from t2scaling.errors import ArgumentError


@dataclass(frozen=True)
class QueryCost:
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
    train_unit: ClassVar[str] = "FLOPs"
    product: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.prompt_tokens) and self.prompt_tokens >= 0):
            raise ArgumentError(f"`prompt_tokens` = {self.prompt_tokens:g} must be 0 or more.")
        if not (np.isfinite(self.answer_tokens) and self.answer_tokens > 0):
            raise ArgumentError(f"`answer_tokens` = {self.answer_tokens:g} must be above zero.")

    def line(self, N: Array) -> tuple[Array, Array]:
        """(cost of the prompt, cost of one sample) of a model of N parameters."""
        return sample_flops(N, self.prompt_tokens), sample_flops(N, self.answer_tokens)

    def train(self, N: ArrayLike, D: ArrayLike) -> Array:
        """6·N·D FLOPs."""
        return train_flops(N, D)

    def tokens(self, N: ArrayLike, train_budget: ArrayLike) -> Array:
        """D that a training budget buys."""
        return tokens_afforded(N, train_budget)

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
