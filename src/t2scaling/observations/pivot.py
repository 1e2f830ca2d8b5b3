"""From outcomes to arrays: R runs × Q questions, over the questions that all runs share.

`cut` chooses tasks, stage and kind of outcome, pivots each task into a `Grid`, and keeps what `shared.select` selects;
`measurements` puts the grids side by side. One task is in memory at a time besides its arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.costs import train_flops
from t2scaling.errors import DataError
from t2scaling.laws.measurements import Measurements
from t2scaling.observations.keys import names_of, positions
from t2scaling.observations.schema import nearest
from t2scaling.observations.shared import select

MACRO = "macro"
Outcome = Literal["auto", "nll", "counts"]
Kind = Literal["nll", "counts"]
VALUE_COLUMNS: dict[Kind, tuple[str, ...]] = {"nll": ("nll",), "counts": ("n_samples", "n_correct")}
KIND_NAMES: dict[Kind, str] = {"nll": "nll", "counts": "n_samples and n_correct"}


@dataclass(frozen=True)
class Grid:
    """The outcomes of one task as arrays over runs and questions.

    runs       R run names, in the order of the axis
    questions  Q question names
    values     column → float array (R, Q), NaN in a gap
    """

    task: str
    runs: tuple[str, ...]
    questions: tuple[str, ...]
    values: dict[str, Array]

    @property
    def present(self) -> Flags:
        """True where a run has the question, shape (R, Q)."""
        return ~np.isnan(next(iter(self.values.values())))

    def take(self, runs: Positions, questions: Positions) -> Grid:
        """The grid of some runs and questions, by position."""
        return Grid(
            self.task,
            tuple(self.runs[i] for i in runs),
            tuple(self.questions[j] for j in questions),
            {name: value[np.ix_(runs, questions)] for name, value in self.values.items()},
        )


@dataclass(frozen=True)
class Cut:
    """What a fit takes of a table: full grids over the same runs, one per task, and where they come from.

    rows      outcomes of the stage and the tasks
    runs      facts of the runs at the stage
    label     the task's name, or "macro"
    left_out  what is not in the grids, in words
    """

    rows: pl.LazyFrame
    runs: pl.DataFrame
    grids: list[Grid]
    label: str
    left_out: str


def cut(runs: pl.DataFrame, outcomes: pl.LazyFrame, task: str | None, stage: str, kind: Outcome) -> Cut:
    """Choose tasks, stage and kind of outcome, and the cells that all runs have.

    outcomes   names categorical
    """
    tasks = choose_tasks(names_of(outcomes.select("task").unique().collect()["task"]), task)
    runs = stage_runs(runs, stage)
    rows = outcomes.filter(pl.col("stage") == stage, pl.col("task").is_in(tasks))
    held = count_outcomes(rows)
    tasks = at_stage(tasks, held, task)
    chosen = choose_kind(tasks, held, kind)
    names = tuple(runs["run_id"])
    grids = [grid(rows, name, names, VALUE_COLUMNS[chosen]) for name in tasks]
    kept = select(tasks, names, [found.present for found in grids])
    if kept.left_out:
        grids = [found.take(kept.runs, questions) for found, questions in zip(grids, kept.questions, strict=True)]
    return Cut(rows, runs, grids, MACRO if task == MACRO else tasks[0], kept.left_out)


def measurements(cut: Cut, conventions: Mapping[str, str]) -> Measurements:
    """The arrays behind `Observations.measurements`, which documents them."""
    left_out = {"left_out": cut.left_out} if cut.left_out else {}
    grids = cut.grids
    facts = cut.runs.join(pl.DataFrame({"run_id": grids[0].runs}), on="run_id", how="semi", maintain_order="left")
    N, D = facts["n_params"].to_numpy(), facts["n_tokens"].to_numpy()
    sizes = [len(found.questions) for found in grids]
    values = {name: _beside([found.values[name] for found in grids]) for name in grids[0].values}
    return Measurements(
        task=cut.label,
        run_id=grids[0].runs,
        N=N,
        D=D,
        question_weight=np.repeat([1 / (len(grids) * size) for size in sizes], sizes),
        nll=values.get("nll"),
        n=values.get("n_samples"),
        c=values.get("n_correct"),
        train_flops=_flops(facts, N, D),
        overtrained=facts["overtrained"].fill_null(False).to_numpy() if "overtrained" in facts.columns else None,
        conventions={**conventions, **left_out},
        data_hash=digest(grids, N, D),
        question_group=np.repeat(np.arange(len(grids)), sizes) if len(grids) > 1 else None,
        chance=chances(cut.rows, grids),
    )


def _beside(tables: Sequence[Array]) -> Array:
    return tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)


def chances(rows: pl.LazyFrame, grids: Sequence[Grid]) -> Array | None:
    """The chance of each question of the grids, side by side; None where no row states one.

    Raises DataError where two rows of a question state different ones.
    """
    if "chance" not in rows.collect_schema():
        return None
    stated = rows.filter(pl.col("chance").is_not_null()).group_by("task", "question_id")
    spread = stated.agg(pl.col("chance").min(), pl.col("chance").max().alias("most")).collect()
    if spread.is_empty():
        return None
    torn = spread.filter(pl.col("most") - pl.col("chance") > 1e-9).sort("task", "question_id")
    if len(torn):
        task, question, least, most = torn.row(0)
        raise DataError(
            f"question `{question}` of task `{task}` has two values of `chance`: {least:.6g} and {most:.6g}. It "
            "belongs to the question, and is the same for every run."
        )
    known = {(task, question): chance for task, question, chance, _ in spread.iter_rows()}
    return np.array([known.get((found.task, name), np.nan) for found in grids for name in found.questions])


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


def at_stage(tasks: list[str], held: pl.DataFrame, task: str | None) -> list[str]:
    """The tasks of a macro average that were measured at the stage; `tasks` themselves where one was asked for."""
    return [name for name in tasks if name in held["task"]] or tasks if task == MACRO else tasks


def stage_runs(runs: pl.DataFrame, stage: str) -> pl.DataFrame:
    """Runs at one stage, sorted by (N, D). Raises DataError where there are none."""
    chosen = runs.filter(pl.col("stage") == stage).sort("n_params", "n_tokens", "run_id")
    if chosen.is_empty():
        stages = runs["stage"].unique().sort().to_list()
        raise DataError(f"no run at stage `{stage}`: the table has {_list(stages)}. Say which with `stage` (--stage).")
    return chosen


def count_outcomes(rows: pl.LazyFrame) -> pl.DataFrame:
    """Rows per task, in all and with each kind of outcome: task, rows, nll, counts."""
    have = set(rows.collect_schema().names())
    counts = [
        (pl.col(columns[0]).count() if set(columns) <= have else pl.lit(0, pl.UInt32)).alias(kind)
        for kind, columns in VALUE_COLUMNS.items()
    ]
    return rows.group_by("task").agg(pl.len().alias("rows"), *counts).sort("task").collect(engine="streaming")


def choose_kind(tasks: Sequence[str], held: pl.DataFrame, kind: Outcome) -> Kind:
    """Which outcome all of these tasks have. Raises DataError where they have none in common, or not the wanted one.

    held  rows per task and kind of outcome, as `count_outcomes` gives them
    """
    absent = [task for task in tasks if task not in held["task"]]
    if absent:
        raise DataError(f"no run was measured on {_list(absent)} at this stage: choose another task or stage.")
    if kind != "auto":
        lacking = held.filter(pl.col(kind) == 0)["task"].to_list()
        if lacking:
            raise DataError(
                f"`kind` is {kind}, but {_list(lacking)} hold no {KIND_NAMES[kind]}. Choose the other kind."
            )
        return kind
    complete = [name for name in VALUE_COLUMNS if (held[name] == held["rows"]).all()]
    if complete:
        return complete[0]
    raise DataError(
        f"some of the tasks {_list(tasks)} hold nll and others counts, which cannot be averaged: choose tasks of one "
        "kind, or fit them one by one."
    )


def grid(rows: pl.LazyFrame, task: str, runs: Sequence[str], columns: Sequence[str]) -> Grid:
    """Pivot the rows of one task over `runs` and the questions of which any of them has an outcome."""
    held = rows.filter(pl.col("task") == task, pl.col(columns[0]).is_not_null())
    frame = held.select("run_id", "question_id", *columns).collect()
    questions = tuple(names_of(frame["question_id"]))
    i, j = positions(frame["run_id"], runs), positions(frame["question_id"], questions)
    values = {}
    for name in columns:
        values[name] = np.full((len(runs), len(questions)), np.nan)
        values[name][i, j] = frame[name].to_numpy()
    return Grid(task, tuple(runs), questions, values)


def _flops(facts: pl.DataFrame, N: Array, D: Array) -> Array:
    counted = train_flops(N, D)
    if "train_flops" not in facts.columns:
        return counted
    stated = facts["train_flops"].to_numpy()
    return np.where(np.isnan(stated), counted, stated)


def digest(grids: Sequence[Grid], N: Array, D: Array) -> str:
    """SHA-256 of names, N, D and values: equal for equal content, whatever the file and the order of its rows."""
    sha = hashlib.sha256()
    for names in (grids[0].runs, *((found.task, *found.questions) for found in grids)):
        sha.update("\x1f".join(names).encode() + b"\x1e")
    for array in (N, D):
        sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    for found in grids:
        for table in found.values.values():
            for row in table:
                sha.update(hashlib.sha256(row.astype("<f8").tobytes()).digest())
    return sha.hexdigest()


def _list(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(f"`{name}`" for name in list(names)[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
