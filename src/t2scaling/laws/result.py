"""What a fit hands back: the law, how it was found, what it was fitted to, and what to beware of.

A `FitResult` predicts like its law, explains itself in sentences, and goes to fit.json and back without loss.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from t2scaling.artefacts import dumps, write_text
from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws.base import Law, Metric
from t2scaling.laws.measurements import Curves, Target
from t2scaling.laws.serialise import curves_from_dict, curves_to_dict, law_from_dict

Array = NDArray[np.float64]
FORMAT = "t2scaling/fit/1"
SUPPORT = ("N", "D", "k", "tokens_per_param", "train_flops")
_SLACK = 1e-3  # of a range's ends: ranges are shown with three digits


class FitStatus(StrEnum):
    """How a fit ended; each value is the sentence to show."""

    CONVERGED = "The fit converged."
    AT_BOUND = "The fit converged with a parameter on its bound: add runs that vary more in N, D or k."
    MAX_ITERATIONS = "The fit ran out of iterations: its parameters may still move; fit with more restarts."
    FAILED = "The fit found no usable law: check the measurements with `t2 validate`."


@dataclass(frozen=True)
class Bootstrap:
    """Parameters of the law refitted to resampled data.

    law       class of the law
    samples   shape (B, P), columns in the order of `names`
    over      what was resampled: "runs", "questions" or "runs_and_questions"
    """

    law: type[Law]
    samples: Array
    over: str
    target: Target | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, one per column."""
        return self.law.parameter_names

    def laws(self) -> list[Law]:
        """One law per replicate, of the class that was fitted."""
        return [self.law.from_vector(row, self.target) for row in self.samples]

    def interval(self, level: float = 0.9) -> dict[str, tuple[float, float]]:
        """Percentile interval of each parameter that holds the share `level` of the replicates."""
        low, high = np.quantile(self.samples, _tails(level), axis=0)
        return {name: (float(a), float(b)) for name, a, b in zip(self.names, low, high, strict=True)}

    def predict_interval(
        self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None, level: float = 0.9
    ) -> tuple[Array, Array]:
        """Percentile interval of the predictions, low and high, of the shape that N, D and k broadcast to."""
        draws = np.stack([law.predict(N, D, k, metric) for law in self.laws()])
        low, high = np.quantile(draws, _tails(level), axis=0)
        return low, high


@dataclass(frozen=True)
class FitResult:
    """A fitted law and everything needed to judge it.

    law         the law at its best parameters
    target      which mean over questions `curves.value` holds
    objective   the (weighted) sum of squares, or of Huber losses, that was minimised
    residuals   observed less predicted, shape (R, K), in the metric that was fitted; NaN where not measured
    support     {"N", "D", "k", "tokens_per_param", "train_flops"}: smallest and largest seen by the fit
    conventions how N was counted, what the likelihoods are, in words
    data_hash   SHA-256 of the data behind the curves
    warnings    sentences, each with what to do
    """

    law: Law
    task: str
    target: Target
    status: FitStatus
    objective: float
    solver: str
    curves: Curves
    residuals: Array
    support: dict[str, tuple[float, float]]
    conventions: dict[str, str] = field(default_factory=dict)
    data_hash: str = ""
    seed: int = 0
    warnings: tuple[str, ...] = ()
    bootstrap: Bootstrap | None = None

    kind: ClassVar[str] = "fit"

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """The law's prediction, broadcast; see the law for what it can say."""
        return self.law.predict(N, D, k, metric)

    def predict_interval(
        self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None, level: float = 0.9
    ) -> tuple[Array, Array]:
        """Percentile interval of the bootstrap's predictions. Raises ValueError without a bootstrap."""
        if self.bootstrap is None:
            raise ArgumentError("this fit has no bootstrap: fit with `bootstrap` = 200 to have intervals.")
        return self.bootstrap.predict_interval(N, D, k, metric, level)

    def outside(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0) -> NDArray[np.bool_]:
        """Whether a point lies outside the ranges of N, D, D/N or k that the fit has seen, broadcast."""
        return outside_support(self.support, N, D, k)

    def summary(self, level: float = 0.9) -> list[dict[str, Any]]:
        """One row per parameter: name, value and, with a bootstrap, low and high."""
        interval = self.bootstrap.interval(level) if self.bootstrap is not None else {}
        rows = []
        for name, value in self.law.parameters.items():
            low, high = interval.get(name, (None, None))
            rows.append({"parameter": name, "value": value, "low": low, "high": high})
        return rows

    def explain(self) -> str:
        """The status and every warning, in sentences."""
        return "\n".join([self.status.value, *self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values and arrays."""
        boot = self.bootstrap
        return {
            "format": FORMAT,
            "law": self.law.to_dict(),
            "task": self.task,
            "target": self.target,
            "status": {"name": self.status.name, "sentence": self.status.value},
            "objective": self.objective,
            "solver": self.solver,
            "seed": self.seed,
            "support": self.support,
            "conventions": self.conventions,
            "data_hash": self.data_hash,
            "warnings": list(self.warnings),
            "summary": self.summary(),
            "curves": curves_to_dict(self.curves),
            "residuals": self.residuals,
            "bootstrap": None if boot is None else {"over": boot.over, "names": boot.names, "samples": boot.samples},
        }

    def to_json(self) -> str:
        """The text of fit.json."""
        return dumps(self.to_dict(), indent=1)

    def save(self, path: str | Path) -> Path:
        """Write fit.json in one step and return its path."""
        return write_text(path, self.to_json() + "\n")

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> FitResult:
        """The fit that `to_dict` described. Raises DataError if the content is no fit."""
        if content.get("format") != FORMAT:
            raise DataError(f"`format` = {content.get('format')!r} is no fit that this version reads ({FORMAT!r}).")
        law = law_from_dict(content["law"])
        boot = content["bootstrap"]
        curves = curves_from_dict(content["curves"])
        samples = None if boot is None else np.array(boot["samples"], dtype=float).reshape(-1, len(law.parameter_names))
        return cls(
            law=law,
            task=content["task"],
            target=curves.target,
            status=FitStatus[content["status"]["name"]],
            objective=content["objective"],
            solver=content["solver"],
            curves=curves,
            residuals=np.array(content["residuals"], dtype=float).reshape(len(curves.run_id), -1),
            support={name: _range(content["support"][name]) for name in SUPPORT},
            conventions=dict(content["conventions"]),
            data_hash=content["data_hash"],
            seed=content["seed"],
            warnings=tuple(content["warnings"]),
            bootstrap=None if samples is None else Bootstrap(type(law), samples, boot["over"], content["target"]),
        )

    @classmethod
    def load(cls, path: str | Path) -> FitResult:
        """Read fit.json. Raises DataError if it is no fit, OSError if it cannot be read."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"`{path}` is not JSON ({error}): give a fit.json written by `t2 fit -o`.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f"`{path}` is not a fit: give a fit.json written by `t2 fit -o`.")
        try:
            return cls.from_dict(content)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
            raise DataError(f"`{path}` is a damaged fit ({lacks}): fit again with `t2 fit -o`.") from error


def _range(ends: list[float]) -> tuple[float, float]:
    low, high = ends
    return float(low), float(high)


def _tails(level: float) -> list[float]:
    if not 0 < level < 1:
        raise ArgumentError(f"`level` = {level:g} must lie between 0 and 1, e.g. 0.9.")
    return [(1 - level) / 2, (1 + level) / 2]


def outside_support(
    support: Mapping[str, tuple[float, float]], N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0
) -> NDArray[np.bool_]:
    """Whether points lie outside the ranges of `support` ("N", "D", "tokens_per_param", "k", where given)."""
    N, D, k = (np.asarray(value, dtype=float) for value in (N, D, k))
    out = np.zeros(np.broadcast_shapes(N.shape, D.shape, k.shape), dtype=bool)
    for name, value in {"N": N, "D": D, "tokens_per_param": D / N, "k": k}.items():
        if name in support:
            low, high = support[name]
            out = out | (value < low * (1 - _SLACK)) | (value > high * (1 + _SLACK))
    return out
