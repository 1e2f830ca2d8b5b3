"""What may be chosen: sizes, tokens, samples, and the ranges that were measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from pydantic import ConfigDict

from t2scaling.allocate.planfile import Reach
from t2scaling.arrays import Array
from t2scaling.costs import tokens_afforded
from t2scaling.errors import ArgumentError
from t2scaling.laws.support import Support
from t2scaling.units import format_number

# A transformer of width 4 with one layer and some tens of symbols; an optimum below it is no model.
LEAST_PARAMS = 1000.0
# No training set is smaller; what is asked for below it is a slip of the keyboard.
LEAST_TOKENS = 1000.0
# Far above all sizes and token counts there are, far below what overflows in a product.
MOST = 1e40


@dataclass(frozen=True)
class Limits:
    """What may be chosen.

    sizes             menu of N, or empty for any; n_range cuts it
    n_range           least and greatest N
    max_tokens        greatest D, the tokens one has
    integer_k         whole samples only
    max_samples       greatest k; what is left of an inference budget beyond it stays unspent
    min_tokens        least D
    tokens_per_param  least and greatest D/N
    max_train_flops   greatest 6·N·D, whatever the budget
    unique_tokens     how many distinct tokens there are; data beyond them is repeated, at what it is then worth
    """

    sizes: tuple[float, ...] = ()
    n_range: tuple[Reach, Reach] = (LEAST_PARAMS, np.inf)
    max_tokens: float = np.inf
    integer_k: bool = False
    max_samples: float = np.inf
    min_tokens: float = 1.0
    tokens_per_param: tuple[Reach, Reach] = (0.0, np.inf)
    max_train_flops: float = np.inf
    unique_tokens: float = np.inf
    __pydantic_config__ = ConfigDict(extra="forbid")  # a limit that is not known cannot be kept

    def __post_init__(self) -> None:
        lo, hi = self.n_range
        if not (1 / MOST <= lo <= hi and lo <= MOST):
            raise ArgumentError(f"`n_range` = {lo:g},{hi:g} must be two sizes, above 0 and the smaller first.")
        for name in ("max_tokens", "unique_tokens"):
            tokens = getattr(self, name)
            if not (LEAST_TOKENS <= tokens <= MOST or tokens == np.inf):
                raise ArgumentError(
                    f"`{name}` = {tokens:g} is no training set: say how many tokens you have, such as 2T."
                )
        if not self.max_samples >= 1:
            raise ArgumentError(f"`max_samples` = {self.max_samples:g} must be at least one sample.")
        bad = [size for size in self.sizes if not 1 / MOST <= size <= MOST]
        if bad:
            raise ArgumentError(f"`sizes` holds {bad[0]:g}: every size must be a number of parameters such as 7B.")
        if self.sizes and not self.menu:
            given = ", ".join(format_number(size) for size in self.sizes)
            raise ArgumentError(f"`sizes` = {given} has none within `n_range` = {lo:g},{hi:g}: widen one of them.")

    @property
    def menu(self) -> tuple[float, ...]:
        """The sizes that lie within `n_range`."""
        lo, hi = self.n_range if self.n_range[0] > LEAST_PARAMS else (0.0, self.n_range[1])
        return tuple(size for size in self.sizes if lo <= size <= hi)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest size allowed."""
        return (min(self.menu), max(self.menu)) if self.sizes else self.n_range

    @property
    def unbounded_below(self) -> bool:
        """Whether nothing but good sense keeps N from shrinking to nothing."""
        return not self.sizes and self.n_range[0] == LEAST_PARAMS

    @property
    def plain(self) -> bool:
        """Whether D is bounded by `max_tokens` alone, as the closed forms take it."""
        return self.min_tokens <= 1 and self.tokens_per_param == (0.0, np.inf) and self.max_train_flops == np.inf

    def most_tokens(self, N: Array) -> Array:
        """The greatest D allowed at N, whatever the budget."""
        by_ratio = self.tokens_per_param[1] * N
        return np.minimum(np.minimum(self.max_tokens, by_ratio), tokens_afforded(N, self.max_train_flops))

    def least_tokens(self, N: Array) -> Array:
        """The least D allowed at N."""
        return np.maximum(self.min_tokens, self.tokens_per_param[0] * N)

    def at(self, size: float) -> Limits:
        """The same limits with one size alone."""
        return replace(self, sizes=(), n_range=(size, size))

    def within(self, support: Support) -> Limits | None:
        """The limits that keep N, D, k, D/N and 6·N·D inside the support too; None where nothing remains."""
        low_n, high_n = support.get("N", (0.0, np.inf))
        low_d, high_d = support.get("D", (0.0, np.inf))
        low_r, high_r = support.get("tokens_per_param", (0.0, np.inf))
        n_range = max(self.n_range[0] if not self.unbounded_below else 0.0, low_n), min(self.n_range[1], high_n)
        most = min(self.max_tokens, high_d)
        try:
            return replace(
                self,
                n_range=n_range,
                max_tokens=most,
                max_samples=min(self.max_samples, support.get("k", (1.0, np.inf))[1]),
                min_tokens=max(self.min_tokens, low_d),
                tokens_per_param=(max(self.tokens_per_param[0], low_r), min(self.tokens_per_param[1], high_r)),
                max_train_flops=min(self.max_train_flops, support.get("train_flops", (0.0, np.inf))[1]),
            )
        except ArgumentError:
            return None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what differs from the defaults."""
        plain = asdict(Limits())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}
