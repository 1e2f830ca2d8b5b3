"""A forecast written before the run, and its score afterwards.

The file holds what was predicted, with intervals, by which law from which data, and when; its digest covers all of it,
so that a forecast that was changed after the fact is told from one that was not.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from t2scaling.artefacts import dumps, write_json
from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import Strict, read_artefact
from t2scaling.laws.base import METRICS, Metric
from t2scaling.laws.curves import curves
from t2scaling.laws.heldout import observed_in
from t2scaling.laws.intervals import to_scale
from t2scaling.laws.measurements import Measurements, Target
from t2scaling.laws.result import FitResult

FORMAT = "t2scaling/registered/1"
NEAR = 0.05  # in log N and log D: a run this near to a forecast is the run that it was made for


class Prediction(Strict):
    """One point."""

    n_params: float = Field(gt=0)
    n_tokens: float = Field(gt=0)
    k: float = Field(ge=1)
    value: float
    low: float | None
    high: float | None


class Registered(Strict):
    """forecast.json."""

    format: str = FORMAT
    task: str
    law: dict[str, Any]
    metric: str
    target: Target
    level: float
    data_hash: str
    date: str
    predictions: tuple[Prediction, ...]
    digest: str = ""

    def sealed(self) -> Registered:
        """The same with the digest of everything else."""
        return self.model_copy(update={"digest": self._digest()})

    @property
    def intact(self) -> bool:
        """Whether nothing was changed since it was written."""
        return self.digest == self._digest()

    def _digest(self) -> str:
        # Through JSON, so that the digest of what is read is that of what was written.
        return sha256(dumps(self.model_dump(exclude={"digest"})).encode()).hexdigest()


def register(
    fit: FitResult,
    N: ArrayLike,
    D: ArrayLike,
    k: ArrayLike = 1.0,
    metric: Metric | None = None,
    level: float = 0.9,
    now: datetime | None = None,
) -> Registered:
    """A forecast of every combination of N, D and k. Points without an interval have none in the file."""
    chosen = metric or fit.law.metric
    law = fit.speaker(chosen)
    point = (np.atleast_1d(np.asarray(value, dtype=float)) for value in (N, D, k))
    sizes, tokens, counts = (part.ravel() for part in np.meshgrid(*point, indexing="ij"))
    value = fit.predict(sizes, tokens, counts, chosen)
    low = high = np.full(value.shape, np.nan)
    if chosen in fit.quality.spreads:
        _, low, high = fit.predict(sizes, tokens, counts, chosen, interval=level)
    return Registered(
        task=fit.task,
        law={"name": law.name, "parameters": dict(law.parameters)},
        metric=chosen,
        target=law.neg_log_target,
        level=level,
        data_hash=fit.data_hash,
        date=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        predictions=tuple(
            Prediction(n_params=n, n_tokens=d, k=at, value=v, low=_known(lo), high=_known(hi))
            for n, d, at, v, lo, hi in zip(sizes, tokens, counts, value, low, high, strict=True)
        ),
    ).sealed()


def save(registered: Registered, path: str | Path) -> Path:
    """Write forecast.json. Raises ArgumentError where there is one: a forecast is made once."""
    if Path(path).exists():
        raise ArgumentError(f"`output` = {path} is there: a forecast is made once; choose another name.")
    return write_json(path, registered.model_dump())


def load(path: str | Path) -> Registered:
    """Read forecast.json. Raises DataError for what is none, and for one that was changed since it was written."""
    found = read_artefact(path, Registered, FORMAT, "t2 forecast FIT --register … -o forecast.json")
    if not found.intact:
        raise DataError(f"`{path}` was changed since it was written: its digest is not that of its content.")
    return found


def check(registered: Registered, measurements: Measurements) -> list[dict[str, Any]]:
    """Every point with what was measured there: a row each, the mean over runs that are within 5 % in N and in D.

    A row has n_params, n_tokens, k, predicted, low, high, measured (NaN without a run), runs, held (None without an
    interval or a run) and off: predicted less measured on the scale of intervals (logit pass@k, log of a loss).
    """
    metric = registered.metric
    if metric not in METRICS:
        raise DataError(f"the forecast is of `{metric}`, which is not known: use {', '.join(METRICS)}.")
    rows = []
    for point in registered.predictions:
        n = np.abs(np.log(measurements.N / point.n_params)) < NEAR
        near = n & (np.abs(np.log(measurements.D / point.n_tokens)) < NEAR)
        measured = float("nan")
        if near.any():
            table = curves(measurements.take(near), [point.k], registered.target)
            measured = float(np.nanmean(observed_in(table, metric, registered.target)[:, -1]))
        ends = (point.low, point.high)
        held = None if point.low is None or point.high is None else point.low <= measured <= point.high
        rows.append(
            {
                "n_params": point.n_params, "n_tokens": point.n_tokens, "k": point.k, "predicted": point.value,
                "low": ends[0], "high": ends[1], "measured": measured, "runs": int(near.sum()),
                "held": held if near.any() else None,
                "off": float(to_scale(metric, point.value) - to_scale(metric, measured)),
            }
        )  # fmt: skip
    return rows


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
