"""What a study would do, before it does it: the jobs that are missing, their FLOPs, and the time they take.

The time is that of one thread of a server core per run, corrected by the pace of the runs that are done already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from t2scaling.foreign import read_json
from t2scaling.testbed.study.jobs import Study, cell_done, make_jobs, train_seconds
from t2scaling.testbed.study.starters.places import places
from t2scaling.testbed.study.status import duration
from t2scaling.units import format_flops, format_number, format_ratio

if TYPE_CHECKING:
    from t2scaling.testbed.suite import Cell


@dataclass(frozen=True)
class Outline:
    """The plan of a study.

    cells      the suite's cells with True where nothing is left to do
    n_jobs     jobs that would be started
    n_tunings  post-training runs among all that the study wants
    flops      training FLOPs of the cells that are not done
    n_workers  jobs at once
    seconds    expected time of all jobs; None on GPUs before a run is done
    """

    study: Study
    cells: tuple[tuple[Cell, bool], ...]
    n_jobs: int
    n_tunings: int
    flops: float
    n_workers: int
    seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        rows = [
            {
                "run_id": cell.run_id,
                "n_params": cell.n_params,
                "n_tokens": cell.n_tokens,
                "train_flops": cell.train_flops,
                "overtrained": cell.overtrained,
                "done": done,
            }
            for cell, done in self.cells
        ]
        return {
            "name": self.study.config.name,
            "folder": str(self.study.layout.root),
            "cells": rows,
            "n_jobs": self.n_jobs,
            "n_tunings": self.n_tunings,
            "train_flops": self.flops,
            "n_workers": self.n_workers,
            "seconds": self.seconds,
        }

    def tables(self) -> list[Any]:
        """A table of the cells and a sentence, for people."""
        from rich.table import Table

        shown = Table("run", "N", "D", "D/N", "FLOPs", "", box=None, pad_edge=False)
        for cell, done in self.cells:
            marks = " ".join(mark for mark, here in (("overtrained", cell.overtrained), ("done", done)) if here)
            ratio = format_ratio(cell.tokens_per_param)
            sizes = format_number(cell.n_params), format_number(cell.n_tokens)
            shown.add_row(cell.run_id, *sizes, ratio, format_flops(cell.train_flops), marks)
        return [shown, self.sentence()]

    def sentence(self) -> str:
        """What would be done, and how long it takes where that is known."""
        todo = sum(not done for _, done in self.cells)
        time = "time unknown until a run is done" if self.seconds is None else f"about {duration(self.seconds)}"
        return (
            f"{todo} of {len(self.cells)} cells and {self.n_tunings} post-training runs in {self.n_jobs} jobs, "
            f"{self.n_workers} at a time: {format_flops(self.flops)} training FLOPs, {time}."
        )


def describe(study: Study) -> Outline:
    """What `study` would do now. Starts and writes nothing."""
    cells = tuple((cell, cell_done(study, cell.run_id)) for cell in study.suite.cells)
    jobs = [job for job in make_jobs(study) if not job.done]
    here = places(study.config.jobs, study.config.device)
    n_workers = len(here)
    flops = sum(cell.train_flops for cell, _ in cells if not study.layout.trained(cell.run_id))
    tunings = sum(job.function.endswith(":tune") for job in jobs)
    pace = _pace(study) or (1.0 if not here[0].gpu else None)
    expected = [job.cost for job in jobs]
    # No faster than the work shared out evenly, nor than the longest job by itself.
    seconds = None if pace is None else pace * max(sum(expected) / n_workers, *expected, 0.0)
    return Outline(study, cells, len(jobs), tunings, flops, n_workers, seconds)


def _pace(study: Study) -> float | None:
    """Seconds that the finished cells took over the seconds that were expected of them; None where none is done."""
    done = [cell for cell in study.suite.cells if study.layout.trained(cell.run_id)]
    records = [read_json(study.layout.run(cell.run_id) / "run.json") for cell in done]
    expected = sum(train_seconds(study.suite, cell) for cell in done)
    return sum(record["seconds"] for record in records) / expected if done else None
