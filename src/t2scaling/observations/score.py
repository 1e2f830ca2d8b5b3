"""A table per run: pass@k, majority@k and the rest, per run and task, with an interval over questions."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError, DataError, unknown
from t2scaling.observations.table import Observations
from t2scaling.passk import mean_and_error
from t2scaling.strategies import PointSuccess, Strategy, parse
from t2scaling.units import check_level


def score(
    observations: Observations,
    k: ArrayLike = (1, 4, 16, 64),
    strategies: Sequence[str | Strategy] = ("oracle",),
    *,
    task: str | None = None,
    stage: str | None = None,
    level: float = 0.9,
) -> pl.DataFrame:
    """What each run reaches with k samples under each strategy.

    k           samples per problem, 1 or more
    strategies  values or text such as "majority" and "verifier:tpr=.9,fpr=.05"
    task        one task; None for each of them
    stage       one stage; None for each of them
    level       of the interval: normal, the question being the unit that varies
    Returns one row per stage, task, run, strategy and k: value, low, high (cut at 0 and 1), n_questions; null where a
    question has fewer than k samples. Likelihoods are used where they are enough, counts elsewhere.
    Raises ArgumentError where no run has k samples, DataError where a strategy needs what was not measured (wrong
    answers, scores).
    """
    check_level(level)
    counts = np.atleast_1d(np.asarray(k, dtype=float))
    chosen = [parse(strategy) for strategy in strategies]
    reach = NormalDist().inv_cdf((1 + level) / 2)
    rows: list[dict[str, Any]] = []
    if stage is not None and stage not in observations.stages:
        raise unknown("stage", stage, observations.stages)
    for name in [stage] if stage else observations.stages:
        tasks = observations.outcomes.filter(pl.col("stage") == name)["task"].unique().sort()
        for of in [task] if task else tasks:
            for strategy in chosen:
                rows += _rows(observations, of, name, strategy, counts, reach)
    table = pl.DataFrame(rows, infer_schema_length=None)
    if table["value"].null_count() == table.height:
        raise ArgumentError(
            f"`k` = {counts.min():g} is more than the samples that any run has of every question: ask for less, or "
            "draw more (`t2 samples` says pass@k beyond the samples drawn)."
        )
    return table


def _rows(
    observations: Observations, task: str, stage: str, strategy: Strategy, k: Array, reach: float
) -> Iterator[dict[str, Any]]:
    runs, values = _values(observations, task, stage, strategy, k)
    facts = {name: (n, d) for name, n, d in observations.runs.select("run_id", "n_params", "n_tokens").iter_rows()}
    for run, table in zip(runs, values, strict=True):
        mean, error = mean_and_error(table.T, np.full(len(table), 1 / len(table)))
        # A mean over the questions that happen to have k samples would mislead.
        short = np.asarray(np.isnan(table).any(axis=0))
        for at, (samples, value, spread) in enumerate(zip(k.tolist(), mean.tolist(), error.tolist(), strict=True)):
            low, high = max(value - reach * spread, 0.0), min(value + reach * spread, 1.0)
            numbers = (None, None, None) if short[at] else (value, low, high)
            yield {
                "stage": stage, "task": task, "run_id": run, "n_params": facts[run][0], "n_tokens": facts[run][1],
                "strategy": strategy.label, "k": samples, **dict(zip(("value", "low", "high"), numbers, strict=True)),
                "n_questions": len(table),
            }  # fmt: skip


def _values(
    observations: Observations, task: str, stage: str, strategy: Strategy, k: Array
) -> tuple[tuple[str, ...], list[Array]]:
    """Names of the runs, and for each the value per question and k, shape (Q, K): by likelihood where that will do."""
    if _has(observations, task, stage, "nll"):
        measured = observations.measurements(task, stage, "nll")
        assert measured.nll is not None
        try:
            p = np.exp(-measured.nll)
            return measured.run_id, [strategy.value(PointSuccess(row[:, None, None], [1.0]), k) for row in p]
        except ArgumentError as error:
            if not _has(observations, task, stage, "n_samples"):
                raise DataError(f"{task} was measured by likelihood only. {error}") from error
    told = observations.samples(task, stage)
    return told.run_id, [_from_samples(strategy, told, r, k, task) for r in range(len(told.run_id))]


def _has(observations: Observations, task: str, stage: str, column: str) -> bool:
    here = observations.outcomes.filter((pl.col("task") == task) & (pl.col("stage") == stage))
    return column in here.columns and here[column].count() > 0


def _from_samples(strategy: Strategy, told: Any, r: int, k: Array, task: str) -> Array:
    details = {}
    for name in ("wrong_counts", "scores", "correct"):
        cells = getattr(told, name)
        if cells is not None and all(
            cell is not None or told.n[r, q] == told.c[r, q] for q, cell in enumerate(cells[r])
        ):
            details[name] = [np.empty(0) if cell is None else cell for cell in cells[r]]
    try:
        return strategy.from_counts(told.n[r], told.c[r], k, **details)
    except ArgumentError as error:
        raise DataError(f"{told.run_id[r]} on {task}: {error}") from error
