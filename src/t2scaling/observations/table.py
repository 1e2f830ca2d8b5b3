"""`Observations`: a checked canonical table, split into the frame of runs and the outcomes.

runs      one row per run and stage: run_id, stage, n_params, n_tokens, and what else is known of it
outcomes  one row per run, stage, task and question: nll, or n_samples and n_correct
Both are sorted, so that equal content gives equal files. The outcomes are held with their names as numbers, about 24
bytes a row, and worked on lazily; `measurements` turns one task into arrays for a fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal

import polars as pl

from t2scaling.artefacts import atomic_path
from t2scaling.errors import DataError
from t2scaling.foreign import shown
from t2scaling.laws.measurements import Measurements
from t2scaling.observations import pivot
from t2scaling.observations.aliases import name_columns
from t2scaling.observations.assemble import assemble
from t2scaling.observations.keys import names_of
from t2scaling.observations.manifest import Manifest
from t2scaling.observations.parts import Part, agree, part_from_sheet
from t2scaling.observations.report import ImportReport, ReportBuilder
from t2scaling.observations.samples import Samples, gather
from t2scaling.observations.schema import CONVENTIONS, KEYS, METADATA_KEY, NLL_UNITS, RUN_KEYS
from t2scaling.observations.tabular import sheet_of
from t2scaling.units import format_number

ROW_GROUP = 250_000  # rows; a fixed number makes equal tables equal files


@dataclass(frozen=True, repr=False)
class Observations:
    """Measurements of a suite of checkpoints: who was asked what, and how it went.

    runs         frame of runs, one row per (run_id, stage), sorted
    lazy         lazy frame of outcomes, one row per (task, run_id, stage, question_id), sorted; names are categorical
    conventions  what the numbers mean: {"n_params": how N was counted, "nll": "sum" or "mean_per_token", …}
    report       what was read, and what was left out and why
    """

    runs: pl.DataFrame
    lazy: pl.LazyFrame
    conventions: Mapping[str, str] = field(default_factory=lambda: dict(CONVENTIONS))
    report: ImportReport = field(default_factory=ImportReport)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        conventions: Mapping[str, str] | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        where: str = "the table",
    ) -> Observations:
        """Check a table with the canonical columns and split it.

        frame        anything that `tabular.sheet_of` takes
        conventions  overrides of the defaults in `schema.CONVENTIONS`
        columns      canonical name → name in `frame`, where they differ
        where        how an error calls the table
        Raises DataError for a table that cannot be used, naming the rows.
        """
        report = ReportBuilder()
        sheet = sheet_of(frame, where)
        part = part_from_sheet(sheet, name_columns(sheet.columns, columns, where), report)
        part = replace(part, conventions={**part.conventions, **(conventions or {})})
        return cls.from_parts([part], report, where=where)

    @classmethod
    def from_parts(
        cls,
        parts: Sequence[Part],
        report: ReportBuilder,
        manifest: Manifest | None = None,
        overrides: Mapping[str, str] | None = None,
        where: str = "the table",
    ) -> Observations:
        """One table of several parts, checked.

        manifest   adds what is not known of the runs
        overrides  conventions that the user gives
        Raises DataError for a table that cannot be used.
        """
        given = dict(overrides or {})
        meant = agree(parts, given, report)
        runs, outcomes, told = assemble(parts, manifest or Manifest(()), where, report)
        meant.update({name: value for name, value in told.items() if name not in given})
        check_nll_unit(meant["nll"], where)
        return cls(runs, outcomes.lazy(), meant, report.build())

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """The outcomes as a frame, names as text."""
        return self.lazy.with_columns(pl.col(KEYS).cast(pl.String)).collect()

    @cached_property
    def n_outcomes(self) -> int:
        """Rows of outcomes."""
        return int(self.lazy.select(pl.len()).collect().item())

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, sorted."""
        return tuple(names_of(self.lazy.select("task").unique().collect()["task"]))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Stages present, sorted: base, ft, sft."""
        return tuple(self.runs["stage"].unique().sort().to_list())

    def frame(self) -> pl.DataFrame:
        """The whole canonical table, one row per run, stage, task and question, sorted by task and run."""
        return self._whole().collect()

    def _whole(self) -> pl.LazyFrame:
        named = self.lazy.with_columns(pl.col(KEYS).cast(pl.String))
        return named.join(self.runs.lazy(), on=list(RUN_KEYS), how="left", maintain_order="left")

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
        return pivot.measurements(pivot.cut(self.runs, self.lazy, task, stage, kind), self.conventions)

    def samples(self, task: str | None = None, stage: str = "base") -> Samples:
        """What is told of single samples, on the runs and questions of `measurements(task, stage, "counts")`.

        Returns `Samples`: n and c, and per run and question wrong_counts, scores and correct where the table has them.
        Raises DataError as `measurements` does, and where the task has no counts.
        """
        return gather(pivot.cut(self.runs, self.lazy, task, stage, "counts"))

    def write(self, path: str | Path) -> Path:
        """Write the canonical Parquet (zstd, conventions in its metadata) in one step and return the path."""
        return write_frame(self._whole(), self.conventions, path)

    def __repr__(self) -> str:
        sizes, tokens = self.runs["n_params"], self.runs["n_tokens"]
        held = self.lazy.collect_schema()
        unit = " and ".join(
            text
            for name, text in (("nll", f"nll ({self.conventions['nll']})"), ("n_samples", "counts"))
            if name in held
        )
        return (
            f"Observations: {self.runs['run_id'].n_unique()} runs × {len(self.tasks)} "
            f"task{'s' * (len(self.tasks) != 1)}, {self.n_outcomes:,} outcomes ({unit})\n"
            f"  N {_span(sizes)} · D {_span(tokens)} · D/N {_span(tokens / sizes)} · stages {', '.join(self.stages)}\n"
            f"  tasks {', '.join(self.tasks[:8])}{', …' * (len(self.tasks) > 8)}"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def _span(values: pl.Series) -> str:
    low, high = values.min(), values.max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return format_number(low) if low == high else f"{format_number(low)}–{format_number(high)}"


def write_frame(frame: pl.DataFrame | pl.LazyFrame, conventions: Mapping[str, str], path: str | Path) -> Path:
    """Write a canonical frame as Parquet with its conventions, some rows at a time."""
    metadata = {METADATA_KEY: json.dumps(dict(conventions), sort_keys=True)}
    with atomic_path(path) as temporary:
        frame.lazy().sink_parquet(temporary, compression="zstd", metadata=metadata, row_group_size=ROW_GROUP)
    return Path(path)


def check_nll_unit(unit: str, where: str) -> None:
    """Raise DataError unless the unit of nll is a known one."""
    if unit not in NLL_UNITS:
        raise DataError(f"nll unit `{shown(unit, 40)}` of {where} is not known: it is {' or '.join(NLL_UNITS)}.")
