"""The four real tasks, from the Hugging Face hub or a local copy, in the formats of the T² paper (Appendix E).

    lambada_openai   everything but the last word → the last word (Paperno et al. 2016, arXiv:1606.06031; OpenAI's cut)
    arc_easy         Question: {question}\\nAnswer: → the right choice (Clark et al. 2018, arXiv:1803.05457)
    sciq             {support}\\nQuestion: {question}\\nAnswer: → correct_answer (Welbl et al. 2017, arXiv:1707.06209)
    openbookqa       {question_stem} → the right choice (Mihaylov et al. 2018, arXiv:1809.02789)

A local copy is a folder with one file a split (test.jsonl, train.parquet, or names that begin with the split), or one
file, which is then the test split. Of a folder with a validation file alone, the first half is the train split and the
second the test split; a task without a train split takes the whole.

Prompts and answers are those of lm-evaluation-harness, to the character, so that likelihoods agree with it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2scaling.errors import DataError, PrerequisiteError
from t2scaling.foreign import read_jsonl_rows, read_parquet, shown
from t2scaling.testbed.corpus.sources import open_hub
from t2scaling.testbed.tasks.base import Question, Task


@dataclass(frozen=True)
class _Dataset:
    """Where a task is on the hub, its splits, and how a row becomes prompt and answer."""

    name: str
    config: str | None
    splits: tuple[str, ...]
    as_pair: Callable[[dict[str, Any]], tuple[str, str]]


def _lambada(row: dict[str, Any]) -> tuple[str, str]:
    prompt, word = row["text"].rsplit(" ", 1)
    return prompt, word


def _right_choice(row: dict[str, Any]) -> str:
    choices = row["choices"]
    return choices["text"][list(choices["label"]).index(row["answerKey"].strip())]


def _arc(row: dict[str, Any]) -> tuple[str, str]:
    return f"Question: {row['question']}\nAnswer:", _right_choice(row)


def _sciq(row: dict[str, Any]) -> tuple[str, str]:
    # Without support the prompt begins with a newline, as in lm-eval: leaving it out changes up to 0.66 nats.
    return f"{row['support'].lstrip()}\nQuestion: {row['question']}\nAnswer:", row["correct_answer"]


def _openbookqa(row: dict[str, Any]) -> tuple[str, str]:
    return row["question_stem"], _right_choice(row)


_DATASETS = {
    "lambada_openai": _Dataset("EleutherAI/lambada_openai", "default", ("test",), _lambada),
    "arc_easy": _Dataset("allenai/ai2_arc", "ARC-Easy", ("test", "train"), _arc),
    "sciq": _Dataset("allenai/sciq", None, ("test", "train"), _sciq),
    "openbookqa": _Dataset("allenai/openbookqa", "main", ("test", "train"), _openbookqa),
}
REAL = tuple(_DATASETS)
UNTRAINED = tuple(name for name, dataset in _DATASETS.items() if "train" not in dataset.splits)


def load_real(name: str, *, path: str | Path | None = None, revision: str | None = None) -> Task:
    """The real task `name` with its test split and, but for LAMBADA, its train split.

    path       a local copy; None reads the hub
    revision   branch, tag or commit on the hub
    Raises PrerequisiteError where the data is not there, DataError for a row that has another schema.
    """
    dataset = _DATASETS[name]
    if path is None:
        rows = {
            split: open_hub(dataset.name, dataset.config, split, revision, streaming=False) for split in dataset.splits
        }
    else:
        rows = _local_rows(name, Path(path))
    splits = {
        split: tuple(_question(name, split, number, row) for number, row in enumerate(rows[split]))
        for split in dataset.splits
        if split in rows
    }
    if not splits.get("test"):
        raise PrerequisiteError(
            f"no test split of {name} at `{path}`: give a folder with test.jsonl, test.parquet or a validation file, "
            "or one file."
        )
    return Task(name, "real", _with_chance(splits))


def _local_rows(name: str, path: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of each split that a local copy has. Raises PrerequisiteError if there is no copy at all."""
    if path.is_file():
        return {"test": list(_read_rows(path))}
    if not path.is_dir():
        raise PrerequisiteError(f"no local copy at `{path}`: give a JSONL or Parquet file, or a folder of them.")
    files = [file for file in sorted(path.iterdir()) if file.suffix in (".jsonl", ".parquet")]
    found = {
        split: list(_read_rows(file))
        for split in ("test", "train", "validation")
        if (file := next((file for file in files if file.name.startswith(split)), None)) is not None
    }
    if "test" in found or "validation" not in found:
        return found
    rows = found["validation"]
    half = len(rows) // 2 if "train" in _DATASETS[name].splits and "train" not in found else 0
    return {"train": rows[:half], **found, "test": rows[half:]} if half else {**found, "test": rows}


def _with_chance(splits: dict[str, tuple[Question, ...]]) -> dict[str, tuple[Question, ...]]:
    """The questions with their chance: how often another question of the task has the same answer.

    A guesser that knows the task and not the question can do no better than to answer as other questions are answered.
    """
    answers = Counter(question.answer for questions in splits.values() for question in questions)
    others = max(1, answers.total() - 1)
    return {
        split: tuple(replace(question, chance=(answers[question.answer] - 1) / others) for question in questions)
        for split, questions in splits.items()
    }


def _read_rows(file: Path) -> Iterable[dict[str, Any]]:
    if file.suffix == ".parquet":
        return read_parquet(file).iter_rows(named=True)
    return (row for _, row in read_jsonl_rows(file))


def _question(name: str, split: str, number: int, row: dict[str, Any]) -> Question:
    try:
        prompt, answer = _DATASETS[name].as_pair(row)
        start = prompt.rstrip()
        # Space that ends a prompt belongs to the answer's first token, where a tokenizer wants it.
        answer = f"{prompt[len(start) :]} {answer}"
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"row {number} of {name} ({split}) has not the dataset's schema: {shown(repr(error), 200)}. It has "
            f"{shown(', '.join(row), 200)}. Give a copy in the schema of the hub.",
            [row],
        ) from error
    return Question(str(row.get("id", f"{name}-{split}-{number:04d}")), start, answer, math.nan, split)
