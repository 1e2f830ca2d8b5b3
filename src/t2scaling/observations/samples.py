"""What is told of single samples, beside the counts: distinct wrong answers, scores, which sample is right.

Strategies that do more than count (a vote, the best of k by a score) are measured on these.
Shapes: R runs, Q questions; a cell holds one array, as long as it needs to be, or None where the table says nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from t2scaling.arrays import Array
from t2scaling.observations.pivot import Cut

Cells = tuple[tuple[NDArray[Any] | None, ...], ...]
DETAILS = ("wrong_counts", "scores", "correct")


@dataclass(frozen=True)
class Samples:
    """The graded samples of R runs on Q questions.

    task, question_id   shape (Q,), names
    run_id              shape (R,), names, sorted by (N, D) as in `Measurements`
    n, c                shape (R, Q), samples and correct samples
    wrong_counts        R × Q arrays: how often each distinct wrong answer came; their order means nothing
    scores, correct     R × Q arrays: the score of each sample, and whether it is right; None where the table has none
    """

    task: tuple[str, ...]
    question_id: tuple[str, ...]
    run_id: tuple[str, ...]
    n: Array
    c: Array
    wrong_counts: Cells | None = None
    scores: Cells | None = None
    correct: Cells | None = None


def gather(cut: Cut) -> Samples:
    """The samples behind a cut of counts."""
    grids = cut.grids
    names = [(grid.task, question) for grid in grids for question in grid.questions]
    return Samples(
        tuple(task for task, _ in names),
        tuple(question for _, question in names),
        grids[0].runs,
        np.concatenate([grid.values["n_samples"] for grid in grids], axis=1),
        np.concatenate([grid.values["n_correct"] for grid in grids], axis=1),
        **{name: _cells(cut.rows, name, grids[0].runs, names) for name in DETAILS},
    )


def _cells(rows: pl.LazyFrame, name: str, runs: tuple[str, ...], questions: list[tuple[str, str]]) -> Cells | None:
    if name not in rows.collect_schema():
        return None
    told = rows.filter(pl.col(name).is_not_null()).select("run_id", "task", "question_id", name).collect()
    held = {(run, task, question): np.array(value) for run, task, question, value in told.iter_rows()}
    return tuple(tuple(held.get((run, *question)) for question in questions) for run in runs) if held else None
