"""What a plan says: the allocation, Chinchilla's beside it, how sure, and what to beware of.

`Plan.to_dict` is the plan.json artefact; `Plan.load` reads it back. Numbers that do not exist (the value of an
allocation that cannot draw one sample) are NaN in Python and null in JSON.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2scaling.allocate.sentence import plan_sentence
from t2scaling.artefacts import dumps, write_json
from t2scaling.costs import sample_flops, train_flops
from t2scaling.errors import DataError

Interval = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Allocation:
    """One choice of N, D and k and what the law expects of it.

    n_params, n_tokens   N and D
    k                    samples per problem; below 1 for an allocation that cannot afford one
    metric, value        what is predicted; NaN where k < 1
    pass_at_k            mean pass@k, NaN where k < 1 or the law cannot say it
    """

    n_params: float
    n_tokens: float
    k: float
    metric: str
    value: float
    pass_at_k: float = math.nan

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
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Allocation:
        """Read back what `to_dict` wrote; null becomes NaN."""
        numbers = {key: _number(content[key]) for key in ("n_params", "n_tokens", "k", "value", "pass_at_k")}
        return cls(metric=str(content["metric"]), **numbers)


@dataclass(frozen=True)
class Plan:
    """The best allocation under a budget.

    law, task       name of the law and the task it was fitted to
    budget          the budget as FLOPs and tokens: train_flops and inference_flops, or total_flops and tokens_served;
                    with dollars, GPU-hours and prices where those were given
    optimum         the allocation to choose
    chinchilla      the allocation that minimises the k = 1 law under the training budget alone, at the k it affords
    interval        {"n_params": (lo, hi), …} over the bootstrap laws of the fit; empty without a bootstrap
    level           the level of `interval`
    break_even      tokens served from which the plan's whole cost is below that of any Chinchilla-trained model of
                    the same quality (see `break_even.py`); None where there is no such number
    matched_tokens  tokens served at which the plan is the cheapest of all ways to its quality; None likewise
    spend           what the optimum spends: FLOPs, and dollars and GPU-hours where there are prices
    warnings        sentences
    conventions     what the law's numbers mean, from its fit
    """

    law: str
    task: str | None
    budget: dict[str, Any]
    optimum: Allocation
    chinchilla: Allocation
    interval: Interval = field(default_factory=dict)
    level: float | None = None
    break_even: float | None = None
    matched_tokens: float | None = None
    spend: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    conventions: dict[str, str] = field(default_factory=dict)

    @property
    def n_params(self) -> float:
        """N of the optimum."""
        return self.optimum.n_params

    @property
    def n_tokens(self) -> float:
        """D of the optimum."""
        return self.optimum.n_tokens

    @property
    def k(self) -> float:
        """Samples per problem of the optimum."""
        return self.optimum.k

    @property
    def value(self) -> float:
        """What the law expects of the optimum, in `metric`."""
        return self.optimum.value

    @property
    def metric(self) -> str:
        """Name of the metric of `value`."""
        return self.optimum.metric

    @property
    def tokens_per_param(self) -> float:
        """D/N of the optimum."""
        return self.optimum.tokens_per_param

    def sentence(self) -> str:
        """The recommendation in words that a person can act on."""
        return plan_sentence(self)

    def to_dict(self) -> dict[str, Any]:
        """The plan.json artefact as plain values."""
        keys = ("train_flops", "inference_flops", "total_flops", "tokens_served")
        return {
            "law": self.law,
            "task": self.task,
            **{key: self.budget[key] for key in keys if key in self.budget},
            "optimum": {
                **self.optimum.to_dict(),
                "interval": {key: list(value) for key, value in self.interval.items()},
            },
            "chinchilla": self.chinchilla.to_dict(),
            "break_even": self.break_even,
            "matched_tokens": self.matched_tokens,
            "spend": self.spend,
            "level": self.level,
            "budget": self.budget,
            "conventions": self.conventions,
            "sentence": self.sentence(),
            "warnings": list(self.warnings),
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return dumps(self.to_dict(), indent=2)

    def save(self, path: str | Path) -> Path:
        """Write plan.json and return its path."""
        return write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan.json. Raises DataError if the file is not one."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise DataError(
                f"`{path}` is not a plan.json ({lacks}): write one with `t2 plan … -o plan.json`."
            ) from error

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Plan:
        """Read back what `to_dict` wrote."""
        interval = {key: (_number(lo), _number(hi)) for key, (lo, hi) in content["optimum"]["interval"].items()}
        return cls(
            law=content["law"],
            task=content["task"],
            budget=dict(content["budget"]),
            optimum=Allocation.from_dict(content["optimum"]),
            chinchilla=Allocation.from_dict(content["chinchilla"]),
            interval=interval,
            level=content["level"],
            break_even=content["break_even"],
            matched_tokens=content["matched_tokens"],
            spend=dict(content["spend"]),
            warnings=tuple(content["warnings"]),
            conventions=dict(content["conventions"]),
        )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
