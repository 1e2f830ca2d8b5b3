"""Tasks as files: JSON Lines, one question a row, for this package and for lm-eval alike."""

import math
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, StrictStr

from t2scaling import artefacts
from t2scaling.errors import DataError, PrerequisiteError
from t2scaling.foreign import read_jsonl_rows, safe_name, validate
from t2scaling.testbed.tasks.base import Question, Task

_COLUMNS = ("question_id", "prompt", "answer", "difficulty", "split", "chance")


class Row(BaseModel):
    """One line of a file of questions; other keys are somebody else's."""

    question_id: StrictStr
    prompt: StrictStr
    answer: StrictStr
    difficulty: float | None = None
    chance: Annotated[float, Field(ge=0, le=1)] | None = None
    split: StrictStr = "test"
    task: StrictStr | None = None
    kind: StrictStr = "real"
    stop: StrictStr = ""


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
    rows = [(validate(Row, row, f"`{path}`, line {number}"), number) for number, row in read_jsonl_rows(path)]
    if not rows:
        raise DataError(f"`{path}` has no questions: write one object on each line.")
    splits: dict[str, list[Question]] = {}
    for row, number in rows:
        if not row.answer.startswith(" ") or row.prompt.endswith(" "):
            where = f"`{path}`, line {number}"
            raise DataError(f"{where}: the space before the answer must be the first character of `answer`.", [row])
        difficulty, chance = (math.nan if value is None else value for value in (row.difficulty, row.chance))
        question = Question(row.question_id, row.prompt, row.answer, difficulty, row.split, chance)
        splits.setdefault(row.split, []).append(question)
    ids = Counter(question.question_id for questions in splits.values() for question in questions)
    twice = [name for name, count in ids.items() if count > 1]
    if twice:
        raise DataError(f"`{path}` has question ids twice, such as {twice[0]}: make `question_id` unique.", twice[:5])
    first = rows[0][0]
    name = safe_name(path.stem if first.task is None else first.task, f"`task` of `{path}`, line {rows[0][1]}")
    return Task(name, first.kind, {split: tuple(questions) for split, questions in splits.items()}, first.stop)


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
