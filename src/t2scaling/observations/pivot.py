"""From the frame of outcomes to arrays: R runs × Q questions, over the questions that all runs share.

A missing cell would let two runs be judged on different questions, so cells must all be there. Where some are not,
`shared` chooses which runs and questions to keep: it leaves out the runs with the most gaps one by one, and takes
the cut that keeps the most cells. One run with a quarter of the questions is thus dropped for the sake of the
others, and one question that half of the runs never saw is dropped for the sake of the runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from t2scaling.errors import DataError
from t2scaling.laws.measurements import Measurements
from t2scaling.observations.schema import nearest

if TYPE_CHECKING:
    from t2scaling.observations.table import Observations

MACRO = "macro"
Outcome = Literal["auto", "nll", "counts"]
VALUE_COLUMNS = {"nll": ("nll",), "counts": ("n_samples", "n_correct")}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """The outcomes of one task as arrays over all its runs and questions, gaps included.

    runs       R run names, in the order of the axis
    questions  Q question names
    values     column → float array (R, Q), NaN in a gap
    """

    task: str
    runs: tuple[str, ...]
    questions: tuple[str, ...]
    values: dict[str, Array]

    @property
    def present(self) -> NDArray[np.bool_]:
        """True where a run has the question, shape (R, Q)."""
        return ~np.isnan(next(iter(self.values.values())))

    def take(self, runs: NDArray[np.intp], questions: NDArray[np.intp]) -> Grid:
        """The grid of some runs and questions, by position."""
        return Grid(
            self.task,
            tuple(self.runs[i] for i in runs),
            tuple(self.questions[j] for j in questions),
            {name: value[np.ix_(runs, questions)] for name, value in self.values.items()},
        )


def measurements(observations: Observations, task: str | None, stage: str, kind: Outcome) -> Measurements:
    """The arrays behind `Observations.measurements`, which documents them."""
    tasks = choose_tasks(observations.tasks, task)
    runs = stage_runs(observations.runs, stage)
    rows = observations.outcomes.filter(pl.col("stage") == stage)
    chosen = choose_kind(rows, tasks, kind)
    grids = [grid(rows.filter(pl.col("task") == name), name, runs["run_id"], VALUE_COLUMNS[chosen]) for name in tasks]
    for found in grids:
        if not found.questions:
            raise DataError(f"task `{found.task}` has no {_outcomes(chosen)} at stage `{stage}`: choose another stage.")
    kept, left_out = shared(grids)
    return assemble(kept, runs, MACRO if task == MACRO else tasks[0], observations.conventions, left_out)


def choose_tasks(tasks: Sequence[str], task: str | None) -> list[str]:
    """The task names to take. Raises DataError for an unknown name, and for None where there are several."""
    if task == MACRO and MACRO not in tasks:
        return list(tasks)
    if task is None:
        if len(tasks) == 1:
            return list(tasks)
        raise DataError(
            f"the table has {len(tasks)} tasks: {_list(tasks)}. Say which one with `task` (--task NAME), or "
            "`macro` for the average over all of them."
        )
    if task not in tasks:
        raise DataError(f"no task `{task}`{nearest(task, tasks)}: the table has {_list(tasks)}, and `macro` for all.")
    return [task]


def stage_runs(runs: pl.DataFrame, stage: str) -> pl.DataFrame:
    """Runs at one stage, sorted by (N, D). Raises DataError where there are none."""
    chosen = runs.filter(pl.col("stage") == stage).sort("n_params", "n_tokens", "run_id")
    if chosen.is_empty():
        stages = runs["stage"].unique().sort().to_list()
        raise DataError(f"no run at stage `{stage}`: the table has {_list(stages)}. Say which with `stage` (--stage).")
    return chosen


def choose_kind(rows: pl.DataFrame, tasks: Sequence[str], kind: Outcome) -> Literal["nll", "counts"]:
    """Which outcome all of these tasks have. Raises DataError where they have none in common."""
    rows = rows.filter(pl.col("task").is_in(list(tasks)))
    count = {
        name: rows[columns[0]].count() if set(columns) <= set(rows.columns) else 0
        for name, columns in VALUE_COLUMNS.items()
    }
    if kind != "auto":
        if not count[kind]:
            raise DataError(
                f"`kind` is {kind}, but {_list(tasks)} hold {_outcomes('nll' if kind == 'counts' else 'counts')}."
            )
        return kind
    if count["nll"] == len(rows):
        return "nll"
    if count["counts"] == len(rows):
        return "counts"
    raise DataError(
        f"some of the tasks {_list(tasks)} hold nll and others counts, which cannot be averaged: "
        "choose tasks of one kind, or fit them one by one."
    )


def grid(rows: pl.DataFrame, task: str, runs: pl.Series, columns: Sequence[str]) -> Grid:
    """Pivot the rows of one task; `runs` gives the order of the first axis, names give that of the second."""
    rows = rows.filter(pl.col(columns[0]).is_not_null())
    questions = rows["question_id"].unique().sort()
    i = rows["run_id"].cast(pl.Enum(runs)).to_physical().to_numpy()
    j = rows["question_id"].cast(pl.Enum(questions)).to_physical().to_numpy()
    values = {}
    for name in columns:
        values[name] = np.full((len(runs), len(questions)), np.nan)
        values[name][i, j] = rows[name].cast(pl.Float64).to_numpy()
    return Grid(task, tuple(runs), tuple(questions), values)


def shared(grids: Sequence[Grid]) -> tuple[list[Grid], str]:
    """Grids without gaps, over the same runs, and a sentence on what was left out (empty where nothing was).

    Raises DataError where the runs share no question.
    """
    present = np.concatenate([found.present for found in grids], axis=1)
    if present.all():
        return list(grids), ""
    keep_runs, keep_questions = largest_full_block(present, np.cumsum([0] + [len(found.questions) for found in grids]))
    if not len(keep_runs):
        raise DataError(
            f"the runs share no question of {_list([found.task for found in grids])}: "
            f"{len(grids[0].runs)} runs, {present.shape[1]:,} questions, {1 - present.mean():.0%} of cells empty. "
            "Are the question_ids of different runs of the same kind?"
        )
    sentence = _left_out(grids, present, keep_runs, keep_questions)
    kept, start = [], 0
    for found in grids:
        stop = start + len(found.questions)
        inside = keep_questions[(keep_questions >= start) & (keep_questions < stop)] - start
        kept.append(found.take(keep_runs, inside))
        start = stop
    return kept, sentence


def largest_full_block(
    present: NDArray[np.bool_], bounds: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
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


def _left_out(
    grids: Sequence[Grid], present: NDArray[np.bool_], runs: NDArray[np.intp], questions: NDArray[np.intp]
) -> str:
    R, Q = present.shape
    parts = []
    dropped = np.setdiff1d(np.arange(R), runs)
    if len(dropped):
        named = [f"{grids[0].runs[i]} ({int(present[i].sum()):,} of {Q:,} questions)" for i in dropped[:5]]
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        parts.append(f"{len(dropped)} of {R} runs, which lack too many questions: {', '.join(named)}{more}")
    if len(questions) < Q:
        parts.append(f"{Q - len(questions):,} of {Q:,} questions, which not all of the other runs have")
    return "; ".join(parts)


def assemble(
    grids: Sequence[Grid], runs: pl.DataFrame, task: str, conventions: Mapping[str, str], left_out: str
) -> Measurements:
    """`Measurements` from full grids over the same runs: questions side by side, 1/T of the weight to each task."""
    facts = runs.join(pl.DataFrame({"run_id": grids[0].runs}), on="run_id", how="semi", maintain_order="left")
    N, D = facts["n_params"].to_numpy(), facts["n_tokens"].to_numpy()
    weight = np.concatenate([np.full(len(g.questions), 1 / (len(grids) * len(g.questions))) for g in grids])
    values = {name: np.concatenate([g.values[name] for g in grids], axis=1) for name in grids[0].values}
    meant = {**conventions, **({"left_out": left_out} if left_out else {})}
    return Measurements(
        task=task,
        run_id=grids[0].runs,
        N=N,
        D=D,
        question_weight=weight,
        nll=values.get("nll"),
        n=values.get("n_samples"),
        c=values.get("n_correct"),
        train_flops=_flops(facts, N, D),
        overtrained=facts["overtrained"].fill_null(False).to_numpy() if "overtrained" in facts.columns else None,
        conventions=meant,
        data_hash=digest(grids, N, D),
    )


def _flops(facts: pl.DataFrame, N: Array, D: Array) -> Array:
    counted = 6.0 * N * D
    if "train_flops" not in facts.columns:
        return counted
    stated = facts["train_flops"].cast(pl.Float64).to_numpy()
    return np.where(np.isnan(stated), counted, stated)


def digest(grids: Sequence[Grid], N: Array, D: Array) -> str:
    """SHA-256 of names, N, D and values: equal for equal content, whatever the file and its row order."""
    sha = hashlib.sha256()
    for found in grids:
        for names in ((found.task,), found.runs, found.questions):
            sha.update("\x1f".join(names).encode() + b"\x1e")
    for array in (N, D, *(value for found in grids for value in found.values.values())):
        sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return sha.hexdigest()


def _outcomes(kind: str) -> str:
    return "nll" if kind == "nll" else "n_samples and n_correct"


def _list(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(f"`{name}`" for name in list(names)[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
