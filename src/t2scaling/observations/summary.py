"""Figures of a table, task by task: what `t2 validate` and `t2 import` show before anybody fits anything."""

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.table import Observations

_OF_EACH = ("min", "max", "count")


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
    held = observations.lazy.collect_schema()
    n, c, nll = (
        pl.col(name) if name in held else pl.lit(None, pl.Float64) for name in ("n_samples", "n_correct", "nll")
    )
    figures = observations.lazy.group_by("task", "stage").agg(
        pl.len(),
        pl.col("run_id").n_unique().alias("runs"),
        pl.col("question_id").n_unique().alias("questions"),
        pl.col("question_id").filter(c > 0).n_unique().alias("solved"),
        *(getattr(x, of)().alias(f"{of} {name}") for name, x in (("n", n), ("nll", nll)) for of in _OF_EACH),
        nll.mean().alias("mean nll"),
        (c / n).mean().alias("mean share"),
    )
    found = figures.collect().with_columns(pl.col("task", "stage").cast(pl.String)).sort("task", "stage")
    return [_summary(observations, row) for row in found.iter_rows(named=True)]


def _summary(observations: Observations, row: dict[str, Any]) -> TaskSummary:
    counts, likelihood = row["count n"] > 0, row["count nll"] > 0
    kept_runs, shared, left_out = _kept(observations, row["task"], row["stage"])
    return TaskSummary(
        task=row["task"],
        stage=row["stage"],
        kind=" and ".join(name for name, held in (("nll", likelihood), ("counts", counts)) if held),
        runs=row["runs"],
        kept_runs=kept_runs,
        questions=row["questions"],
        shared=shared,
        missing_cells=row["runs"] * row["questions"] - row["len"],
        n_samples=(row["min n"], row["max n"]) if counts else None,
        nll=(row["min nll"], row["max nll"]) if likelihood else None,
        solved=row["solved"] if counts else None,
        mean=row["mean nll"] if likelihood else row["mean share"],
        left_out=left_out,
    )


def _kept(observations: Observations, task: str, stage: str) -> tuple[int, int, str]:
    """Runs and questions that a fit would keep, and what it would leave out."""
    try:
        arrays = observations.measurements(task, stage)
    except DataError as error:
        return 0, 0, str(error)
    return len(arrays.run_id), len(arrays.question_weight), arrays.conventions.get("left_out", "")
