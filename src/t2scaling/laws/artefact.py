"""fit.json, and the JSON of published laws, as pydantic models: what is written, and what is checked when it is read.

Shapes: R runs, K values of k, B refits, P parameters. NaN is null in JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from t2scaling.laws.base import Law, Metric
from t2scaling.laws.intervals import LEVELS, Spread
from t2scaling.laws.measurements import Curves, Target
from t2scaling.laws.options import Over
from t2scaling.laws.outcome import Bootstrap, FitStatus
from t2scaling.laws.quality import Quality
from t2scaling.laws.registry import LAWS
from t2scaling.laws.support import AXES, Support

if TYPE_CHECKING:
    from t2scaling.laws.result import FitResult

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


class FitFile(_Part):
    """fit.json."""

    law: LawPart
    task: str
    target: Target
    status: StatusPart
    objective: float
    solver: str
    seed: int = 0
    support: dict[str, Range]
    conventions: dict[str, str]
    data_hash: str
    warnings: tuple[str, ...]
    curves: CurvesPart
    residuals: Array
    bootstrap: BootstrapPart | None = None
    numbers: LawPart | None = None
    others: tuple[LawPart, ...] = ()
    quality: QualityPart = Field(default_factory=QualityPart)

    @model_validator(mode="after")
    def _builds(self) -> Self:
        if self.residuals.shape != self.curves.value.shape:
            raise ValueError(f"`residuals` has the shape {self.residuals.shape}, unlike the curves")
        lacking = [axis for axis in AXES if axis not in self.support]
        if lacking:
            raise ValueError(f"`support` lacks {', '.join(lacking)}")
        self.parts()
        return self

    def parts(self) -> dict[str, Any]:
        """The fields of the `FitResult`."""
        law, support = self.law.law(), Support(self.support)
        made = {
            "law": law,
            "support": support,
            "status": FitStatus[self.status.name],
            "curves": self.curves.curves(),
            "bootstrap": self.bootstrap.bootstrap(law, self.target) if self.bootstrap else None,
            "numbers": None if self.numbers is None else self.numbers.law(),
            "others": tuple(part.law() for part in self.others),
            "quality": self.quality.quality(support),
        }
        return {name: getattr(self, name) for name in FitFile.model_fields} | made


def fit_content(fit: FitResult) -> dict[str, Any]:
    """What fit.json holds, as plain values and arrays."""
    boot = fit.bootstrap
    return {
        "format": FIT_FORMAT,
        "law": fit.law.to_dict(),
        "task": fit.task,
        "target": fit.target,
        "status": {"name": fit.status.name, "sentence": fit.status.value},
        "objective": fit.objective,
        "solver": fit.solver,
        "seed": fit.seed,
        "support": dict(fit.support),
        "conventions": fit.conventions,
        "data_hash": fit.data_hash,
        "warnings": list(fit.warnings),
        "numbers": None if fit.numbers is None else fit.numbers.to_dict(),
        "others": [law.to_dict() for law in fit.others],
        "quality": fit.quality.to_dict(),
        "summary": fit.summary(),
        "curves": CurvesPart.of(fit.curves),
        "residuals": fit.residuals,
        "bootstrap": None if boot is None else {"over": boot.over, "names": boot.names, "samples": boot.samples},
    }


class PublishedFile(_Part):
    """A published law under `data/`."""

    name: str
    citation: str
    task: str
    law: LawPart
    support: dict[str, Range]
    conventions: dict[str, str]
    warnings: tuple[str, ...]
    provenance: dict[str, Any]
    bootstrap: BootstrapPart | None = None
    data_constrained: dict[str, float] | None = None
