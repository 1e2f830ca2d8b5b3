"""plan.json read back, through pydantic: contents that are no plan are refused in one paragraph."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.allocate.evidence import Measured
from t2scaling.allocate.limits import Limits
from t2scaling.costs import cost_from_dict
from t2scaling.errors import DataError
from t2scaling.foreign import read_json
from t2scaling.foreign.models import validate
from t2scaling.laws.support import Support
from t2scaling.strategies import parse

FORMAT = "t2scaling/plan/2"
Number = float | None
Size = Annotated[float, Field(gt=0)]
Pair = tuple[Number, Number]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Allocation(_Model):
    n_params: Size | None
    n_tokens: Size | None
    k: Number
    metric: str
    value: Number
    pass_at_k: Number = None
    epochs: float = 1.0

    def build(self) -> Allocation:
        numbers = (nan(self.n_params), nan(self.n_tokens), nan(self.k))
        return Allocation(*numbers, self.metric, nan(self.value), nan(self.pass_at_k), self.epochs)


class _Optimum(_Allocation):
    interval: dict[str, Pair] = Field(default_factory=dict)


class _Checkpoint(_Model):
    run_id: str
    n_params: Size | None
    n_tokens: Size | None
    k: Number
    metric: str
    measured: Number
    se: Number
    predicted: Number


class _Measured(_Model):
    best: _Checkpoint | None
    nearest: _Checkpoint | None
    near_plan: _Checkpoint | None
    near_chinchilla: _Checkpoint | None


class _Plan(_Model):
    law: str
    task: str | None
    budget: dict[str, Any]
    optimum: _Optimum
    chinchilla: _Allocation
    status: PlanStatus
    limits: dict[str, Any]
    cost: dict[str, Any]
    strategy: str
    support: dict[str, tuple[float, float]]
    within_data: _Allocation | None
    measured: _Measured
    distance: Annotated[float, Field(ge=0, le=700)] | None
    reach: Number
    level: Number
    no_interval: str
    near_optimal: dict[str, Pair]
    spread: dict[str, Pair]
    quality: dict[str, Any]
    guessing: Number
    break_even: Number
    matched_tokens: Number
    spend: dict[str, Number]
    warnings: list[str]
    conventions: dict[str, str]


def read_plan(path: str | Path) -> dict[str, Any]:
    """The fields that `Plan.save` wrote. Raises DataError for anything else, with the command that makes it anew."""
    content = read_json(path, DataError, "Write one with `t2 plan … -o plan.json`.")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"`{path}` {_what(content)}: make it anew with `{_command(content)}`.")
    read = validate(_Plan, content, f"`{path}`", DataError, "Write it anew with `t2 plan … -o plan.json`.")
    limits = {name: tuple(value) if isinstance(value, list) else value for name, value in read.limits.items()}
    try:
        return dict(  # noqa: C408  # fields, named as the plan names them
            law=read.law,
            task=read.task,
            budget=read.budget,
            optimum=read.optimum.build(),
            chinchilla=read.chinchilla.build(),
            status=read.status,
            limits=Limits(**{name: _unbounded(value) for name, value in limits.items()}),
            cost=cost_from_dict(read.cost),
            strategy=parse(read.strategy),
            support=Support(read.support),
            within_data=None if read.within_data is None else read.within_data.build(),
            measured=Measured.from_dict(read.measured.model_dump()),
            distance=nan(read.distance),
            reach=math.inf if read.reach is None else read.reach,
            interval=_ranges(read.optimum.interval),
            level=read.level,
            no_interval=read.no_interval,
            near_optimal=_ranges(read.near_optimal),
            spread=_ranges(read.spread),
            quality=read.quality,
            guessing=nan(read.guessing),
            break_even=read.break_even,
            matched_tokens=read.matched_tokens,
            spend={name: nan(value) for name, value in read.spend.items()},
            warnings=tuple(read.warnings),
            conventions=read.conventions,
        )
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"`{path}` is a damaged plan ({error}): write it anew with `t2 plan … -o plan.json`."
        ) from error


def nan(value: Number) -> float:
    """null as NaN."""
    return math.nan if value is None else float(value)


def _ranges(content: dict[str, Pair]) -> dict[str, tuple[float, float]]:
    return {name: (nan(low), nan(high)) for name, (low, high) in content.items()}


def _unbounded(value: Any) -> Any:
    """The far end of a range without an end, which JSON writes as null."""
    return tuple(math.inf if end is None else end for end in value) if isinstance(value, tuple) else value


def _what(content: Any) -> str:
    if isinstance(content, dict) and "optimum" in content and "format" not in content:
        return "is a plan of version 0.1.0, which kept neither its limits nor how it stands"
    return "is not a plan.json"


def _command(content: Any) -> str:
    """The command that makes an old plan anew, as far as it kept its budget."""
    options = ["train_flops", "inference_flops", "total_flops", "tokens_served"]
    given = {name: content.get(name) for name in options} if isinstance(content, dict) else {}
    words = [
        f"--{name.replace('_', '-')} {value:g}"
        for name, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return " ".join(["t2 plan fit.json", *(words or ["…"]), "-o plan.json"])
