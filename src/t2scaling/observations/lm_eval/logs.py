"""All logs of a harness run, as one part of a canonical table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from t2scaling.errors import DataError
from t2scaling.foreign import guard_polars
from t2scaling.observations.facts import RunFacts
from t2scaling.observations.lm_eval.blocks import FirstRow, SamplesFile, first_row
from t2scaling.observations.lm_eval.files import Log, count_lines, find_logs
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

    The frame has run_id, task, question_id, outcomes, and whatever run facts the logs carry. N is that of the run.json
    beside the checkpoint, in its own convention, or what the metadata states, or else the harness' own count (all
    parameters, embeddings included: convention "total"). Raises DataError for a file that is broken or empty, naming
    the line.
    """
    logs = find_logs(paths, report)
    _check_filter(logs, options.filter)
    facts, frames, told = RunFacts(), [], dict[str, str]()
    for log in logs:
        with guard_polars(f"`{log.path}` cannot be read as a log of lm-evaluation-harness"):
            frame = _read_log(log, options, report)
        facts.add(log.run_id, log.facts, str(log.path))
        if log.counted_n is not None:
            facts.add(log.run_id, {"counted_n": log.counted_n}, str(log.path))
        if log.convention is not None:
            told[log.run_id] = log.convention
        if frame is not None:
            frames.append(frame.select(pl.lit(log.run_id).alias("run_id"), pl.lit(log.task).alias("task"), pl.all()))
    if not frames:
        reasons = " ".join(f"{dropped.what}: {dropped.reason}." for dropped in report.dropped[:3])
        raise DataError(f"none of {len(logs)} logs holds outcomes of questions. {reasons}")
    for run in {log.run_id for log in logs}:
        if facts.get(run, "n_params") is None and (counted := facts.get(run, "counted_n")) is not None:
            facts.add(run, {"n_params": counted}, "the harness' count")
            told[run] = "total"
    table = pl.concat(frames, how="diagonal").join(facts.frame(), on="run_id", how="left", maintain_order="left")
    conventions = [told.get(run, "unstated") for run in table["run_id"].unique().sort()]
    names = {log.run_id: log.name for log in logs if log.name != log.run_id}
    return table.with_columns(pl.col("run_id").replace(names)), {
        "nll": "sum",
        "n_params": _convention(conventions, report),
    }


def _read_log(log: Log, options: Options, report: ReportBuilder) -> pl.DataFrame | None:
    """Outcomes of one samples file, or None where its task has none."""
    first = first_row(log.path)
    kind = output_type(first, log.config.output_type)
    if kind == "loglikelihood_rolling":
        report.drop(str(log.path), count_lines(log.path), ROLLING)
        return None
    chosen = first.filter
    if options.filter is not None and options.filter in log.config.filters:
        chosen, first = options.filter, first_row(log.path, options.filter)
    reading = _reading(kind, first, options, chosen, log)
    parts, other = [], dict[str, int]()
    for block in SamplesFile(log.path, reading.schema):
        for name, count in block["filter"].value_counts().iter_rows():
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


def _reading(kind: str, first: FirstRow, options: Options, chosen: str | None, log: Log) -> Reading:
    if kind == "loglikelihood":
        return Loglikelihood()
    if kind == "multiple_choice":
        return MultipleChoice(first, f"`{log.path}`")
    if kind == "generate_until":
        scorer = find_scorer(options.score) if options.score else None
        return Sampled(first, scorer, options.score, chosen, f"`{log.path}`")
    raise DataError(f"`{log.path}` is of output_type `{kind}`, which is not known. Leave the file out.")


def _check_filter(logs: list[Log], wanted: str | None) -> None:
    if wanted is None:
        return
    known = sorted({name for log in logs for name in log.config.filters})
    if wanted not in known:
        raise DataError(
            f"no task has a filter `{wanted}` (--filter){nearest(wanted, known)}: "
            f"the logs name {', '.join(known) or 'none'}."
        )


def _note_samples(outcomes: pl.DataFrame, log: Log, graded: bool, report: ReportBuilder) -> None:
    """Sentences on samples that are no independent draws, and on a grading that found nothing right."""
    if "n_samples" not in outcomes.columns or outcomes.is_empty():
        return
    most = outcomes["n_samples"].max()
    if log.config.greedy and isinstance(most, int) and most > 1:
        report.notes.append(
            f"task `{log.task}` of run `{log.run_id}` was decoded greedily: its {most} responses per question are "
            "copies, so pass@k for k > 1 means nothing. Sample with do_sample: true and temperature 1."
        )
    if graded and not outcomes["n_correct"].sum():
        report.notes.append(
            f"no response of task `{log.task}`, run `{log.run_id}`, was graded correct. If the target is part of a "
            "longer answer, try --score numeric, or a function of your own with --score module:function."
        )


def _convention(conventions: list[str], report: ReportBuilder) -> str:
    """How N is counted, by run; runs that differ in it are pointed out."""
    kinds = sorted(set(conventions))
    if len(kinds) == 1:
        return kinds[0]
    said = {"total": "the harness' count of all parameters", "unstated": "what the metadata states"}
    shown = [f"{said.get(kind, f'{kind}, of run.json,')} for {conventions.count(kind)}" for kind in kinds]
    report.notes.append(
        f"n_params is {' and '.join(shown)} of {len(conventions)} runs: make sure that all are counted alike."
    )
    return "mixed: " + " and ".join(f"{kind} for {conventions.count(kind)} runs" for kind in kinds)
