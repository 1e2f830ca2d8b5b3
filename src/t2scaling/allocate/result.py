"""What a plan says: the allocation, Chinchilla's beside it, how it stands, what is known of it, what to beware of.

`Plan.to_dict` is the plan.json artefact; `Plan.load` reads it back. Numbers that do not exist (the value of an
allocation that cannot draw one sample) are NaN in Python and null in JSON.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.allocate.evidence import Measured, run_on_the_way
from t2scaling.allocate.limits import Limits
from t2scaling.allocate.planfile import FORMAT, WAY_OUT, Distance, Number, Reach, read_plan
from t2scaling.allocate.sentence import format_per_param, format_value, plan_sentence
from t2scaling.artefacts import write_json
from t2scaling.costs import CostModel, cost_from_dict
from t2scaling.foreign import validate
from t2scaling.laws.artefact import ReadSupport
from t2scaling.strategies import Strategy, parse
from t2scaling.units import format_number
from t2scaling.views import Result, html_table

Interval = dict[str, tuple[Number, Number]]


@dataclass(frozen=True, repr=False)
class Plan(Result):
    """The best allocation under a budget.

    law, task       name of the law and the task it was fitted to
    budget          the budget as FLOPs and tokens: train_flops and inference_flops, or total_flops and tokens_served;
                    with dollars, GPU-hours and prices where those were given
    optimum         the allocation to choose; N, D and k are NaN where there is none
    chinchilla      the allocation that minimises the k = 1 law under the training budget alone, at the k it affords
    status          how the plan stands
    limits, cost, strategy, support   what it was made under, so that `replan` can make others like it
    within_data     the best allocation whose N, D, k, D/N and 6·N·D lie in what was measured
    measured        the measured checkpoints around it
    distance, reach how far the optimum lies beyond the data, and how far forecasts are trusted (log units)
    interval        {"n_params": (lo, hi), …} over the bootstrap laws of the fit; empty without a bootstrap
    level           the level of `interval`
    no_interval     why there is none; empty where there is one
    near_optimal    {"n_params": (lo, hi), …} of all plans within a stated loss of the best; empty where not computed
    spread          {"n_params": (lo, hi), …} over other laws, k ranges and tasks; empty where not computed
    quality         in-sample and held-out error of the fit, where it knows them
    guessing        pass@k of a guesser at the plan's k; NaN where chances are not known
    break_even      tokens served from which the plan's whole cost is below that of any Chinchilla-trained model of
                    the same quality (see `breakeven.py`); None where there is no such number
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
    status: PlanStatus
    limits: Limits
    cost: Annotated[CostModel, PlainValidator(cost_from_dict)]
    strategy: Annotated[Strategy, PlainValidator(parse)]
    support: ReadSupport
    within_data: Allocation | None
    measured: Measured
    distance: Distance
    reach: Reach
    interval: Interval
    level: float | None
    no_interval: str
    near_optimal: Interval
    spread: Interval
    quality: dict[str, Number]
    guessing: Number
    break_even: float | None
    matched_tokens: float | None
    spend: dict[str, Number]
    conventions: dict[str, str]
    warnings: tuple[str, ...]
    kind: ClassVar[str] = "plan"

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

    @property
    def trusted(self) -> bool:
        """Whether there is an optimum, near enough to the data for a headline."""
        return self.status is not PlanStatus.NO_OPTIMUM and self.distance <= self.reach

    def sentence(self) -> str:
        """The recommendation in words that a person can act on; which ones is a matter of the status."""
        return plan_sentence(
            self.status,
            self.optimum,
            self.chinchilla,
            self.within_data,
            self.trusted,
            math.exp(self.distance),
            self._further(),
        )

    def _further(self) -> str:
        if self.status is PlanStatus.NO_OPTIMUM:
            return "" if self.within_data else " Say which sizes you would train with `sizes` or `n_range`."
        if self.within_data is None:
            return " Ask for `extrapolate` to have it all the same."
        return run_on_the_way(self.within_data, self.optimum, self.reach)

    def to_dict(self) -> dict[str, Any]:
        """The plan.json artefact as plain values."""
        keys = ("train_flops", "inference_flops", "serve_budget", "total_flops", "tokens_served")
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        interval = plain.pop("interval")
        return {
            "format": FORMAT,
            **{key: self.budget[key] for key in keys if key in self.budget},
            **plain,
            "optimum": {**self.optimum.to_dict(), "interval": interval},
            "chinchilla": self.chinchilla.to_dict(),
            "within_data": None if self.within_data is None else self.within_data.to_dict(),
            "status": self.status.value,
            "measured": self.measured.to_dict(),
            "limits": self.limits.to_dict(),
            "cost": self.cost.to_dict(),
            "strategy": _settings(self.strategy),
            "support": dict(self.support),
            "warnings": list(self.warnings),
            "sentence": self.sentence(),
        }

    def save(self, path: str | Path) -> Path:
        """Write plan.json and return its path."""
        return write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan.json. Raises DataError if the file is not one, or is of another version."""
        content = read_plan(path)
        optimum = content.get("optimum")
        interval = optimum.get("interval", {}) if isinstance(optimum, dict) else {}
        return validate(cls, {**content, "interval": interval}, f"`{path}` is a damaged plan", way_out=WAY_OUT)

    def rows(self) -> list[dict[str, Any]]:
        """The allocations beside each other: optimum, within the data, Chinchilla."""
        named = {"optimum": self.optimum, "within data": self.within_data, "chinchilla": self.chinchilla}
        return [{"plan": name, **one.to_dict()} for name, one in named.items() if one is not None]

    records = rows

    def __repr__(self) -> str:
        best = self.optimum
        return (
            f"Plan({self.law}, {self.task}: {self.status.value}; N={format_number(best.n_params)}, "
            f"D={format_number(best.n_tokens)}, k={format_number(best.k)}, "
            f"{best.metric}={format_value(best.metric, best.value)})"
        )

    def _repr_html_(self) -> str:
        head = ("", "N", "D", "D/N", "k", self.metric)
        body = [
            (
                str(row["plan"]),
                format_number(row["n_params"]),
                format_number(row["n_tokens"]),
                format_per_param(row["tokens_per_param"]),
                format_number(row["k"]),
                format_value(row["metric"], row["value"]),
            )
            for row in self.rows()
        ]
        return f"<p>{html.escape(self.sentence())}</p>{html_table(head, body)}"


def _settings(strategy: Strategy) -> str:
    """A strategy as `parse` reads it: NAME or NAME:setting=value,…"""
    values = {name: value for name, value in vars(strategy).items() if value is not None}
    settings = ",".join(f"{name}={value}" for name, value in values.items())
    return f"{strategy.name}:{settings}" if settings else strategy.name
