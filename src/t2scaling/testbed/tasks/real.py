"""The four real tasks, from the Hugging Face hub or a local copy, in the formats of the T² paper (Appendix E).

    lambada_openai   everything but the last word → the last word (Paperno et al. 2016, arXiv:1606.06031; OpenAI's cut)
    arc_easy         Question: {question}\\nAnswer: → the right choice (Clark et al. 2018, arXiv:1803.05457)
    sciq             {support}\\nQuestion: {question}\\nAnswer: → correct_answer (Welbl et al. 2017, arXiv:1707.06209)
    openbookqa       {question_stem} → the right choice (Mihaylov et al. 2018, arXiv:1809.02789)

A local copy is a folder with one file a split (test.jsonl, train.parquet, or names that begin with the split), or one
file, which is then the test split.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
    prompt, word = row["text"].strip().rsplit(None, 1)
    return prompt, word


def _right_choice(row: dict[str, Any]) -> str:
    choices = row["choices"]
    return choices["text"][list(choices["label"]).index(row["answerKey"].strip())]


def _arc(row: dict[str, Any]) -> tuple[str, str]:
    return f"Question: {row['question'].strip()}\nAnswer:", _right_choice(row)


def _sciq(row: dict[str, Any]) -> tuple[str, str]:
    prompt = f"{row['support'].strip()}\nQuestion: {row['question'].strip()}\nAnswer:"
    return prompt.lstrip(), row["correct_answer"]


def _openbookqa(row: dict[str, Any]) -> tuple[str, str]:
    return row["question_stem"].strip(), _right_choice(row)


_DATASETS = {
    "lambada_openai": _Dataset("EleutherAI/lambada_openai", "default", ("test",), _lambada),
    "arc_easy": _Dataset("allenai/ai2_arc", "ARC-Easy", ("test", "train"), _arc),
    "sciq": _Dataset("allenai/sciq", None, ("test", "train"), _sciq),
    "openbookqa": _Dataset("allenai/openbookqa", "main", ("test", "train"), _openbookqa),
}
REAL = tuple(_DATASETS)


def load_real(name: str, *, path: str | Path | None = None, revision: str | None = None) -> Task:
    """The real task `name` with its test split and, but for LAMBADA, its train split.

    path       a local copy; None reads the hub
    revision   branch, tag or commit on the hub
    Raises PrerequisiteError where the data is not there, DataError for a row that has another schema.
    """
    dataset = _DATASETS[name]
    splits = {}
    for split in dataset.splits:
        if path is None:
            rows = open_hub(dataset.name, dataset.config, split, revision, streaming=False)
        elif (file := _split_file(Path(path), split)) is not None:
            rows = _read_rows(file)
        else:
            continue
        splits[split] = tuple(_question(name, split, number, row) for number, row in enumerate(rows))
    if not splits.get("test"):
        raise PrerequisiteError(
            f"no test split of {name} at `{path}`: give a folder with test.jsonl or test.parquet, or one file."
        )
    return Task(name, "real", splits)


def _split_file(path: Path, split: str) -> Path | None:
    """The file of a split in a local copy, or None. Raises PrerequisiteError if there is no copy at all."""
    if path.is_file():
        return path if split == "test" else None
    if not path.is_dir():
        raise PrerequisiteError(f"no local copy at `{path}`: give a JSONL or Parquet file, or a folder of them.")
    files = [file for file in sorted(path.iterdir()) if file.suffix in (".jsonl", ".parquet")]
    return next((file for file in files if file.name.startswith(split)), None)


def _read_rows(file: Path) -> Iterable[dict[str, Any]]:
    if file.suffix == ".parquet":
        return read_parquet(file).iter_rows(named=True)
    return (row for _, row in read_jsonl_rows(file))


def _question(name: str, split: str, number: int, row: dict[str, Any]) -> Question:
    try:
        prompt, answer = _DATASETS[name].as_pair(row)
        answer = f" {answer.strip()}"
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"row {number} of {name} ({split}) has not the dataset's schema: {shown(repr(error), 200)}. It has "
            f"{shown(', '.join(row), 200)}. Give a copy in the schema of the hub.",
            [row],
        ) from error
    return Question(str(row.get("id", f"{name}-{split}-{number:04d}")), prompt, answer, math.nan, split)
