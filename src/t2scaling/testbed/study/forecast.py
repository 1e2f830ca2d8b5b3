"""Forecast first, then train: where the laws point, written down before anything is trained there.

`make` fits the laws to the suite's ordinary cells (those not marked overtrained) and notes, for every law and pair of
budgets, the law's optimum and its own Chinchilla point, each with the cell that stands for it and what the law expects
of that cell. `cells` are what is then trained; `judge` puts the measurements beside the predictions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling.artefacts import sha256, write_json
from t2scaling.costs import sample_flops, samples_afforded, tokens_afforded
from t2scaling.errors import DataError, FitError, SuiteError
from t2scaling.foreign import read_json, validate
from t2scaling.laws.base import Metric
from t2scaling.laws.measurements import Target
from t2scaling.units import format_flops

if TYPE_CHECKING:
    from t2scaling.allocate import Allocation
    from t2scaling.laws import FitResult
    from t2scaling.observations import Observations
    from t2scaling.testbed.study.config import ValidateSection
    from t2scaling.testbed.suite import Cell, ModelShape, Suite

FORMAT = "t2scaling/forecast/1"
_NEAR = 0.1  # how far, in log N, a cell may be from the point that it stands for


@dataclass(frozen=True)
class Point:
    """One point that a law names, and the cell that stands for it.

    kind                     optimum, or chinchilla: where the law's own k = 1 part has its least loss
    n_params, n_tokens, k    where the law points; None where it names no point
    run_id                   the cell, None where none can stand for it, and `note` says why
    cell_params, cell_tokens, cell_k   the cell's N, D and the k that the inference budget leaves it
    predicted                metric → what the law expects of the cell
    target                   which mean over questions the law's −log pass@k is
    """

    law: str
    task: str
    train_flops: float
    inference_flops: float
    kind: str
    n_params: float | None = None
    n_tokens: float | None = None
    k: float | None = None
    run_id: str | None = None
    note: str = ""
    cell_params: float | None = None
    cell_tokens: float | None = None
    cell_k: float | None = None
    predicted: dict[Metric, float] | None = None
    target: Target | None = None


@dataclass(frozen=True)
class Forecast:
    """What is written before the points are trained.

    observations_sha256   of the measurements that the laws were fitted to
    fitted_on             the runs
    laws                  "law task inference_flops" → its parameters
    points                every law's points
    suite                 the cells that stand for them, as suite.json
    """

    observations_sha256: str
    fitted_on: tuple[str, ...]
    laws: dict[str, dict[str, Any]]
    points: tuple[Point, ...]
    suite: dict[str, Any]
    format: str = FORMAT

    def save(self, path: Path) -> Path:
        """Write forecast.json. Raises SuiteError where there is one: a forecast is made once."""
        if path.exists():
            raise SuiteError(f"`{path}` is there: a forecast is made once; delete it, and what was trained for it.")
        return write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Forecast:
        """Read forecast.json back. Raises SuiteError for what is no forecast."""
        return validate(Forecast, read_json(path, SuiteError), f"`{path}`", SuiteError)

    def cells(self) -> Suite:
        """The suite of the cells that stand for the points."""
        from t2scaling.artefacts import dumps
        from t2scaling.testbed.suite import Suite

        return Suite.from_json(dumps(self.suite), "forecast")


def make(observations: Observations, path: Path, suite: Suite, section: ValidateSection) -> Forecast:
    """The forecast of a suite's ordinary cells, whose observations lie at `path`.

    Raises SuiteError where no point can be trained.
    """
    ordinary = _ordinary(observations, section.up_to)
    top = max(cell.level for cell in suite.cells)
    one_sample = float(sample_flops(max(cell.n_params for cell in suite.cells), 1))
    budgets = list(product(section.train_flops or (top,), section.inference_flops or (one_sample, 16 * one_sample)))
    laws: dict[str, dict[str, Any]] = {}
    points: list[Point] = []
    cells: dict[str, Cell] = {}
    for law, task, (training, serving) in product(section.laws, section.tasks, budgets):
        try:
            fitted = _fit(ordinary, law, task, serving)
            pointed = _points(fitted, law, task, training, serving)
        except (DataError, FitError) as error:
            points.append(Point(law, task, training, serving, "optimum", note=str(error)))
            continue
        laws[f"{law} {task} {serving:g}"] = fitted.law.parameters
        for point in pointed:
            stand_in = _stand_in(point, suite)
            if isinstance(stand_in, str):
                points.append(replace(point, note=stand_in))
            else:
                cells[stand_in.run_id] = stand_in
                points.append(expected(point, stand_in, fitted))
    if not cells:
        raise SuiteError(f"`validate`: no point can be trained: {'; '.join({point.note for point in points})}")
    return Forecast(
        sha256(path), tuple(sorted(ordinary.runs["run_id"])), laws, tuple(points), _suite_of(suite, cells, section)
    )


def fitted_to(forecast: Forecast, suite: Suite) -> str:
    """What the forecast's laws have seen of a suite, in words."""
    seen = [cell for cell in suite.cells if cell.run_id in set(forecast.fitted_on)]
    kind = "runs" if any(cell.overtrained for cell in seen) else "ordinary runs"
    return f"{len(forecast.fitted_on)} {kind} of up to {format_flops(max(cell.level for cell in seen))} FLOPs"


def judge(forecast: Forecast, observations: Observations) -> list[dict[str, Any]]:
    """One row per point and metric: predicted, measured (the mean over seeds), standard error over seeds, and runs."""
    from t2scaling.laws.curves import curves
    from t2scaling.laws.heldout import observed_in

    rows = []
    for point in forecast.points:
        if point.run_id is None or point.predicted is None or point.cell_k is None or point.target is None:
            continue
        measured = curves(observations.measurements(point.task), [point.cell_k])
        own = [run == point.run_id or run.startswith(f"{point.run_id}-s") for run in measured.run_id]
        if not any(own):  # its runs have failed
            continue
        for metric, predicted in point.predicted.items():
            values = observed_in(measured, metric, point.target)[own, 0 if metric == "loss" else -1]
            error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
            rows.append(
                {
                    "law": point.law,
                    "task": point.task,
                    "train_flops": point.train_flops,
                    "inference_flops": point.inference_flops,
                    "kind": point.kind,
                    "run_id": point.run_id,
                    "cell_params": point.cell_params,
                    "cell_tokens": point.cell_tokens,
                    "k": point.cell_k,
                    "metric": metric,
                    "runs": len(values),
                    "predicted": predicted,
                    "measured": float(values.mean()),
                    "standard_error": error,
                }
            )
    return rows


def _ordinary(observations: Observations, up_to: float | None) -> Observations:
    """The base runs that are not marked overtrained, of at most so many training FLOPs (5 % over are let pass)."""
    import polars as pl

    from t2scaling.observations import Observations

    frame = observations.frame().filter(pl.col("stage") == "base")
    if "overtrained" in frame.columns:
        frame = frame.filter(~pl.col("overtrained").fill_null(False))
    if up_to is not None:
        frame = frame.filter(pl.col("train_flops") <= 1.05 * up_to)
    if frame.is_empty():
        raise SuiteError(f"`validate.up_to` = {up_to}: no ordinary cell of the suite is that small; raise it.")
    return Observations.from_frame(frame, observations.conventions, where="the suite's ordinary cells")


def _fit(observations: Observations, law: str, task: str, serving: float) -> FitResult:
    from t2scaling.laws import fit

    return fit(observations, law=law, task=task, inference_flops=serving)


def _points(fitted: FitResult, law: str, task: str, training: float, serving: float) -> list[Point]:
    from t2scaling.allocate import plan

    try:
        made = plan(fitted, train_flops=training, inference_flops=serving if fitted.law.samples else None)
    except ValueError as error:
        return [Point(law, task, training, serving, "optimum", note=str(error))]
    named = {"optimum": made.optimum, "chinchilla": made.chinchilla}
    return [_named(Point(law, task, training, serving, kind), where) for kind, where in named.items()]


def _named(point: Point, where: Allocation) -> Point:
    if not where.exists:
        return replace(point, note="the law names no point")
    k = float(samples_afforded(where.n_params, point.inference_flops))
    return replace(point, n_params=where.n_params, n_tokens=where.n_tokens, k=k)


def _stand_in(point: Point, suite: Suite) -> Cell | str:
    """The cell that stands for a point, or why none can."""
    from t2scaling.testbed.suite.grid import cell as planned
    from t2scaling.testbed.suite.grid import fixed_batch

    if point.n_params is None:
        return point.note
    shape = shape_near(suite, point.n_params)
    N = shape.n_params(suite.convention)
    if abs(math.log(N / point.n_params)) > _NEAR:
        return f"no shape between the suite's has about {point.n_params:,.0f} parameters"
    tokens = float(tokens_afforded(N, point.train_flops))
    if tokens > max(suite.corpus_tokens - suite.heldout_tokens, *(cell.n_tokens for cell in suite.cells)):
        return f"{tokens:,.0f} tokens are more than the suite's text has"
    ordered = sorted((c.n_tokens, c.batch_size) for c in suite.cells)
    D, batches = (np.log(column) for column in np.array(ordered, dtype=float).T)
    batch = round(float(np.exp(np.interp(math.log(tokens), D, batches)))) * suite.seq_len
    return planned(
        shape,
        point.train_flops,
        seq_len=suite.seq_len,
        batch=fixed_batch(batch),
        convention=suite.convention,
        run_id=f"forecast-{shape.name}-f{shape.d_ff}-c{point.train_flops:.3g}".replace("e+", "e").replace("e0", "e"),
    )


def suite_of_runs(suite: Suite, runs: Sequence[tuple[float, float]]) -> tuple[dict[str, Any], list[str]]:
    """A suite of the cells that stand for runs of (parameters, training FLOPs), and why others have none.

    Raises SuiteError where none of the runs can be trained.
    """
    cells: dict[str, Cell] = {}
    left_out = []
    for n_params, flops in runs:
        found = _stand_in(Point("", "", flops, 0.0, "next", n_params), suite)
        if isinstance(found, str):
            left_out.append(f"{n_params:,.0f} parameters at {flops:.3g} FLOPs: {found}.")
        else:
            cells[found.run_id] = found
    if not cells:
        raise SuiteError(f"no run can be trained: {' '.join(left_out)}")
    return json.loads(replace(suite, name=f"{suite.name}-next", cells=tuple(cells.values())).to_json()), left_out


def shape_near(suite: Suite, n_params: float) -> ModelShape:
    """A shape with about `n_params` parameters: one of the suite's, or one that is wider or narrower by up to half.

    Depth, heads and the ratio of d_ff to width are those of a shape of the suite.
    """
    known = sorted({cell.shape for cell in suite.cells}, key=lambda shape: shape.width)
    other = [
        replace(shape, width=width, d_ff=max(8, round(shape.d_ff / shape.width * width / 8) * 8))
        for shape in known
        for width in range(2 * shape.n_heads, shape.width * 3 // 2 + 1, 2 * shape.n_heads)
        if width >= shape.width / 1.5
    ]
    return min([*known, *other], key=lambda shape: abs(math.log(shape.n_params(suite.convention) / n_params)))


def expected(point: Point, stand_in: Cell, fitted: FitResult) -> Point:
    """The point with the cell that stands for it and what the law expects of that cell, in every metric it can say."""
    N, D, law = stand_in.n_params, stand_in.n_tokens, fitted.law
    k = float(samples_afforded(N, point.inference_flops)) if law.samples else 1.0
    said = {metric: float(law.predict(N, D, k, metric)) for metric in law.metrics} if k >= 1 else {}
    return replace(
        point,
        run_id=stand_in.run_id,
        cell_params=float(N),
        cell_tokens=float(D),
        cell_k=k,
        predicted=said or None,
        target=law.neg_log_target,
        note="" if said else "the inference budget does not pay for one sample",
    )


def _suite_of(suite: Suite, cells: dict[str, Cell], section: ValidateSection) -> dict[str, Any]:
    from t2scaling.testbed.suite import with_seeds

    chosen = tuple(with_seeds(sorted(cells.values(), key=lambda cell: cell.n_params), section.seeds))
    return dict(json.loads(replace(suite, name=f"{suite.name}-forecast", cells=chosen).to_json()))
