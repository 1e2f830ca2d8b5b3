"""What a fit hands back: the law, how it was found, what it was fitted to, and what to beware of.

A `FitResult` predicts like its law, explains itself in sentences, shows itself as a table or a figure, and goes to
fit.json and back without loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict

from t2scaling.arrays import Flags
from t2scaling.artefacts import write_text
from t2scaling.errors import ArgumentError
from t2scaling.foreign import read_artefact, validate
from t2scaling.laws import artefact
from t2scaling.laws.base import Law, Metric, check_samples, positive
from t2scaling.laws.measurements import Target
from t2scaling.laws.outcome import Bootstrap, FitStatus
from t2scaling.laws.quality import Quality
from t2scaling.views import Result, html_table

__all__ = ["Bootstrap", "FitResult", "FitStatus"]
MADE_BY = "t2 fit … -o fit.json"


@dataclass(frozen=True, repr=False)
class FitResult(Result):
    """A fitted law and everything needed to judge it.

    law         the law at its best parameters
    target      which mean over questions `curves.value` holds
    objective   the (weighted) sum of squares, or of Huber losses, that was minimised
    residuals   observed less predicted, shape (R, K), in the metric that was fitted; NaN where not measured
    support     smallest and largest N, D, k, tokens per parameter and training FLOPs that were measured
    conventions how N was counted, what the likelihoods are, in words
    data_hash   SHA-256 of the data behind the curves
    warnings    sentences, each with what to do
    numbers     the law that answers `predict`, where it is not the one that plans
    others      laws fitted to the same curves, for comparison
    quality     errors on the fit's own runs and on hidden ones, and the intervals that follow
    """

    law: artefact.ReadLaw
    task: str
    target: Target
    status: artefact.ReadStatus
    objective: float
    solver: str
    curves: artefact.ReadCurves
    residuals: artefact.Residuals
    support: artefact.WholeSupport
    conventions: dict[str, str]
    data_hash: str
    warnings: tuple[str, ...]
    seed: int = 0
    bootstrap: artefact.ReadBootstrap | None = None
    numbers: artefact.ReadLaw | None = None
    others: tuple[artefact.ReadLaw, ...] = ()
    quality: Quality = field(default_factory=Quality)
    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    kind: ClassVar[str] = "fit"
    indent: ClassVar[int] = 1

    @property
    def laws(self) -> tuple[Law, ...]:
        """Every law of the fit: the one that plans, the one for numbers, and those beside them."""
        return (self.law, *([] if self.numbers is None else [self.numbers]), *self.others)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `predict` can say, its default first."""
        more = () if self.numbers is None else self.numbers.metrics
        return tuple(dict.fromkeys((*self.law.metrics, *more)))

    def speaker(self, metric: Metric | None = None) -> Law:
        """The law that answers in a metric: that for numbers where it can, else the one that plans."""
        if self.numbers is not None and (metric or self.law.metric) in self.numbers.metrics:
            return self.numbers
        return self.law

    def predict(
        self,
        N: ArrayLike,
        D: ArrayLike,
        k: ArrayLike = 1.0,
        metric: Metric | None = None,
        *,
        interval: float | None = None,
    ) -> Any:
        """The prediction at (N, D, k), broadcast; see the law for what it can say.

        interval   a level such as 0.9: then (value, low, high), with the width that forecasts of hidden runs needed
        Raises ArgumentError for a metric that the law cannot say, k below 1, and an interval without a backtest.
        """
        value = self.speaker(metric).predict(N, D, k, metric)
        if interval is None:
            return value
        chosen = metric or self.law.metric
        if chosen not in self.quality.spreads:
            raise ArgumentError(
                f"`interval` = {interval:g} has no backtest to rest on: the fit has too few runs to hide some, or was "
                "made with `quality` = False."
            )
        point = positive("N", N), positive("D", D), check_samples(k)
        away = self.support.distance(*point[:2])
        return value, *self.quality.spreads[chosen].interval(value, point[2], away, interval)

    def outside(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0) -> Flags:
        """Whether a point lies outside the ranges of N, D, D/N or k that the fit has seen, broadcast."""
        return self.support.outside(N, D, k)

    def summary(self, level: float = 0.9) -> list[dict[str, Any]]:
        """One row per parameter: name, value and, with a bootstrap, low and high."""
        interval = self.bootstrap.interval(level) if self.bootstrap is not None else {}
        rows = []
        for name, value in self.law.parameters.items():
            low, high = interval.get(name, (None, None))
            rows.append({"parameter": name, "value": value, "low": low, "high": high})
        return rows

    def explain(self) -> str:
        """The status, the errors on own and hidden runs, and every warning, in sentences."""
        return "\n".join([self.status.value, self.quality.sentence(), *self.warnings])

    def records(self) -> list[dict[str, Any]]:
        """One row per run and k that was measured: what was observed, and what the law says."""
        curves, observed = self.curves, self.law.observed(self.curves)
        columns = {
            "run_id": np.repeat(np.array(curves.run_id, dtype=object), len(curves.k)),
            "n_params": np.repeat(curves.N, len(curves.k)),
            "n_tokens": np.repeat(curves.D, len(curves.k)),
            "k": np.tile(curves.k, len(curves.N)),
            "observed": observed.ravel(),
            "predicted": (observed - self.residuals).ravel(),
        }
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows if np.isfinite(row[-1])]

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={value:.4g}" for name, value in self.law.parameters.items())
        R, K = self.curves.value.shape
        return f"FitResult({self.law.name}, {self.task}, {R} runs × {K} k, {self.status.name}: {numbers})"

    def _repr_html_(self) -> str:
        head = ("parameter", "value", "90% interval")
        body: list[tuple[str, ...]] = [
            (row["parameter"], f"{row['value']:.5g}", f"{row['low']:.4g} to {row['high']:.4g}" if row["low"] else "")
            for row in self.summary()
        ]
        said = "".join(f"<p>{escape(line)}</p>" for line in self.explain().splitlines())
        title = f"{self.law.label}: {self.task}"
        return f"<p><b>{escape(title)}</b></p>{html_table(head, body)}{said}"

    def to_dict(self) -> dict[str, Any]:
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        boot = self.bootstrap
        return {
            "format": artefact.FIT_FORMAT,
            **plain,
            "law": self.law.to_dict(),
            "status": {"name": self.status.name, "sentence": self.status.value},
            "support": dict(self.support),
            "warnings": list(self.warnings),
            "numbers": None if self.numbers is None else self.numbers.to_dict(),
            "others": [law.to_dict() for law in self.others],
            "quality": self.quality.to_dict(),
            "summary": self.summary(),
            "curves": self.curves.to_dict(),
            "bootstrap": None if boot is None else {"over": boot.over, "names": boot.names, "samples": boot.samples},
        }

    def save(self, path: str | Path) -> Path:
        """Write fit.json in one step and return its path."""
        return write_text(path, self.to_json() + "\n")

    @classmethod
    def from_dict(cls, content: Any) -> FitResult:
        """The fit that `to_dict` described, of 0.1.0 too. Raises DataError if the content is no fit."""
        return validate(cls, content, "the fit", way_out=f"Make it anew with `{MADE_BY}`.")

    @classmethod
    def load(cls, path: str | Path) -> FitResult:
        """Read fit.json, of 0.1.0 too. Raises DataError if it is no fit, OSError if it cannot be read."""
        return read_artefact(path, cls, artefact.FIT_FORMAT, MADE_BY)
