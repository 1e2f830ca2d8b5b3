"""Tasks by name."""

from pathlib import Path

from t2scaling.errors import SuiteError
from t2scaling.testbed.tasks.base import Task
from t2scaling.testbed.tasks.files import read
from t2scaling.testbed.tasks.generated import GENERATED, generate
from t2scaling.testbed.tasks.real import REAL, load_real
from t2scaling.units import check_seed

NAMES = (*REAL, *GENERATED)


def load(name: str, *, seed: int = 0, path: str | Path | None = None, revision: str | None = None) -> Task:
    """The task `name`.

    seed       of the generated tasks' choice of questions
    path       real tasks: a local copy in the dataset's own schema (see `tasks.real`); others: a file of `save`
    revision   real tasks: branch, tag or commit on the hub
    Raises SuiteError for an unknown name, PrerequisiteError where a dataset cannot be had.
    """
    check_seed(seed, "task_seed")
    if name in REAL:
        return load_real(name, path=path, revision=revision)
    if name not in GENERATED:
        raise SuiteError(f"`{name}` is no task: use one of {', '.join(NAMES)}.")
    return generate(name, seed) if path is None else read(path)
