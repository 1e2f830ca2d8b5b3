"""Which questions are asked: a task by its name, a JSONL file of questions, or a task in hand."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from t2scaling.errors import DataError
from t2scaling.testbed.tasks import Question, Task


@dataclass(frozen=True)
class Asked:
    """The test questions of one task.

    digest  changes when any question changes
    stop    the text that every answer ends with, "" where there is none
    """

    task: str
    questions: tuple[Question, ...]
    digest: str
    stop: str = ""


def resolve(task: str | Path | Task, seed: int = 0) -> Asked:
    """The test questions that `task` names.

    task  a name in `tasks.NAMES`, name=path for a local copy of a real task, a path that ends in .jsonl, or a
          `tasks.Task`
    seed  of a task that is generated here
    Raises DataError for an unknown name, an unreadable file, a task without questions or with ids that repeat.
    """
    if isinstance(task, str | Path):
        return _load(str(task), seed)
    return _asked(task)


@lru_cache(maxsize=16)
def _load(name: str, seed: int) -> Asked:
    from t2scaling.testbed import tasks

    task, _, copy = name.partition("=")
    if task in tasks.NAMES and copy:
        return _asked(tasks.load(task, seed=seed, path=copy))
    return _asked(tasks.read(name) if name.endswith(".jsonl") else tasks.load(name, seed=seed))


def _asked(task: Task) -> Asked:
    questions = tuple(task.questions("test"))
    if not questions:
        raise DataError(f"task `{task.name}` has no test questions.")
    counts = Counter(question.question_id for question in questions)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise DataError(
            f"task `{task.name}` gives the id {repeated[0]} to {counts[repeated[0]]} questions.", repeated[:5]
        )
    digest = hashlib.sha256()
    for question in questions:
        digest.update("\0".join((question.question_id, question.prompt, question.answer, "")).encode())
    return Asked(task.name, questions, digest.hexdigest(), task.stop)
