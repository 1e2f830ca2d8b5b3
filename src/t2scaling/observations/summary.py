"""Figures of a table, task by task: what `t2 validate` and `t2 import` show before anybody fits anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.table import Observations


@dataclass(frozen=True)
class TaskSummary:
    """One task at one stage.

    runs, questions    how many there are; `shared` questions are asked of all runs that a fit would keep
    kept_runs          runs that a fit would keep
    missing_cells      (run, question) pairs without an outcome
    n_samples, nll     (least, greatest) over all rows; None where the task has no such outcome
    solved             questions that some run answered correctly at least once (counts only)
    mean               mean over rows: −log p in nats, or the share of correct samples
    """

    task: str
    stage: str
    kind: str
    runs: int
    kept_runs: int
    questions: int
    shared: int
    missing_cells: int
    n_samples: tuple[int, int] | None
    nll: tuple[float, float] | None
    solved: int | None
    mean: float
    left_out: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def summarise(observations: Observations) -> list[TaskSummary]:
    """One summary per task and stage, sorted."""
    pairs = observations.outcomes.select("task", "stage").unique().sort("task", "stage")
    return [_summary(observations, task, stage) for task, stage in pairs.iter_rows()]


def _summary(observations: Observations, task: str, stage: str) -> TaskSummary:
    rows = observations.outcomes.filter(pl.col("task") == task, pl.col("stage") == stage)
    runs, questions = rows["run_id"].n_unique(), rows["question_id"].n_unique()
    counts = "n_samples" in rows.columns and bool(rows["n_samples"].count())
    likelihood = "nll" in rows.columns and bool(rows["nll"].count())
    kept_runs, shared, left_out = _kept(observations, task, stage)
    if likelihood:
        mean = rows["nll"].mean()
    else:
        mean = (rows["n_correct"] / rows["n_samples"]).mean()
    assert isinstance(mean, float)
    return TaskSummary(
        task=task,
        stage=stage,
        kind=" and ".join(name for name, held in (("nll", likelihood), ("counts", counts)) if held),
        runs=runs,
        kept_runs=kept_runs,
        questions=questions,
        shared=shared,
        missing_cells=runs * questions - len(rows),
        n_samples=_range(rows["n_samples"]) if counts else None,
        nll=_range(rows["nll"]) if likelihood else None,
        solved=rows.filter(pl.col("n_correct") > 0)["question_id"].n_unique() if counts else None,
        mean=mean,
        left_out=left_out,
    )


def _kept(observations: Observations, task: str, stage: str) -> tuple[int, int, str]:
    """Runs and questions that a fit would keep, and what it would leave out."""
    try:
        arrays = observations.measurements(task, stage)
    except DataError as error:
        return 0, 0, str(error)
    return len(arrays.run_id), len(arrays.question_weight), arrays.conventions.get("left_out", "")


def _range(values: pl.Series) -> Any:
    return values.min(), values.max()
