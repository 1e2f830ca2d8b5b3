"""All logs of a harness run, as one part of a canonical table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.facts import RunFacts
from t2scaling.observations.lm_eval.blocks import SamplesFile, first_row
from t2scaling.observations.lm_eval.files import Log, find_logs
from t2scaling.observations.lm_eval.outcomes import Loglikelihood, MultipleChoice, Reading, Sampled, output_type
from t2scaling.observations.report import ReportBuilder, Source
from t2scaling.observations.schema import nearest
from t2scaling.observations.scoring import find_scorer

ROLLING = (
    "loglikelihood_rolling scores whole documents: there is no answer whose probability would be a chance of success"
)


@dataclass(frozen=True)
class Options:
    """How samples are read.

    score   exact, numeric or module:function; None for what the log itself says, else exact
    filter  the harness' filter to take where a task has several; None for the first
    """

    score: str | None = None
    filter: str | None = None


def read_logs(paths: Iterable[Path], options: Options, report: ReportBuilder) -> tuple[pl.DataFrame, dict[str, str]]:
    """Outcomes of all samples files with the facts about their runs, and the conventions of the numbers.

    The frame has run_id, task, question_id, outcomes, and whatever run facts the logs carry. N is the harness' own
    count (all parameters, embeddings included: convention "total") unless the metadata states n_params. Raises
    DataError for a file that is broken or empty, naming the line.
    """
    logs = find_logs(paths, report)
    _check_filter(logs, options.filter)
    facts, frames, outcomes_of = RunFacts(), [], set()
    for log in logs:
        frame = _read_log(log, options, report)
        facts.add(log.run_id, log.facts, str(log.path))
        if log.counted_n is not None:
            outcomes_of.add(log.run_id)
            facts.add(log.run_id, {"counted_n": log.counted_n}, str(log.path))
        if frame is not None:
            frames.append(frame.select(pl.lit(log.run_id).alias("run_id"), pl.lit(log.task).alias("task"), pl.all()))
    if not frames:
        raise DataError(f"none of {len(logs)} logs holds outcomes of questions. " + _reasons(report))
    counted = [run for run in outcomes_of if facts.get(run, "n_params") is None]
    for run in counted:
        facts.add(run, {"n_params": facts.get(run, "counted_n")}, "the harness' count")
    table = pl.concat(frames, how="diagonal").join(facts.frame(), on="run_id", how="left", maintain_order="left")
    return table, {"nll": "sum", "n_params": _convention(len(counted), table["run_id"].n_unique(), report)}


def _read_log(log: Log, options: Options, report: ReportBuilder) -> pl.DataFrame | None:
    """Outcomes of one samples file, or None where its task has none."""
    first = first_row(log.path)
    kind = output_type(first, log.output_type)
    if kind == "loglikelihood_rolling":
        report.drop(str(log.path), _rows(log.path), ROLLING)
        return None
    chosen = first.get("filter")
    if options.filter is not None and options.filter in _filters(log):
        chosen, first = options.filter, _first_of(log.path, options.filter)
    reading = _reading(kind, first, options, chosen, log)
    parts, other = [], dict[str, int]()
    for block in SamplesFile(log.path, reading.schema):
        for name, count in block.group_by("filter").len().iter_rows():
            if name != chosen:
                other[name] = other.get(name, 0) + count
        parts.append(reading.read(block.filter(pl.col("filter").eq_missing(pl.lit(chosen)))))
    outcomes = reading.finish(pl.concat(parts))
    for name, count in other.items():
        report.drop(
            str(log.path), count, f"filter `{name}` judges the same responses again; `{chosen}` was taken (--filter)"
        )
    report.sources.append(
        Source(str(log.path), "lm-eval", len(outcomes) + sum(other.values()), len(outcomes), f"{kind}: {reading.how}")
    )
    _note_samples(outcomes, log, isinstance(reading, Sampled) and reading.metric is None, report)
    return outcomes


def _reading(kind: str, first: Mapping[str, Any], options: Options, chosen: str | None, log: Log) -> Reading:
    if kind == "loglikelihood":
        return Loglikelihood()
    if kind == "multiple_choice":
        return MultipleChoice(first)
    if kind == "generate_until":
        scorer = find_scorer(options.score) if options.score else None
        return Sampled(first, scorer, options.score, chosen)
    raise DataError(f"`{log.path}` is of output_type `{kind}`, which is not known. Leave the file out.")


def _filters(log: Log) -> list[str]:
    """Names of the filters that the task's configuration lists."""
    listed = log.config.get("filter_list") or []
    return [entry["name"] for entry in listed if isinstance(entry, dict) and "name" in entry]


def _check_filter(logs: list[Log], wanted: str | None) -> None:
    if wanted is None:
        return
    known = sorted({name for log in logs for name in _filters(log)})
    if wanted not in known:
        raise DataError(
            f"no task has a filter `{wanted}` (--filter){nearest(wanted, known)}: "
            f"the logs name {', '.join(known) or 'none'}."
        )


def _first_of(path: Path, wanted: str) -> dict[str, Any]:
    """The first row of a filter."""
    with path.open("rb") as file:
        for line in file:
            if json.dumps(wanted).encode() in line and (row := json.loads(line)).get("filter") == wanted:
                return dict(row)
    raise DataError(f"`{path}` has no row of filter `{wanted}`, though its task lists it. Was the file cut off?")


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _note_samples(outcomes: pl.DataFrame, log: Log, graded: bool, report: ReportBuilder) -> None:
    """Sentences on samples that are no independent draws, and on a grading that found nothing right."""
    if "n_samples" not in outcomes.columns or outcomes.is_empty():
        return
    most = outcomes["n_samples"].max()
    drawn = log.config.get("generation_kwargs") or {}
    greedy = drawn.get("do_sample") is False or drawn.get("temperature") in (0, 0.0)
    if greedy and isinstance(most, int) and most > 1:
        report.notes.append(
            f"task `{log.task}` of run `{log.run_id}` was decoded greedily: its {most} responses per question are "
            "copies, so pass@k for k > 1 means nothing. Sample with do_sample: true and temperature 1."
        )
    if graded and not outcomes["n_correct"].sum():
        report.notes.append(
            f"no response of task `{log.task}`, run `{log.run_id}`, was graded correct. If the target is part of a "
            "longer answer, try --score numeric, or a function of your own with --score module:function."
        )


def _convention(counted: int, runs: int, report: ReportBuilder) -> str:
    if counted in (0, runs):
        return "total" if counted else "unstated"
    report.notes.append(
        f"n_params is the harness' count of all parameters for {counted} of {runs} runs, and what the metadata states "
        "for the others: make sure that both are counted alike."
    )
    return "mixed: total for some runs, of the metadata for others"


def _reasons(report: ReportBuilder) -> str:
    return " ".join(f"{dropped.what}: {dropped.reason}." for dropped in report.dropped[:3])
