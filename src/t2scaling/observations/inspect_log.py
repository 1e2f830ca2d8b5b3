"""Reading logs of Inspect AI: `.eval` files, which are zip archives of JSON compressed with zstd.

`header.json` says what was run and `summaries.json` how every sample was scored; the samples themselves (transcripts,
the bulk of a log) are opened only for the sum of log-probabilities of `target_perplexity`. A question is asked once
per epoch, so its epochs are its samples: n of them scored, c of them with a score of 1.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, Field, StrictInt, StrictStr

from t2scaling.errors import DataError
from t2scaling.foreign import Archive, open_zip, read_json, short, validate
from t2scaling.observations.facts import RunFacts, facts_from_metadata
from t2scaling.observations.report import ReportBuilder, Source
from t2scaling.observations.schema import nearest
from t2scaling.observations.scoring import LONGEST_ANSWER

# The values that Inspect's scorers write, as its own value_to_float reads them.
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
LISTS = {"wrong_counts": pl.List(pl.Int64), "scores": pl.List(pl.Float64), "correct": pl.List(pl.Boolean)}
DOCUMENT_SCORER = "perplexity"
ANSWER_SCORER = "target_perplexity"
_PIECE = re.compile(r"_journal/summaries/(\d{1,9})\.json")
_DAMAGED = "The log is damaged, or none of Inspect AI; copy it again."

Count = Annotated[StrictInt, Field(ge=0, lt=2**62)]


class Score(BaseModel):
    """What a scorer says of one sample: a grade or a number, and the answer that it read off the response."""

    value: Any = None
    answer: Any = None
    metadata: dict[str, Any] | None = None


class Usage(BaseModel):
    """Tokens that one model read and wrote for one sample."""

    input_tokens: Count = 0
    output_tokens: Count = 0


class Sample(BaseModel):
    """One sample as a log's summaries hold it."""

    id: StrictInt | StrictStr
    epoch: Count
    uuid: StrictStr | None = None
    choices: list[Any] | None = None
    target: Any = None
    scores: dict[str, Score] | None = None
    model_usage: dict[str, Usage] | None = None

    def score(self, scorer: str) -> Score:
        """The score of this name, empty where there is none."""
        return (self.scores or {}).get(scorer) or Score()


class Task(BaseModel):
    """What was run: `eval` of a header."""

    task: StrictStr
    model: StrictStr
    metadata: dict[str, Any] | None = None


class Header(BaseModel):
    """header.json; the JSON kind of log has its samples beside it."""

    eval: Task
    status: StrictStr | None = None
    metadata: dict[str, Any] | None = None
    samples: list[Sample] | None = None


class SampleFile(BaseModel):
    """One sample's own file, of which only the scores matter."""

    scores: dict[str, Score] | None = None


@dataclass
class Question:
    """What the epochs of one question add up to.

    wrong   how often each wrong answer came, of the samples whose answer the scorer could read
    scores  what the log's other scorer, such as a reward model, gave each sample, and whether it was `correct`
    """

    n: int = 0
    c: int = 0
    nll: float | None = None
    nll_tokens: int | None = None
    chance: float | None = None
    answered: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)
    correct: list[bool] = field(default_factory=list)
    prompt_tokens: list[int] = field(default_factory=list)
    completion_tokens: list[int] = field(default_factory=list)


@dataclass
class Log:
    """One opened log: its header, the summaries of its samples, and a way to a sample's own file."""

    path: Path
    header: Header
    samples: list[Sample]
    archive: Archive | None

    def score_metadata(self, sample: Sample, scorer: str) -> Mapping[str, Any]:
        """Metadata of a score, from the summary or else from the sample's own file."""
        found = sample.score(scorer).metadata
        name = f"samples/{sample.id}_epoch_{sample.epoch}.json"
        if not found and self.archive is not None and name in self.archive.names:
            where = f"`{self.path}`: {name}"
            content = validate(SampleFile, self.archive.read_json(name), where, way_out=_DAMAGED)
            found = ((content.scores or {}).get(scorer) or Score()).metadata
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
        header = _header(read_json(path, way_out=_DAMAGED), f"`{path}`")
        yield Log(path, header, header.samples or [], None)
        return
    with open_zip(path, ".eval log, which is a zip archive") as archive:
        if "header.json" not in archive.names:
            raise DataError(
                f"`{path}` has no header.json: it is no .eval log, or one of a run that was cut off before it could be "
                "closed. Recover it (inspect log recover), or leave it out."
            )
        header = _header(archive.read_json("header.json"), f"`{path}`: header.json")
        yield Log(path, header, _summaries(archive), archive)


def _header(content: Any, where: str) -> Header:
    if not isinstance(content, dict) or not isinstance(content.get("eval"), dict):
        raise DataError(f"{where} has no `eval.task` and `eval.model`: it is no log of Inspect AI. Leave it out.")
    return validate(Header, content, where, way_out=_DAMAGED)


def _summaries(archive: Archive) -> list[Sample]:
    """Summaries of all samples; those of a run that was cut off lie in pieces."""
    pieces = sorted((int(found[1]), found[0]) for found in map(_PIECE.fullmatch, archive.names) if found)
    chosen = ["summaries.json"] if "summaries.json" in archive.names else [name for _, name in pieces]
    return [
        sample
        for name in chosen
        for sample in validate(list[Sample], archive.read_json(name), f"`{archive.path}`: {name}", way_out=_DAMAGED)
    ]


def _identify(log: Log, facts: RunFacts) -> tuple[str, str]:
    """Run and task of a log; the run is its model unless the metadata gives it a run_id."""
    told = log.header.eval
    metadata = told.metadata or log.header.metadata or {}
    run = str(metadata.get("run_id") or told.model)
    facts.add(run, facts_from_metadata(metadata, f"`{log.path}`"), str(log.path))
    return run, told.task


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
    verifier = _verifier(log, scorer)
    carried = unscored = partial = 0
    drawn = Counter((sample.id, sample.epoch) for sample in log.samples)
    if drawn and max(drawn.values()) > 1:
        name, epoch = max(drawn, key=lambda key: drawn[key])
        raise DataError(
            f"`{log.path}` holds sample {short(name)} of epoch {epoch} {drawn[name, epoch]} times: it was put together "
            "from several logs. Import those instead; epochs of a question add up over the logs of a run."
        )
    for sample in log.samples:
        key = sample.uuid
        if key in seen:
            carried += 1
            continue
        if key is not None:
            seen.add(key)
        question = questions.setdefault((*run_task, str(sample.id)), Question())
        value = _value(sample, scorer)
        if value is None or math.isnan(value):
            unscored += 1
        elif scorer == ANSWER_SCORER:
            unscored += not _add_likelihood(question, log.score_metadata(sample, scorer))
        else:
            question.n += 1
            question.c += value >= 1
            partial += 0 < value < 1
            _add_answer(question, sample, scorer, right=value >= 1)
            _add_usage(question, sample)
            if verifier is not None:
                question.scores.append(float(sample.score(verifier).value))
                question.correct.append(value >= 1)
    path = str(log.path)
    report.drop(path, unscored, "no score, or NaN: the sample was not graded and does not count in n_samples")
    report.drop(path, carried, "the same samples as in an earlier log of which this one is the retry")
    if partial:
        report.notes.append(
            f"{partial} samples of {path} were scored between 0 and 1; only a score of 1 counts as correct."
        )
    if log.header.status not in (None, "success"):
        report.notes.append(f"{path} has status {log.header.status}: the samples that were scored are kept.")
    how = "nll = −(sum of target log-probabilities)" if scorer == ANSWER_SCORER else f"epochs with score `{scorer}` ≥ 1"
    report.sources.append(Source(path, "inspect", len(log.samples), len(log.samples) - unscored - carried, how))


def _choose_scorer(log: Log, wanted: str | None, report: ReportBuilder) -> str:
    names = list(dict.fromkeys(name for sample in log.samples for name in sample.scores or {}))
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


def _verifier(log: Log, scorer: str) -> str | None:
    """The one other scorer of a log that gives every sample a number, and not just 0 or 1; None where there is none."""
    others = {name for sample in log.samples for name in sample.scores or {}} - {scorer}
    values = {name: [sample.score(name).value for sample in log.samples] for name in others}
    found = [
        name
        for name, given in values.items()
        if all(isinstance(value, float) and math.isfinite(value) for value in given) and not {*given} <= {0.0, 1.0}
    ]
    return found[0] if len(found) == 1 else None


def _value(sample: Sample, scorer: str) -> float | None:
    """A score as a number; None where there is none, or where it is no number."""
    value = sample.score(scorer).value
    if isinstance(value, str):
        if value in VALUES:
            return VALUES[value]
        try:
            return float(value)
        except ValueError:
            return {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}.get(value.lower())
    if isinstance(value, int):
        return float(max(-1, min(value, 2)))  # whether it reaches 1 is all that counts, and a long one is no float
    return value if isinstance(value, float) else None


def _add_likelihood(question: Question, metadata: Mapping[str, Any]) -> bool:
    """Take nll from a target_perplexity score, whose value is a mean per token; False where the sum is not there."""
    total, tokens = metadata.get("sum_log_probs"), metadata.get("num_tokens")
    if not isinstance(total, float) and not (isinstance(total, int) and abs(total) < 2**53):
        return False
    question.nll = -float(total)
    question.nll_tokens = tokens if isinstance(tokens, int) and 0 < tokens < 2**62 else None
    return True


def _add_answer(question: Question, sample: Sample, scorer: str, right: bool) -> None:
    """Count the answer that the scorer read off the response, for votes; one that it could not read has no vote."""
    answer = sample.score(scorer).answer
    readable = isinstance(answer, str) and 0 < len(answer.strip()) <= LONGEST_ANSWER
    question.answered += readable
    if readable and not right:
        question.wrong[answer.strip()] += 1
    if sample.choices and len(sample.choices) > 1 and isinstance(sample.target, str):
        question.chance = 1 / len(sample.choices)


def _add_usage(question: Question, sample: Sample) -> None:
    usage = list((sample.model_usage or {}).values())
    if usage:
        question.prompt_tokens.append(sum(model.input_tokens for model in usage))
        question.completion_tokens.append(sum(model.output_tokens for model in usage))


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
            "chance": question.chance,
            "wrong_counts": sorted(question.wrong.values(), reverse=True) if question.answered else None,
            "scores": question.scores if len(question.scores) == question.n > 0 else None,
            "correct": question.correct if len(question.scores) == question.n > 0 else None,
            "prompt_tokens": _mean(question.prompt_tokens),
            "completion_tokens": _mean(question.completion_tokens),
        }
        for (run, task, name), question in questions.items()
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None, schema_overrides=LISTS)
    return frame.drop([name for name in frame.columns if frame[name].null_count() == len(frame)])


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None
