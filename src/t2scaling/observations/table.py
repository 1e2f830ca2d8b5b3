"""`Observations`: a checked canonical table, split into the frame of runs and the frame of outcomes.

runs      one row per run and stage: run_id, stage, n_params, n_tokens, and what else is known of it
outcomes  one row per run, stage, task and question: nll, or n_samples and n_correct
Both are sorted, so that equal content gives equal files. `measurements` turns one task into arrays for a fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from t2scaling.artefacts import atomic_path
from t2scaling.errors import DataError
from t2scaling.observations.casts import canonical
from t2scaling.observations.checks import check
from t2scaling.observations.keys import row_keys
from t2scaling.observations.report import ImportReport
from t2scaling.observations.schema import (
    CONVENTIONS,
    KEYS,
    NLL_UNITS,
    OUTCOME_COLUMNS,
    RUN_COLUMNS,
    RUN_KEYS,
)
from t2scaling.units import format_number

if TYPE_CHECKING:
    from t2scaling.laws.measurements import Measurements
    from t2scaling.observations.samples import Samples

METADATA_KEY = "t2scaling.conventions"


@dataclass(frozen=True, repr=False)
class Observations:
    """Measurements of a suite of checkpoints: who was asked what, and how it went.

    runs         frame of runs, one row per (run_id, stage), sorted
    outcomes     frame of outcomes, one row per (task, run_id, stage, question_id), sorted
    conventions  what the numbers mean: {"n_params": how N was counted, "nll": "sum" or "mean_per_token", …}
    report       what was read, and what was left out and why
    """

    runs: pl.DataFrame
    outcomes: pl.DataFrame
    conventions: Mapping[str, str] = field(default_factory=lambda: dict(CONVENTIONS))
    report: ImportReport = field(default_factory=ImportReport)

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        conventions: Mapping[str, str] | None = None,
        report: ImportReport | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        where: str = "the table",
    ) -> Observations:
        """Check a table with the canonical columns and split it.

        conventions  overrides of the defaults in `schema.CONVENTIONS`
        columns      canonical name → name in `frame`, where they differ
        where        how an error calls the table
        Raises DataError for a table that cannot be used, naming the rows.
        """
        meant = {**CONVENTIONS, **(conventions or {})}
        check_nll_unit(meant["nll"], where)
        frame = canonical(frame, columns, where)
        keys = row_keys(frame)
        check(frame, where, keys)
        if not keys.is_sorted():
            frame = frame[keys.arg_sort()]
        present = [name for name in RUN_COLUMNS if name in frame.columns]
        measured = [name for name in OUTCOME_COLUMNS if name in frame.columns]
        runs = frame.select(*RUN_KEYS, *present).unique().sort("n_params", "n_tokens", *RUN_KEYS)
        outcomes = frame.select(*KEYS, *measured)
        return cls(runs, outcomes, meant, report or ImportReport())

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, sorted."""
        return tuple(self.outcomes["task"].unique().sort().to_list())

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Stages present, sorted: base, ft, sft."""
        return tuple(self.runs["stage"].unique().sort().to_list())

    def frame(self) -> pl.DataFrame:
        """The whole canonical table, one row per run, stage, task and question, sorted by task and run."""
        return self.outcomes.join(self.runs, on=list(RUN_KEYS), how="left", maintain_order="left")

    def measurements(
        self, task: str | None = None, stage: str = "base", kind: Literal["auto", "nll", "counts"] = "auto"
    ) -> Measurements:
        """Arrays of one task, or of the macro average over all tasks, with the runs sorted by (N, D).

        task   name of a task; "macro" for the mean over the tasks measured at that stage; None where there is one
               task only
        stage  base, ft or sft
        kind   which outcomes to take where a task has both; "auto" prefers nll
        Only questions that all runs share are kept, and a run that lacks so many that it would cost more than it
        brings is left out: `conventions["left_out"]` of the result says what. Raises DataError for an unknown task
        or stage, and where the runs share no question.
        """
        from t2scaling.observations.pivot import measurements

        return measurements(self, task, stage, kind)

    def samples(self, task: str | None = None, stage: str = "base") -> Samples:
        """What is told of single samples, on the runs and questions of `measurements(task, stage, "counts")`.

        Returns `Samples`: n and c, and per run and question wrong_counts, scores and correct where the table has them.
        Raises DataError as `measurements` does, and where the task has no counts.
        """
        from t2scaling.observations.pivot import cut
        from t2scaling.observations.samples import gather

        taken = cut(self, task, stage, "counts")
        return gather(taken.rows, taken.grids)

    def write(self, path: str | Path) -> Path:
        """Write the canonical Parquet (zstd, conventions in its metadata) in one step and return the path."""
        return write_frame(self.frame(), self.conventions, path)

    def __repr__(self) -> str:
        sizes, tokens = self.runs["n_params"], self.runs["n_tokens"]
        held = set(self.outcomes.columns)
        unit = " and ".join(
            text
            for name, text in (("nll", f"nll ({self.conventions['nll']})"), ("n_samples", "counts"))
            if name in held
        )
        return (
            f"Observations: {self.runs['run_id'].n_unique()} runs × {len(self.tasks)} "
            f"task{'s' * (len(self.tasks) != 1)}, {len(self.outcomes):,} outcomes ({unit})\n"
            f"  N {_span(sizes)} · D {_span(tokens)} · D/N {_span(tokens / sizes)} · stages {', '.join(self.stages)}\n"
            f"  tasks {', '.join(self.tasks[:8])}{', …' * (len(self.tasks) > 8)}"
        )


def _span(values: pl.Series) -> str:
    low, high = values.min(), values.max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return format_number(low) if low == high else f"{format_number(low)}–{format_number(high)}"


def write_frame(frame: pl.DataFrame | pl.LazyFrame, conventions: Mapping[str, str], path: str | Path) -> Path:
    """Write a canonical frame, or the result of a lazy one in streaming fashion, as Parquet with its conventions."""
    metadata = {METADATA_KEY: json.dumps(dict(conventions), sort_keys=True)}
    with atomic_path(path) as temporary:
        if isinstance(frame, pl.LazyFrame):
            frame.sink_parquet(temporary, compression="zstd", metadata=metadata)
        else:
            frame.write_parquet(temporary, compression="zstd", metadata=metadata)
    return Path(path)


def check_nll_unit(unit: str, where: str) -> None:
    """Raise DataError unless the unit of nll is a known one."""
    if unit not in NLL_UNITS:
        raise DataError(f"nll unit `{unit}` of {where} is not known: it is {' or '.join(NLL_UNITS)}.")


def read_conventions(path: str | Path) -> dict[str, str]:
    """Conventions stored in a Parquet file's metadata; empty where it says nothing."""
    stored = pl.read_parquet_metadata(path).get(METADATA_KEY)
    return dict(json.loads(stored)) if stored else {}
