"""One choice of N, D and k, and how a plan stands."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from t2scaling.allocate.planfile import Number, Size
from t2scaling.costs import sample_flops, train_flops


class PlanStatus(StrEnum):
    """How a plan stands; the value is what to make of it, and `advice` says it in a sentence."""

    OPTIMUM = "optimum"
    AT_A_LIMIT = "at a limit"
    OUTSIDE = "outside the data"
    NO_OPTIMUM = "no optimum"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self]


_ADVICE = {
    PlanStatus.OPTIMUM: "The optimum lies inside the limits and inside what was measured.",
    PlanStatus.AT_A_LIMIT: "A limit decides: by this law a plan beyond it would do better.",
    PlanStatus.OUTSIDE: "The optimum lies outside what was measured: check it with a run on the way there.",
    PlanStatus.NO_OPTIMUM: "The law has no best size here: say which sizes you would train, or fit it on more sizes.",
}


@dataclass(frozen=True)
class Allocation:
    """One choice of N, D and k and what the law expects of it.

    n_params, n_tokens   N and D; NaN where there is no such choice
    k                    samples per problem; below 1 for an allocation that cannot afford one
    metric, value        what is predicted: the law's metric, or the strategy's value; NaN where k < 1
    pass_at_k            mean pass@k, which bounds any strategy; NaN where k < 1 or the law cannot say it
    epochs               passes over the unique tokens, where these are limited; 1 where nothing is repeated
    """

    n_params: Size
    n_tokens: Size
    k: Number
    metric: str
    value: Number
    pass_at_k: Number = math.nan
    epochs: float = 1.0

    @property
    def tokens_per_param(self) -> float:
        """D/N."""
        return self.n_tokens / self.n_params

    @property
    def train_flops(self) -> float:
        """6·N·D."""
        return float(train_flops(self.n_params, self.n_tokens))

    @property
    def inference_flops(self) -> float:
        """2·N·k, per token served."""
        return float(sample_flops(self.n_params, self.k))

    @property
    def exists(self) -> bool:
        """Whether there is such a choice."""
        return math.isfinite(self.n_params)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "n_params": self.n_params,
            "n_tokens": self.n_tokens,
            "k": self.k,
            "tokens_per_param": self.tokens_per_param,
            "metric": self.metric,
            "value": self.value,
            "pass_at_k": self.pass_at_k,
            "epochs": self.epochs,
        }
