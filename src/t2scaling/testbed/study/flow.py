"""A study from its file to its report: plan → corpus → pretrain → evaluate → (posttrain → evaluate) → collect → fit
→ plan → report (→ forecast, and when started again: pretrain → evaluate → verdict).

`open_study` checks everything that can be checked before anything is trained. `study` hands the missing jobs to the
machine's workers and then lets `finish` put the results together. A failed job is reported and stops no other; what
can be fitted without it is fitted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.artefacts import write_text
from t2scaling.errors import SuiteError
from t2scaling.testbed import need_training_extra
from t2scaling.testbed.study.config import SuiteSection, check_keys, read_config
from t2scaling.testbed.study.finish import Finished, finish
from t2scaling.testbed.study.jobs import Study, make_jobs
from t2scaling.testbed.study.layout import Layout
from t2scaling.testbed.study.local import run_jobs, slots
from t2scaling.testbed.study.runner import Board, Outcome, State
from t2scaling.testbed.study.validation import of_forecast, write_forecast, write_verdict

if TYPE_CHECKING:
    from t2scaling.testbed.suite import Suite

Watch = Callable[[Board], None]


@dataclass(frozen=True)
class StudyResult:
    """What came of a study.

    study      as it was read
    outcomes   of every job that was started in this call, by id
    finished   the artefacts that were put together at the end; None where a run failed before anything could be
    verdict    predicted beside measured, for each point of the forecast, where there is one (see `forecast.judge`)
    """

    study: Study
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    finished: Finished | None = None
    verdict: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, Outcome]:
        """The jobs that failed, or were blocked by one that did."""
        return {n: o for n, o in self.outcomes.items() if o.state in (State.FAILED, State.BLOCKED)}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        done = [name for name, outcome in self.outcomes.items() if outcome.state is State.DONE]
        failed = {name: {"error": o.note, "log": o.log} for name, o in self.failed.items()}
        return {
            "name": self.study.config.name,
            "folder": str(self.study.layout.root),
            "done": done,
            "failed": failed,
            "artefacts": self.finished.to_dict() if self.finished else {},
            "verdict": self.verdict,
        }


def open_study(path: str | Path, out: str | Path | None = None, jobs: int | None = None) -> Study:
    """Read a study file and check it against its suite, its tasks, and what its folder holds.

    out, jobs  override the file's
    Raises SuiteError, naming the key and a way out. Nothing is written.
    """
    config = read_config(path)
    changes = {"out": Path(out) if out is not None else config.out, "jobs": jobs or config.jobs}
    config = config.model_copy(update=changes)
    study = Study(config, make_suite(config.suite, Path(path)), Layout(config.out))
    _check_tasks(study)
    _check_folder(study)
    return study


def make_suite(section: SuiteSection, path: Path) -> Suite:
    """The suite of a study file: its recipe called, or its file read. Raises SuiteError for what does not exist."""
    from t2scaling.testbed.suite import RECIPES, Suite

    if section.file is not None:
        return Suite.load(path.parent / section.file)
    try:
        check_keys([section.recipe], list(RECIPES), "recipe")
        recipe = RECIPES[str(section.recipe)]
        check_keys(section.arguments, list(inspect.signature(recipe).parameters))
        return recipe(**section.arguments)
    except (TypeError, ValueError) as error:
        raise SuiteError(f"`{path}`: `suite`: {error}") from error


def study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    watch: Callable[[], AbstractContextManager[Watch | None]] = nullcontext,
    say: Callable[[str], None] | None = None,
) -> StudyResult:
    """Carry out a study file; starting it again does only what is missing.

    out, jobs  override the file's folder and number of workers
    watch      a context that yields a callable which is shown the board while jobs run
    say        is told in a sentence what goes on besides the jobs
    Raises SuiteError for a study that cannot be carried out, before anything is trained. Failed jobs raise nothing:
    they are in the result.
    """
    tell = say or (lambda sentence: None)
    opened = open_study(path, out, jobs)
    board = Board(make_jobs(opened))
    if board.jobs:
        need_training_extra("a study")
    places = slots(opened.config.jobs, opened.config.device)
    opened.layout.root.mkdir(parents=True, exist_ok=True)
    opened.suite.save(opened.layout.suite)
    write_text(opened.layout.root / "study.yaml", Path(path).read_text())

    def carry_out(part: Study, board: Board, name: str) -> dict[str, Outcome]:
        tell(f"{name}: {len(part.suite.cells)} cells, {len(board.jobs)} jobs to do in {part.layout.root}")
        if not board.jobs:
            return {}
        with watch() as show:
            return run_jobs(board, places, part.layout.logs, show)

    outcomes = carry_out(opened, board, opened.config.name)
    result = StudyResult(opened, outcomes, finish(opened, tell))
    section = opened.config.validation
    if section is None or result.failed or result.finished is None:
        return result
    if not opened.layout.forecast.is_file():
        write_forecast(opened, section, tell)
        return result
    pointed_at = of_forecast(opened)
    outcomes |= carry_out(pointed_at, Board(make_jobs(pointed_at)), f"{opened.config.name}, forecast")
    return replace(result, outcomes=outcomes, verdict=write_verdict(opened, tell))


def _check_tasks(study: Study) -> None:
    """Every task exists, and those to tune on have a training split."""
    from t2scaling.testbed import tasks

    given = study.config
    for key, names in (
        ("evaluate.tasks", study.tasks),
        ("evaluate.sample_tasks", study.sample_tasks),
        ("posttrain.tasks", given.posttrain.tasks),
        ("evaluate.paths", given.evaluate.paths),
    ):
        try:
            check_keys(names, list(tasks.NAMES), "task")
        except ValueError as error:
            raise SuiteError(f"`{key}`: {error}") from error
    for name, path in given.evaluate.paths.items():
        if not path.exists():
            raise SuiteError(f"`evaluate.paths.{name}` = {path}: there is no such file or folder.")
    known = {"macro", *study.tasks}
    if given.fit.task not in known:
        raise SuiteError(
            f"`fit.task` = {given.fit.task!r} is not measured here: use one of {', '.join(sorted(known))}."
        )


def _check_folder(study: Study) -> None:
    """A folder holds one suite: what was trained for another cannot be taken for this one's."""
    if not study.layout.suite.is_file():
        return
    held = type(study.suite).load(study.layout.suite)
    if held != study.suite:
        raise SuiteError(
            f"`out` = {study.layout.root} holds the runs of another suite (`{held.name}`, {len(held.cells)} cells, "
            f"seed {held.seed}): choose another folder with `-o`, or delete that one."
        )
