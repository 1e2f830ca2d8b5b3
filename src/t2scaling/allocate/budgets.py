"""Budgets: two (training, and per token served) or one for the whole life of a model.

FLOPs are what the laws know. Dollars and GPU-hours become FLOPs through a `Price` (`costs/money.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from t2scaling.allocate.problem import Lifetime, Limits, TwoBudgets


@dataclass(frozen=True)
class Budget:
    """What may be spent: `train_flops` with `inference_flops`, or `total_flops` with `tokens_served`.

    origin   how the numbers came about, where they were not given as FLOPs
    """

    train_flops: float | None = None
    inference_flops: float | None = None
    total_flops: float | None = None
    tokens_served: float | None = None
    origin: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train_flops", "inference_flops", "total_flops", "tokens_served"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"`{name}` = {value:g} must be a positive, finite number.")
        if (self.train_flops is None) == (self.total_flops is None):
            raise ValueError(
                "say either `train_flops` (with `inference_flops` per token served) or `total_flops` (with "
                "`tokens_served`, for training and serving together), not both and not neither."
            )
        if self.total_flops is not None and (self.tokens_served is None or self.inference_flops is not None):
            raise ValueError(
                "`total_flops` pays for training and serving: give `tokens_served` with it, and no other budget."
            )
        if self.train_flops is not None and self.tokens_served is not None:
            raise ValueError("`tokens_served` goes with `total_flops`; `train_flops` goes with `inference_flops`.")

    def problem(self, limits: Limits, needs_samples: bool = True) -> TwoBudgets | Lifetime:
        """The problem to solve. Raises ValueError if the law draws samples and nothing says what they may cost."""
        if self.total_flops is not None and self.tokens_served is not None:
            return Lifetime(np.array([float(self.total_flops)]), np.array([float(self.tokens_served)]), limits)
        if self.inference_flops is None and needs_samples:
            raise ValueError(
                "`inference_flops` is missing: this law draws samples, so say what one token served may cost "
                "(2·N·k FLOPs), such as 2e9."
            )
        inference = np.inf if self.inference_flops is None else float(self.inference_flops)
        return TwoBudgets(np.array([float(self.train_flops)]), np.array([inference]), limits)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """The given numbers, and how they came about."""
        names = ("train_flops", "inference_flops") if self.total_flops is None else ("total_flops", "tokens_served")
        return {**{name: getattr(self, name) for name in names}, **self.origin}
