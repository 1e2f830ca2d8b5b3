"""Reading logs of Inspect AI: `.eval` files, which are zip archives of JSON compressed with zstd.

`header.json` says what was run and `summaries.json` how every sample was scored; the samples themselves (transcripts,
the bulk of a log) are opened only for the sum of log-probabilities of `target_perplexity`. A question is asked once
per epoch, so its epochs are its samples: n of them scored, c of them with a score of 1.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.facts import RunFacts, facts_from_metadata
from t2scaling.observations.report import ReportBuilder, Source
from t2scaling.observations.schema import nearest

# The values that Inspect's scorers write, as its own value_to_float reads them.
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
DOCUMENT_SCORER = "perplexity"
ANSWER_SCORER = "target_perplexity"


@dataclass
class Question:
    """What the epochs of one question add up to."""

    n: int = 0
    c: int = 0
    nll: float | None = None
    nll_tokens: int | None = None
    prompt_tokens: list[int] = field(default_factory=list)
    completion_tokens: list[int] = field(default_factory=list)


@dataclass
class Log:
    """One opened log: its header, the summaries of its samples, and a way to a sample's own file."""

    path: Path
    header: dict[str, Any]
    samples: list[dict[str, Any]]
    archive: zipfile.ZipFile | None

    def score_metadata(self, sample: Mapping[str, Any], scorer: str) -> Mapping[str, Any]:
        """Metadata of a score, from the summary or else from the sample's own file."""
        found = (sample.get("scores") or {}).get(scorer, {}).get("metadata")
        if not found and self.archive is not None:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            if name in self.archive.namelist():
                scores = json.loads(self.archive.read(name)).get("scores") or {}
                found = scores.get(scorer, {}).get("metadata")
        return found or {}


def read_logs(paths: Iterable[Path], scorer: str | None, report: ReportBuilder) -> tuple[pl.DataFrame, dict[str, str]]:
    """Outcomes of all logs with the facts about their runs, and the conventions of the numbers.

    scorer  which score counts where a log has several; None for the first
    Epochs of one question in several logs of a run add up; a sample that a retried log carried over counts once.
    Raises DataError for a file that is no such log.
    """
    facts, questions, seen = RunFacts(), dict[tuple[str, str, str], Question](), set[str]()
    for path in sorted(paths):
        with _open(path) as log:
            run, task = _identify(log, facts)
            _read_samples(log, (run, task), scorer, questions, seen, report)
    kept = {key: question for key, question in questions.items() if question.n or question.nll is not None}
    if not kept:
        raise DataError(
            "the Inspect logs hold no scored sample. Score them first (inspect score), or name another scorer."
        )
    return _frame(kept).join(facts.frame(), on="run_id", how="left", maintain_order="left"), {
        "nll": "sum",
        "n_params": "unstated",
    }


@contextmanager
def _open(path: Path) -> Iterator[Log]:
    if path.suffix == ".json":
        content = _json(path.read_bytes(), path, path.name)
        yield Log(path, content, content.get("samples") or [], None)
        return
    import zipfile_zstd  # noqa: F401  (teaches zipfile method 93, which Python 3.11 lacks, by way of zstandard)
    from zstandard import ZstdError

    try:
        with zipfile.ZipFile(path) as archive:
            header = _json(_member(archive, "header.json", path), path, "header.json")
            yield Log(path, header, _summaries(archive, path), archive)
    except (zipfile.BadZipFile, zlib.error, ZstdError, EOFError, NotImplementedError) as error:
        raise DataError(
            f"`{path}` is not a readable .eval log, which is a zip archive: {error}. It may be cut off, or be the JSON "
            "kind of log, which is read when its name ends in .json and --format inspect is given."
        ) from None


def _summaries(archive: zipfile.ZipFile, path: Path) -> list[dict[str, Any]]:
    """Summaries of all samples; those of a run that was cut off lie in pieces."""
    names = archive.namelist()
    pieces = [name for name in names if name.startswith("_journal/summaries/")]
    chosen = ["summaries.json"] if "summaries.json" in names else sorted(pieces, key=lambda name: int(Path(name).stem))
    return [sample for name in chosen for sample in _json(archive.read(name), path, name)]


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    if name not in archive.namelist():
        raise DataError(
            f"`{path}` has no {name}: it is no .eval log, or one of a run that was cut off before it could be closed. "
            "Recover it (inspect log recover), or leave it out."
        )
    return archive.read(name)


def _json(content: bytes, path: Path, name: str) -> Any:
    try:
        return json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"`{path}`: {name}{line} is not JSON. The log is damaged; copy it again.") from None


def _identify(log: Log, facts: RunFacts) -> tuple[str, str]:
    """Run and task of a log; the run is its model unless the metadata gives it a run_id."""
    told = log.header.get("eval")
    if not isinstance(told, dict) or "task" not in told or "model" not in told:
        raise DataError(f"`{log.path}` has no `eval.task` and `eval.model` in its header: it is no log of Inspect AI.")
    metadata = told.get("metadata") or log.header.get("metadata") or {}
    run = str(metadata.get("run_id") or told["model"])
    facts.add(run, facts_from_metadata(metadata, f"`{log.path}`"), str(log.path))
    return run, str(told["task"])


def _read_samples(
    log: Log,
    run_task: tuple[str, str],
    wanted: str | None,
    questions: dict[tuple[str, str, str], Question],
    seen: set[str],
    report: ReportBuilder,
) -> None:
    scorer = _choose_scorer(log, wanted, report)
    if scorer == DOCUMENT_SCORER:
        reason = "perplexity scores whole texts: there is no answer whose probability would be a chance of success"
        report.drop(str(log.path), len(log.samples), reason)
        return
    carried = unscored = partial = 0
    for sample in log.samples:
        key = sample.get("uuid")
        if key in seen:
            carried += 1
            continue
        if key is not None:
            seen.add(key)
        question = questions.setdefault((*run_task, str(sample["id"])), Question())
        value = _value(sample, scorer)
        if value is None or math.isnan(value):
            unscored += 1
        elif scorer == ANSWER_SCORER:
            unscored += not _add_likelihood(question, log.score_metadata(sample, scorer))
        else:
            question.n += 1
            question.c += value >= 1
            partial += 0 < value < 1
            _add_usage(question, sample)
    path = str(log.path)
    report.drop(path, unscored, "no score, or NaN: the sample was not graded and does not count in n_samples")
    report.drop(path, carried, "the same samples as in an earlier log of which this one is the retry")
    if partial:
        report.notes.append(
            f"{partial} samples of {path} were scored between 0 and 1; only a score of 1 counts as correct."
        )
    if log.header.get("status") not in (None, "success"):
        report.notes.append(f"{path} has status {log.header['status']}: the samples that were scored are kept.")
    how = "nll = −(sum of target log-probabilities)" if scorer == ANSWER_SCORER else f"epochs with score `{scorer}` ≥ 1"
    report.sources.append(Source(path, "inspect", len(log.samples), len(log.samples) - unscored - carried, how))


def _choose_scorer(log: Log, wanted: str | None, report: ReportBuilder) -> str:
    names = list(dict.fromkeys(name for sample in log.samples for name in sample.get("scores") or {}))
    if not names:
        raise DataError(f"`{log.path}` has no scored sample: score it first (inspect score), or leave it out.")
    if wanted is not None and wanted not in names:
        raise DataError(
            f"`{log.path}` has no scorer `{wanted}` (--filter){nearest(wanted, names)}: it has {', '.join(names)}."
        )
    if wanted is None and len(names) > 1:
        report.notes.append(
            f"{log.path} has scores {', '.join(names)}: `{names[0]}` was taken (--filter NAME for another)."
        )
    return wanted or names[0]


def _value(sample: Mapping[str, Any], scorer: str) -> float | None:
    """A score as a number; None where there is none, or where it is no number."""
    value = ((sample.get("scores") or {}).get(scorer) or {}).get("value")
    if isinstance(value, str):
        if value in VALUES:
            return VALUES[value]
        try:
            return float(value)
        except ValueError:
            return {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}.get(value.lower())
    return float(value) if isinstance(value, bool | int | float) else None


def _add_likelihood(question: Question, metadata: Mapping[str, Any]) -> bool:
    """Take nll from a target_perplexity score, whose value is a mean per token; False where the sum is not there."""
    total = metadata.get("sum_log_probs")
    if not isinstance(total, int | float):
        return False
    question.nll = -float(total)
    question.nll_tokens = metadata.get("num_tokens")
    return True


def _add_usage(question: Question, sample: Mapping[str, Any]) -> None:
    usage = list((sample.get("model_usage") or {}).values())
    if usage:
        question.prompt_tokens.append(sum(model.get("input_tokens", 0) for model in usage))
        question.completion_tokens.append(sum(model.get("output_tokens", 0) for model in usage))


def _frame(questions: Mapping[tuple[str, str, str], Question]) -> pl.DataFrame:
    rows = [
        {
            "run_id": run,
            "task": task,
            "question_id": name,
            "nll": question.nll,
            "nll_tokens": question.nll_tokens,
            "n_samples": question.n or None,
            "n_correct": question.c if question.n else None,
            "prompt_tokens": _mean(question.prompt_tokens),
            "completion_tokens": _mean(question.completion_tokens),
        }
        for (run, task, name), question in questions.items()
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.drop([name for name in frame.columns if frame[name].null_count() == len(frame)])


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None
