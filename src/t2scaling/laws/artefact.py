"""fit.json, and the JSON of published laws, as pydantic models: what is written, and what is checked when it is read.

Shapes: R runs, K values of k, B refits, P parameters. NaN is null in JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
)

from t2scaling.foreign.models import Floats
from t2scaling.laws.base import Law
from t2scaling.laws.measurements import Curves, Target
from t2scaling.laws.options import Over
from t2scaling.laws.outcome import Bootstrap, FitStatus
from t2scaling.laws.registry import LAWS
from t2scaling.laws.support import AXES, Support

FIT_FORMAT = "t2scaling/fit/1"
PUBLISHED_FORMAT = "t2scaling/published-law/1"

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


def _checked(curves: Curves) -> Curves:
    held, R, K = curves.to_dict(), len(curves.run_id), curves.k.size
    shapes = {"n_params": (R,), "n_tokens": (R,), "k": (K,), "value": (R, K), "pass_at_k": (R, K), "se": (R, K)}
    shapes |= {name: (R,) for name in ("train_flops", "overtrained") if held[name] is not None}
    for name, shape in shapes.items():
        if held[name].shape != shape:
            raise ValueError(f"`{name}` has the shape {held[name].shape}, and {shape} is needed")
    for name in ("n_params", "n_tokens", "k"):
        if not np.all((held[name] > 1e-30) & (held[name] < 1e30)):
            raise ValueError(f"`{name}` must be above zero, and no more than there can be")
    chance = curves.chance
    if chance is not None and not (chance.ndim == 2 and len(chance) == 2 and np.all((chance >= 0) & (chance <= 1))):
        raise ValueError("`chance` must be two rows between 0 and 1: distinct chances, and their shares")
    return curves


class BootstrapPart(_Part):
    over: Over
    samples: Floats
    target: Target | None = None

    def bootstrap(self, law: Law, target: Target | None) -> Bootstrap:
        P = len(law.parameter_names)
        if self.samples.ndim != 2 or self.samples.shape[1] != P:
            raise ValueError(f"`bootstrap.samples` has the shape {self.samples.shape}, and P = {P} columns are needed")
        return Bootstrap(type(law), self.samples, self.over, target)


class StatusPart(_Part):
    name: Literal["CONVERGED", "AT_BOUND", "MAX_ITERATIONS", "POOR", "FAILED"]


def read_law(content: Any) -> Law:
    """A law as `Law.to_dict` describes it."""
    return LawPart.model_validate(content).law()


def read_support(content: Any) -> Support:
    """Ranges by axis; one that begins at zero has no lower end."""
    ranges = _RANGES.validate_python(content)
    for axis, (low, high) in ranges.items():
        if not (0 <= low <= high < 1e30 and high > 1e-30):
            raise ValueError(f"`{axis}` runs from {low:g} to {high:g}, which is no range of what is above zero")
    return Support(ranges)


def read_whole_support(content: Any) -> Support:
    """Ranges on every axis."""
    support = read_support(content)
    lacking = [axis for axis in AXES if axis not in support]
    if lacking:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    return support


def read_residuals(content: Any, info: ValidationInfo) -> NDArray[np.float64]:
    """One for each value of the curves."""
    residuals = _FLOATS.validate_python(content)
    if "curves" in info.data and residuals.shape != info.data["curves"].value.shape:
        raise ValueError(f"it has the shape {residuals.shape}, unlike the curves")
    return residuals


def read_bootstrap(content: Any, info: ValidationInfo) -> Bootstrap | None:
    """The refits of the law that was read before."""
    part = BootstrapPart.model_validate(content)
    return part.bootstrap(info.data["law"], part.target or info.data.get("target")) if "law" in info.data else None


_FLOATS = TypeAdapter(Floats)
_RANGES = TypeAdapter(dict[str, Range], config=ConfigDict(allow_inf_nan=False))
ReadLaw = Annotated[Law, PlainValidator(read_law)]
ReadSupport = Annotated[Support, PlainValidator(read_support)]
WholeSupport = Annotated[Support, PlainValidator(read_whole_support)]
ReadStatus = Annotated[FitStatus, PlainValidator(lambda content: FitStatus[StatusPart.model_validate(content).name])]
ReadCurves = Annotated[Curves, AfterValidator(_checked)]
Residuals = Annotated[NDArray[np.float64], PlainValidator(read_residuals)]
ReadBootstrap = Annotated[Bootstrap, PlainValidator(read_bootstrap)]
