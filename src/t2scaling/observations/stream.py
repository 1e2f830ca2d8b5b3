"""From a canonical Parquet that does not fit into memory to `Curves`: some runs at a time.

Two passes. The first finds the runs, their facts and which questions they share, with polars' streaming engine. The
second takes as many whole runs as fit, checks and pivots them as `pivot` does, averages over questions, and forgets
them. What remains is one row of means per run, and the same hash that the whole table would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from t2scaling.errors import DataError
from t2scaling.laws.curves import curves
from t2scaling.laws.fit import default_k
from t2scaling.laws.measurements import Curves, Target
from t2scaling.observations.casts import canonical, cast
from t2scaling.observations.checks import check, check_runs
from t2scaling.observations.pivot import (
    MACRO,
    VALUE_COLUMNS,
    Grid,
    Kind,
    Outcome,
    assemble,
    at_stage,
    choose_kind,
    choose_tasks,
    count_outcomes,
    describe,
    digest,
    grid,
    stage_runs,
)
from t2scaling.observations.schema import BY_NAME, CONVENTIONS, RUN_COLUMNS, RUN_KEYS, require_columns
from t2scaling.observations.shared import Selection, select
from t2scaling.observations.table import check_nll_unit, read_conventions

Names = Sequence[str]
ROWS_AT_ONCE = 2_000_000
# Rows from which `is_large` says that a table is better streamed.
LARGE_ROWS = 20_000_000


def is_large(path: str | Path, rows: int = LARGE_ROWS) -> bool:
    """True for a Parquet file of more than `rows` rows, by its footer alone; False for anything else."""
    path = Path(path)
    if path.suffix.lower() not in (".parquet", ".pq") or not path.is_file():
        return False
    try:
        return bool(pl.scan_parquet(path).select(pl.len()).collect().item() > rows)
    except pl.exceptions.PolarsError:
        return False  # reading it will say what is wrong


@dataclass(frozen=True)
class LargeTable:
    """A canonical Parquet file that stays on disk.

    path          the file, best sorted by task and run as `t2 import` writes it
    rows_at_once  rows held in memory at a time
    nll_unit      "sum" or "mean_per_token", where the file does not say it
    """

    path: Path
    rows_at_once: int = ROWS_AT_ONCE
    nll_unit: str | None = None

    @cached_property
    def conventions(self) -> dict[str, str]:
        """What the numbers mean, as the file states it."""
        given = {} if self.nll_unit is None else {"nll": self.nll_unit}
        meant = {**CONVENTIONS, **read_conventions(self.path), **given}
        check_nll_unit(meant["nll"], f"`{self.path}`")
        return meant

    @cached_property
    def runs(self) -> pl.DataFrame:
        """One row per run and stage, with the run columns. Raises DataError as reading the table would."""
        lazy = self._scan()
        present = [name for name in RUN_COLUMNS if name in lazy.collect_schema().names()]
        facts = lazy.select(*RUN_KEYS, *present).unique().collect(engine="streaming")
        facts = pl.DataFrame([cast(facts[name], BY_NAME[name], f"`{self.path}`") for name in (*RUN_KEYS, *present)])
        if facts.is_empty():
            raise DataError(f"`{self.path}` has no rows: there is nothing to fit.")
        check_runs(facts, f"`{self.path}`")
        return facts.sort("n_params", "n_tokens", *RUN_KEYS)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, sorted."""
        found = self._scan().select(pl.col("task").unique()).collect(engine="streaming")
        return tuple(found["task"].drop_nulls().sort())

    def curves(
        self,
        task: str | None,
        k: Any = None,
        target: Target | Literal["auto"] = "auto",
        stage: str = "base",
        kind: Outcome = "auto",
        inference_flops: float | None = None,
    ) -> Curves:
        """Means over questions per run and k, exactly as `Observations.measurements` and then `curves` give them.

        k   samples per problem; None for `laws.default_k` at `inference_flops` per token served
        Raises DataError for what they refuse too.
        """
        runs = stage_runs(self.runs, stage)
        tasks = choose_tasks(self.tasks, task)
        lazy = self._scan().filter(pl.col("stage") == stage, pl.col("task").is_in(tasks))
        held = count_outcomes(lazy)
        tasks = at_stage(tasks, held, task)
        chosen = choose_kind(tasks, held, kind)
        questions = [self._questions(lazy, name, chosen) for name in tasks]
        selection = self._select(lazy, tasks, runs, questions, chosen)
        kept = runs[selection.runs.tolist()]
        wanted = [
            [names[j] for j in chosen_ones] for names, chosen_ones in zip(questions, selection.questions, strict=True)
        ]
        if k is None:
            k = default_k(kept["n_params"].to_numpy(), inference_flops, self._most_samples(lazy, kept, chosen))
        label, meant = MACRO if task == MACRO else tasks[0], describe(self.conventions, selection.left_out)
        pieces: dict[str, Piece] = {}
        for grids in self._batches(lazy, tasks, kept, wanted, chosen):
            part = curves(assemble(grids, kept, label, meant), k, target)
            rows = [column for found in grids for column in found.row_digests()]
            pieces.update({run: Piece(part, i, [row[i] for row in rows]) for i, run in enumerate(part.run_id)})
        return _join([pieces[run] for run in kept["run_id"]], list(zip(tasks, wanted, strict=True)))

    def _scan(self) -> pl.LazyFrame:
        lazy = pl.scan_parquet(self.path)
        names = lazy.collect_schema().names()
        require_columns(names, f"`{self.path}`")
        stage = pl.col("stage").cast(pl.String).fill_null("base") if "stage" in names else pl.lit("base").alias("stage")
        return lazy.with_columns(stage, pl.col("run_id", "task", "question_id").cast(pl.String))

    def _most_samples(self, lazy: pl.LazyFrame, runs: pl.DataFrame, kind: Kind) -> float:
        """The largest k that at least half of the runs can tell of, as `laws.curves.most_samples` says for arrays."""
        if kind == "nll":
            return np.inf
        fewest = lazy.group_by("run_id").agg(pl.col("n_samples").min()).collect(engine="streaming")
        return float(np.median(runs.join(fewest, on="run_id")["n_samples"].to_numpy()))

    def _questions(self, lazy: pl.LazyFrame, task: str, kind: Kind) -> tuple[str, ...]:
        rows = lazy.filter(pl.col("task") == task, pl.col(VALUE_COLUMNS[kind][0]).is_not_null())
        found = rows.select(pl.col("question_id").unique()).collect(engine="streaming")
        return tuple(found["question_id"].sort())

    def _select(
        self,
        lazy: pl.LazyFrame,
        tasks: Sequence[str],
        runs: pl.DataFrame,
        questions: Sequence[Sequence[str]],
        kind: Kind,
    ) -> Selection:
        """The cells to keep; where row counts show that no cell is missing, without a look at every cell."""
        cells = len(runs) * sum(len(names) for names in questions)
        held = lazy.filter(pl.col(VALUE_COLUMNS[kind][0]).is_not_null()).select(pl.len()).collect(engine="streaming")
        if held.item() == cells:
            return select(tasks, tuple(runs["run_id"]), [np.ones((len(runs), len(names)), bool) for names in questions])
        position = {run: i for i, run in enumerate(runs["run_id"])}
        present = [np.zeros((len(runs), len(names)), bool) for names in questions]
        for grids in self._batches(lazy, tasks, runs, questions, kind):
            for cell, found in zip(present, grids, strict=True):
                cell[[position[run] for run in found.runs]] = found.present
        return select(tasks, tuple(runs["run_id"]), present)

    def _batches(
        self, lazy: pl.LazyFrame, tasks: Sequence[str], runs: pl.DataFrame, questions: Sequence[Names], kind: Kind
    ) -> Iterator[list[Grid]]:
        """Grids of all tasks for as many runs at a time as `rows_at_once` allows, checked."""
        counts = lazy.group_by("run_id").len().collect(engine="streaming")
        sizes = runs.join(counts, on="run_id", how="left", maintain_order="left").sort("run_id")
        batch = (sizes["len"].fill_null(0).cum_sum() - 1) // self.rows_at_once
        for _, part in sizes.group_by(batch, maintain_order=True):
            names = part["run_id"].to_list()
            rows = lazy.filter(
                pl.col("run_id").is_between(pl.lit(names[0]), pl.lit(names[-1])), pl.col("run_id").is_in(names)
            )
            frame = canonical(rows.collect(engine="streaming"), where=f"`{self.path}`")
            check(frame, f"`{self.path}`")
            ordered = [run for run in runs["run_id"] if run in set(names)]
            yield [
                grid(frame.filter(pl.col("task") == task), task, ordered, list(ids), VALUE_COLUMNS[kind])
                for task, ids in zip(tasks, questions, strict=True)
            ]


@dataclass(frozen=True)
class Piece:
    """One run within the curves of its batch.

    row      its row in `curves`
    digests  SHA-256 of its outcomes, for every task and column in order
    """

    curves: Curves
    row: int
    digests: list[bytes]


def _join(pieces: Sequence[Piece], tasks: Sequence[tuple[str, Sequence[str]]]) -> Curves:
    """One `Curves` from those of the batches, in the order of the pieces.

    tasks  the tasks with their questions, for the hash
    """
    first = pieces[0].curves
    names = tuple(piece.curves.run_id[piece.row] for piece in pieces)

    def rows(field: str) -> Any:
        if getattr(first, field) is None:
            return None
        return np.array([getattr(piece.curves, field)[piece.row] for piece in pieces])

    stacked = {field: rows(field) for field in ("N", "D", "value", "pass_at_k", "se", "train_flops", "overtrained")}
    digests = [list(column) for column in zip(*(piece.digests for piece in pieces), strict=True)]
    width = len(digests) // len(tasks)  # columns per task
    content = [(*task, digests[t * width : (t + 1) * width]) for t, task in enumerate(tasks)]
    return replace(first, run_id=names, data_hash=digest(names, stacked["N"], stacked["D"], content), **stacked)


def stream_curves(
    path: str | Path,
    task: str | None,
    k: Any = None,
    target: Target | Literal["auto"] = "auto",
    *,
    stage: str = "base",
    kind: Outcome = "auto",
    inference_flops: float | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
    nll_unit: str | None = None,
) -> Curves:
    """Means over questions per run and k of a canonical Parquet, a bounded number of rows in memory at a time.

    task    name of a task; "macro" for the mean over tasks; None where there is one task only
    k       samples per problem, as `laws.curves` takes them; None for `laws.default_k` at `inference_flops`
    target  "mean_neg_log", "neg_log_mean" or "auto"
    nll_unit  "sum" or "mean_per_token", where the file does not say it
    Equal to `curves(read(path).measurements(task, stage), k, target)`, hash included. Raises DataError for a table
    that cannot be used.
    """
    return LargeTable(Path(path), rows_at_once, nll_unit).curves(task, k, target, stage, kind, inference_flops)
