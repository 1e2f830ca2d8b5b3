"""Which runs and questions to keep so that every run is judged on the same questions.

A missing cell would let two runs be judged on different questions, so cells must all be there. Where some are not,
`select` keeps the runs and questions that leave the most cells. One run with a quarter of the questions, or with
questions of its own, is thus dropped for the sake of the others, and one question that half of the runs never saw is
dropped for the sake of the runs. Shapes: R runs, T tasks of Q_t questions each, Q questions in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.errors import DataError


@dataclass(frozen=True)
class Selection:
    """Sorted positions of the runs and, for each task, of the questions to keep; and what was left out, in words."""

    runs: Positions
    questions: tuple[Positions, ...]
    left_out: str = ""


def select(tasks: Sequence[str], runs: Sequence[str], present: Sequence[Flags]) -> Selection:
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


def largest_full_block(present: Flags, bounds: Positions) -> tuple[Positions, Positions]:
    """Runs and questions to keep so that no cell is missing and as many cells as possible remain.

    present  shape (R, Q)
    bounds   positions where one task ends and the next begins, length T + 1; every task must keep a question
    Of equal cuts, one with the most runs. Returns sorted positions, empty where no cut leaves a question of every task.
    """
    # Runs with the same gaps are kept or left out together, and so are questions of a task.
    first, of_run, many = _patterns(present)
    task = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    columns, of_question, width = _patterns(np.column_stack([present[first].T, task]))
    widths = (task[columns] == np.arange(len(bounds) - 1)[:, None]) * width.astype(float)
    rows = present[np.ix_(first, columns)]
    kept = _search(rows, many, widths)
    if kept is None:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    whole = np.asarray(rows[:, kept].all(axis=1))
    return np.flatnonzero(whole[of_run]), np.flatnonzero(kept[of_question])


def _patterns(marks: NDArray[Any]) -> tuple[Positions, Positions, Positions]:
    """The first row of each distinct kind, the kind of each row, and the rows of each kind; as `np.unique`, by hash."""
    kinds: dict[bytes, int] = {}
    of_row = np.array([kinds.setdefault(row.tobytes(), len(kinds)) for row in np.ascontiguousarray(marks)])
    _, first, many = np.unique(of_row, return_index=True, return_counts=True)
    return first, of_row, many


def _search(rows: Flags, many: Positions, widths: Array) -> Flags | None:
    """The questions of the best cut, as a mask over C patterns of questions; None where there is no cut.

    rows    (P, C): patterns of runs, True where they have the questions
    many    (P,): runs of each pattern
    widths  (T, C): questions of each task behind each pattern
    Pattern by pattern, a cut goes on with it and without it; of the cuts so far only those stay that can still beat
    the best one known, which `_peel` begins with. That is exact as long as at most `_MOST_STATES` of them compete;
    where gaps are so irregular that more do, the least promising are dropped.
    """
    most = max(1, min(_MOST_STATES, _MOST_MARKS // rows.size))
    order = np.argsort(-(rows @ widths.sum(axis=0)), kind="stable")  # fullest first
    waiting = np.append(np.cumsum(many[order][::-1])[::-1], 0)
    best, found = _best(_peel(rows, many, widths), rows, many, widths)
    cuts, runs = np.ones((1, rows.shape[1]), bool), np.zeros(1)  # (S, C) questions kept, (S,) runs kept
    for step, pattern in enumerate(order, 1):
        narrower = (cuts & ~rows[pattern]).any(axis=1)
        runs = np.concatenate([runs + many[pattern] * ~narrower, runs[narrower] + many[pattern]])
        cuts = np.concatenate([cuts, cuts[narrower] & rows[pattern]])
        questions = _questions(cuts, widths)
        value = runs * questions
        leader = int(np.lexsort((runs, value))[-1])
        if (value[leader], runs[leader]) > best:
            best, found = (value[leader], runs[leader]), cuts[leader]
        going = np.flatnonzero(((runs + waiting[step]) * questions >= best[0]) & (questions > 0))
        cuts, runs = _distinct(cuts[going], runs[going])
        if not len(cuts):
            break
        if len(cuts) > most:  # those that keep the most cells if half of the runs to come can be kept
            ranked = np.argsort(-(runs + waiting[step] / 2) * _questions(cuts, widths), kind="stable")[:most]
            cuts, runs = cuts[ranked], runs[ranked]
    return found if best[0] else None


_MOST_STATES = 4096
_MOST_MARKS = 10**8  # of P × C, times the cuts kept: about a second


def _questions(cuts: Flags, widths: Array) -> Array:
    """Questions that each cut (S, C) keeps, 0 where some task keeps none."""
    sizes = cuts @ widths.T  # (S, T)
    return np.asarray(sizes.sum(axis=1) * (sizes > 0).all(axis=1))


def _best(cuts: Flags, rows: Flags, many: Positions, widths: Array) -> tuple[tuple[float, float], Flags]:
    """(cells, runs) of the best of some cuts, with all runs that have its questions, and the cut."""
    runs = np.array([many[(rows | ~cut).all(axis=1)].sum() for cut in cuts], dtype=float)
    value = runs * _questions(cuts, widths)
    leader = int(np.lexsort((runs, value))[-1])
    return (float(value[leader]), float(runs[leader])), cuts[leader]


def _peel(rows: Flags, many: Positions, widths: Array) -> Flags:
    """Two good cuts (2, C): what is left after the pattern with the largest share of gaps is taken away, of runs or
    of questions, until no gap is left; and the best cut that leaves out the runs with the most gaps.
    """
    width = widths.sum(axis=0)
    run_left, question_left = np.ones(len(rows), bool), np.ones(len(width), bool)
    run_gaps, question_gaps = ~rows @ width, many @ ~rows  # cells that are missing
    while run_gaps[run_left].any():
        run_share = np.where(run_left, run_gaps, -1) / max(1, width[question_left].sum())
        question_share = np.where(question_left, question_gaps, -1) / max(1, many[run_left].sum())
        i, j = int(np.argmax(run_share)), int(np.argmax(question_share))
        if run_share[i] >= question_share[j]:
            run_left[i] = False
            question_gaps = question_gaps - many[i] * ~rows[i]
        else:
            question_left[j] = False
            run_gaps = run_gaps - width[j] * ~rows[:, j]
    order = np.argsort(-(rows @ width), kind="stable")
    shared = np.logical_and.accumulate(rows[order], axis=0)
    cells = np.cumsum(many[order]) * _questions(shared, widths)
    return np.stack([question_left, shared[int(np.argmax(cells))]])


def _distinct(cuts: Flags, runs: Array) -> tuple[Flags, Array]:
    """Each set of questions once, with the most runs that keep it."""
    most: dict[bytes, int] = {}
    for i in np.argsort(runs, kind="stable"):
        most[cuts[i].tobytes()] = int(i)
    chosen = sorted(most.values())
    return cuts[chosen], runs[chosen]


def _sentence(runs: Sequence[str], present: Flags, kept: Positions, n_questions: int) -> str:
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
