"""fit.json, and the JSON of published laws, as pydantic models: what is written, and what is checked when it is read.

Shapes: R runs, K values of k, B refits, P parameters. NaN is null in JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    model_validator,
)

from t2scaling.laws.base import Law, Metric
from t2scaling.laws.intervals import LEVELS, Spread
from t2scaling.laws.measurements import Curves, Target
from t2scaling.laws.options import Over
from t2scaling.laws.outcome import Bootstrap, FitStatus
from t2scaling.laws.quality import Quality
from t2scaling.laws.registry import LAWS
from t2scaling.laws.support import AXES, Support

FIT_FORMAT = "t2scaling/fit/1"
PUBLISHED_FORMAT = "t2scaling/published-law/1"


def _array(value: Any) -> NDArray[np.float64]:
    try:
        return np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("it should hold numbers or null, all rows of one length") from None


Array = Annotated[Any, BeforeValidator(_array)]
Range = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class LawPart(_Part):
    """Name, parameters, and what else the law keeps."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    parameters: dict[str, Any]

    def law(self) -> Law:
        if self.name not in LAWS:
            raise ValueError(f"`law` = {self.name!r} is no law that is known here: there are {', '.join(LAWS)}")
        return LAWS[self.name].from_dict(self.model_dump())


class CurvesPart(_Part):
    """`Curves`, every field."""

    task: str
    run_id: tuple[str, ...]
    n_params: Array
    n_tokens: Array
    k: Array
    target: Target
    value: Array
    pass_at_k: Array
    se: Array
    train_flops: Array | None = None
    overtrained: list[bool] | None = None
    conventions: dict[str, str] = Field(default_factory=dict)
    data_hash: str = ""
    chance: Array | None = None

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        R, K = len(self.run_id), self.k.size
        lists = {"n_params": (R,), "n_tokens": (R,), "k": (K,), "value": (R, K), "pass_at_k": (R, K), "se": (R, K)}
        lists |= {"train_flops": (R,)} if self.train_flops is not None else {}
        for name, shape in lists.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"`{name}` has the shape {getattr(self, name).shape}, and {shape} is needed")
        if self.overtrained is not None and len(self.overtrained) != R:
            raise ValueError(
                f"`overtrained` has {len(self.overtrained)} values, and one for each of {R} runs is needed"
            )
        for name in ("n_params", "n_tokens", "k"):
            if not np.all((getattr(self, name) > 0) & np.isfinite(getattr(self, name))):
                raise ValueError(f"`{name}` must be positive and finite")
        if self.chance is not None and not (
            self.chance.ndim == 2 and len(self.chance) == 2 and np.all((self.chance >= 0) & (self.chance <= 1))
        ):
            raise ValueError("`chance` must be two rows between 0 and 1: distinct chances, and their shares")
        return self

    @classmethod
    def of(cls, curves: Curves) -> dict[str, Any]:
        """Plain values and arrays of the curves, under the names of the file."""
        names = {"n_params": "N", "n_tokens": "D"}
        return {name: getattr(curves, names.get(name, name)) for name in cls.model_fields}

    def curves(self) -> Curves:
        return Curves(
            task=self.task, run_id=self.run_id, N=self.n_params, D=self.n_tokens, k=self.k, target=self.target,
            value=self.value, pass_at_k=self.pass_at_k, se=self.se, train_flops=self.train_flops,
            overtrained=None if self.overtrained is None else np.array(self.overtrained, dtype=bool),
            conventions=self.conventions, data_hash=self.data_hash, chance=self.chance,
        )  # fmt: skip


class BootstrapPart(_Part):
    over: Over
    samples: Array
    target: Target | None = None

    def bootstrap(self, law: Law, target: Target | None) -> Bootstrap:
        P = len(law.parameter_names)
        if self.samples.ndim != 2 or self.samples.shape[1] != P:
            raise ValueError(f"`bootstrap.samples` has the shape {self.samples.shape}, and P = {P} columns are needed")
        return Bootstrap(type(law), self.samples, self.over, target)


class StatusPart(_Part):
    name: Literal["CONVERGED", "AT_BOUND", "MAX_ITERATIONS", "POOR", "FAILED"]


class SpreadPart(_Part):
    metric: Metric
    k: Array
    s: Array
    q: Array

    def spread(self, support: Support) -> Spread:
        if not self.k.shape == self.s.shape == (self.k.size,) or self.q.shape != LEVELS.shape:
            raise ValueError(f"`quality.spreads` needs one s per k and {LEVELS.size} values of q")
        return Spread(self.metric, self.k, self.s, self.q, support)


class QualityPart(_Part):
    in_sample: dict[str, float] = Field(default_factory=dict)
    held_out: dict[str, float] = Field(default_factory=dict)
    bias: dict[str, float] = Field(default_factory=dict)
    even: dict[str, float] = Field(default_factory=dict)
    points: dict[str, float] = Field(default_factory=dict)
    spreads: dict[str, SpreadPart] = Field(default_factory=dict)

    def quality(self, support: Support) -> Quality:
        tables = self.model_dump(exclude={"spreads"})
        return Quality(**tables, spreads={metric: part.spread(support) for metric, part in self.spreads.items()})


def read_law(content: Any) -> Law:
    """A law as `Law.to_dict` describes it."""
    return LawPart.model_validate(content).law()


def read_support(content: Any) -> Support:
    """Ranges by axis."""
    return Support(_RANGES.validate_python(content))


def read_whole_support(content: Any) -> Support:
    """Ranges on every axis."""
    support = read_support(content)
    lacking = [axis for axis in AXES if axis not in support]
    if lacking:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    return support


def read_residuals(content: Any, info: ValidationInfo) -> NDArray[np.float64]:
    """One for each value of the curves."""
    residuals = _array(content)
    if "curves" in info.data and residuals.shape != info.data["curves"].value.shape:
        raise ValueError(f"it has the shape {residuals.shape}, unlike the curves")
    return residuals


def read_bootstrap(content: Any, info: ValidationInfo) -> Bootstrap | None:
    """The refits of the law that was read before."""
    part = BootstrapPart.model_validate(content)
    return part.bootstrap(info.data["law"], part.target or info.data.get("target")) if "law" in info.data else None


def read_quality(content: Any, info: ValidationInfo) -> Quality:
    """Errors and widths, on the support that was read before."""
    return QualityPart.model_validate(content).quality(info.data.get("support", Support()))


_RANGES = TypeAdapter(dict[str, Range], config=ConfigDict(allow_inf_nan=False))
ReadLaw = Annotated[Law, PlainValidator(read_law)]
ReadSupport = Annotated[Support, PlainValidator(read_support)]
WholeSupport = Annotated[Support, PlainValidator(read_whole_support)]
ReadStatus = Annotated[FitStatus, PlainValidator(lambda content: FitStatus[StatusPart.model_validate(content).name])]
ReadCurves = Annotated[Curves, PlainValidator(lambda content: CurvesPart.model_validate(content).curves())]
Residuals = Annotated[NDArray[np.float64], PlainValidator(read_residuals)]
ReadBootstrap = Annotated[Bootstrap, PlainValidator(read_bootstrap)]
ReadQuality = Annotated[Quality, PlainValidator(read_quality)]
