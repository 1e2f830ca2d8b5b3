"""Tasks as files: JSON Lines, one question a row, for this package and for lm-eval alike."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from t2scaling import artefacts
from t2scaling.errors import DataError, PrerequisiteError
from t2scaling.testbed.tasks.base import Question, Task

_COLUMNS = ("question_id", "prompt", "answer", "difficulty", "split")


def save(task: Task, path: str | Path) -> Path:
    """Write all questions of a task as JSON Lines: name, kind, stop and the fields of `Question` on every row."""
    shared = {"task": task.name, "kind": task.kind, "stop": task.stop}
    rows = (
        {**shared, **{column: getattr(question, column) for column in _COLUMNS}}
        for questions in task.splits.values()
        for question in questions
    )
    return artefacts.write_text(path, "".join(artefacts.dumps(row) + "\n" for row in rows))


def read(path: str | Path) -> Task:
    """Read a file that `save` wrote, or one of your own with at least question_id, prompt and answer on each row.

    Raises PrerequisiteError if there is no such file, DataError if a row is not a question, an id occurs twice, or an
    answer does not begin with a space.
    """
    path = Path(path)
    if not path.is_file():
        raise PrerequisiteError(f"no task file at `{path}`: write one with `tasks.save`.")
    rows = [
        (number, _row(line, path, number))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line.strip()
    ]
    if not rows:
        raise DataError(f"`{path}` has no questions.")
    splits: dict[str, list[Question]] = {}
    for number, row in rows:
        question = _question(row, f"{path}, line {number}")
        splits.setdefault(question.split, []).append(question)
    ids = [question.question_id for questions in splits.values() for question in questions]
    if len(set(ids)) < len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})[:5]
        raise DataError(f"`{path}` has question ids twice, such as {twice[0]}: make `question_id` unique.", twice)
    first = rows[0][1]
    frozen = {split: tuple(questions) for split, questions in splits.items()}
    return Task(first.get("task", path.stem), first.get("kind", "real"), frozen, first.get("stop", ""))


def _row(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"`{path}`, line {number} is not JSON ({error.msg}): write one object a line.") from error
    if not isinstance(row, dict):
        raise DataError(f"`{path}`, line {number} is no JSON object: write one object a line.", [row])
    return row


def _question(row: dict[str, Any], where: str) -> Question:
    for column in ("question_id", "prompt", "answer"):
        if not isinstance(row.get(column), str):
            raise DataError(f"`{column}` is missing or no text in {where}.", [row])
    if not row["answer"].startswith(" ") or row["prompt"].endswith(" "):
        raise DataError(f"the space before the answer must be the first character of `answer` in {where}.", [row])
    difficulty = row.get("difficulty")
    difficulty = math.nan if difficulty is None else float(difficulty)
    return Question(row["question_id"], row["prompt"], row["answer"], difficulty, row.get("split", "test"))


def write_lm_eval(task: Task, dir: str | Path) -> Path:
    """Write `NAME.jsonl` and `NAME.yaml` into `dir`, which `lm_eval --include_path DIR --tasks NAME` loads.

    Each question of the test split becomes one log-likelihood request for the answer after the prompt. Returns the path
    of the description.
    """
    import yaml

    dir = Path(dir)
    test = Task(task.name, task.kind, {"test": task.questions("test")}, task.stop)
    data = save(test, dir / f"{task.name}.jsonl").resolve()
    description = {
        "task": task.name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "loglikelihood",
        "doc_to_text": "{{prompt}}",
        "doc_to_target": "{{answer}}",
        "target_delimiter": "",
        "metric_list": [{"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False}],
        "metadata": {"version": 1},
    }
    return artefacts.write_text(dir / f"{task.name}.yaml", yaml.safe_dump(description, sort_keys=False))
