"""Which runs and questions to keep so that every run is judged on the same questions.

A missing cell would let two runs be judged on different questions, so cells must all be there. Where some are not,
`select` leaves out the runs with the most gaps one by one, and takes the cut that keeps the most cells. One run with
a quarter of the questions is thus dropped for the sake of the others, and one question that half of the runs never
saw is dropped for the sake of the runs. Shapes: R runs, T tasks of Q_t questions each, Q questions in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from t2scaling.errors import DataError

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Selection:
    """Sorted positions of the runs and, for each task, of the questions to keep; and what was left out, in words."""

    runs: Positions
    questions: tuple[Positions, ...]
    left_out: str = ""


def select(tasks: Sequence[str], runs: Sequence[str], present: Sequence[NDArray[np.bool_]]) -> Selection:
    """Choose the cells to keep.

    present  for each task, shape (R, Q_t): True where the run has the question
    Raises DataError where the runs share no question of some task.
    """
    widths = [cells.shape[1] for cells in present]
    if all(cells.all() for cells in present):
        return Selection(np.arange(len(runs)), tuple(np.arange(width) for width in widths))
    bounds = np.cumsum([0, *widths])
    together = np.concatenate(present, axis=1)
    keep, questions = largest_full_block(together, bounds)
    if not len(keep):
        raise DataError(
            f"the runs share no question of {', '.join(f'`{task}`' for task in tasks)}: {len(runs)} runs, "
            f"{together.shape[1]:,} questions, {1 - together.mean():.0%} of the cells empty. "
            "Are the question_ids of different runs of the same kind?"
        )
    inside = [questions[(questions >= a) & (questions < b)] - a for a, b in pairwise(bounds)]
    return Selection(keep, tuple(inside), _sentence(runs, together, keep, len(questions)))


def largest_full_block(present: NDArray[np.bool_], bounds: Positions) -> tuple[Positions, Positions]:
    """Runs and questions to keep so that no cell is missing and as many cells as possible remain.

    present  shape (R, Q)
    bounds   positions where one task ends and the next begins, length T + 1; every task must keep a question
    The cuts considered are those that drop the runs with the most gaps. Returns sorted positions, empty where no
    cut leaves a question of every task.
    """
    order = np.argsort(-present.sum(axis=1), kind="stable")  # fullest first
    full = np.logical_and.accumulate(present[order], axis=0)  # full[r]: questions that the r + 1 fullest share
    per_task = np.add.reduceat(full, bounds[:-1], axis=1, dtype=np.int64)
    cells = np.arange(1, len(order) + 1) * full.sum(axis=1)
    cells[(per_task == 0).any(axis=1)] = 0
    if not cells.any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    last = len(cells) - 1 - int(np.argmax(cells[::-1]))  # of equal cuts, the one with more runs
    return np.sort(order[: last + 1]), np.flatnonzero(full[last])


def _sentence(runs: Sequence[str], present: NDArray[np.bool_], kept: Positions, n_questions: int) -> str:
    R, Q = present.shape
    parts = []
    dropped = np.setdiff1d(np.arange(R), kept)
    if len(dropped):
        named = [f"{runs[i]} ({int(present[i].sum()):,} of {Q:,} questions)" for i in dropped[:5]]
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        parts.append(f"{len(dropped)} of {R} runs, which lack too many questions: {', '.join(named)}{more}")
    if n_questions < Q:
        others = "the other runs" if len(dropped) else "the runs"
        parts.append(f"{Q - n_questions:,} of {Q:,} questions, which not all of {others} have")
    return "; ".join(parts)
