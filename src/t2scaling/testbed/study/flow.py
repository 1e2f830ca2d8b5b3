"""A study from its file to its report: plan → corpus → pretrain → evaluate → (posttrain → evaluate) → collect → fit
→ plan → report (→ forecast, and when started again: pretrain → evaluate → verdict).

`open_study` checks everything that can be checked before anything is trained. `study` hands the missing jobs to the
machine's workers and then lets `finish` put the results together. A failed job is reported and stops no other; what
can be fitted without it is fitted.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.artefacts import write_json, write_text
from t2scaling.costs import sample_flops
from t2scaling.errors import SuiteError
from t2scaling.foreign import read_text
from t2scaling.foreign.models import call
from t2scaling.testbed import lease, need_training_extra
from t2scaling.testbed.study.config import SuiteSection, check_keys, read_config
from t2scaling.testbed.study.desk import Desk, State, Status
from t2scaling.testbed.study.finish import Finished, finish
from t2scaling.testbed.study.jobs import Study, make_jobs
from t2scaling.testbed.study.layout import Layout
from t2scaling.testbed.study.starters import Place, start
from t2scaling.testbed.study.starters.places import places
from t2scaling.testbed.study.status import Overview
from t2scaling.testbed.study.validation import of_forecast, write_forecast, write_verdict
from t2scaling.units import check_seed, format_flops

if TYPE_CHECKING:
    from t2scaling.testbed.suite import Suite

Watch = Callable[[Overview], None]
_MOST_SKEW = 30.0  # seconds that clocks may be apart before leases mean nothing


@dataclass(frozen=True)
class StudyResult:
    """What came of a study.

    study      as it was read
    began      how it stood before
    ended      how it stands now
    finished   the artefacts that were put together at the end; None where a run failed before anything could be
    verdict    predicted beside measured, for each point of the forecast, where there is one (see `forecast.judge`)
    """

    study: Study
    began: Overview
    ended: Overview
    finished: Finished | None = None
    verdict: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, Status]:
        """The jobs that failed, or were blocked by one that did."""
        return self.ended.failed()

    @property
    def done(self) -> list[str]:
        """The jobs that were done in this call."""
        before = {name for name, status in self.began.found.items() if status.state is State.DONE}
        return [n for n, status in self.ended.found.items() if status.state is State.DONE and n not in before]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        desk = Desk(self.study.layout.root)
        failed = {name: {"error": s.note, "log": str(desk.log(name))} for name, s in self.failed.items()}
        return {
            "name": self.study.config.name,
            "folder": str(self.study.layout.root),
            "done": self.done,
            "failed": failed,
            "artefacts": self.finished.to_dict() if self.finished else {},
            "verdict": self.verdict,
        }


def open_study(
    path: str | Path, out: str | Path | None = None, jobs: int | None = None, seed: int | None = None
) -> Study:
    """Read a study file and check it against its suite, its tasks, and what its folder holds.

    out, jobs  override the file's
    seed       of initial weights and the order of the text, instead of the suite's
    Raises SuiteError, naming the key and a way out. Nothing is written.
    """
    config = read_config(path)
    changes = {"out": Path(out) if out is not None else config.out, "jobs": jobs or config.jobs}
    config = config.model_copy(update=changes)
    try:
        suite = make_suite(config.suite, Path(path))
        suite = suite if seed is None else replace(suite, seed=check_seed(seed))
        study = Study(config, suite, Layout(config.out))
        _check_tasks(study)
        _check_budgets(study)
        _check_folder(study)
    except SuiteError as error:
        if str(path) in str(error):
            raise
        raise SuiteError(f"`{path}`: {error}") from None
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
        return call(recipe, section.arguments, f"`{path}`: `suite.arguments`", SuiteError)
    except (TypeError, ValueError) as error:
        raise SuiteError(f"`{path}`: `suite`: {str(error).rstrip('.')}. Correct its `arguments`.") from error


def study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    seed: int | None = None,
    on: str = "local",
    join: bool = False,
    retry: bool = False,
    options: dict[str, Any] | None = None,
    watch: Callable[[], AbstractContextManager[Watch | None]] = nullcontext,
    say: Callable[[str], None] | None = None,
) -> StudyResult:
    """Carry out a study file; starting it again does only what is missing.

    out, jobs  override the file's folder and number of workers
    seed       of initial weights and the order of the text, instead of the suite's
    on         where workers run: a name in `starters.STARTERS`, with `options` for it
    join       work along and leave when nothing is left; another puts the results together
    retry      begin the jobs anew that have failed
    watch      a context that yields a callable which is shown an overview while jobs run
    say        is told in a sentence what goes on besides the jobs
    Raises SuiteError for a study that cannot be carried out, before anything is trained. Failed jobs raise nothing:
    they are in the result.
    """
    tell = say or (lambda sentence: None)
    opened = open_study(path, out, jobs, seed)
    if not all(job.done for job in make_jobs(opened)):
        need_training_extra("a study")
    _write_down(opened, path)
    here = _workers(opened, on, join, dict(options or {}), tell)
    options = {name: value for name, value in (options or {}).items() if name != "gpus"}
    began, ended = carry_out(opened, here, tell, watch, on=on, retry=retry, options=options)
    if join:
        return StudyResult(opened, began, ended)
    section, verdict = opened.config.validation, []
    if section is not None and opened.layout.forecast.is_file() and not ended.failed():
        more = carry_out(of_forecast(opened), here, tell, watch, on=on, retry=retry, options=options)
        began, ended, verdict = began.beside(more[0]), ended.beside(more[1]), write_verdict(opened, tell)
    result = StudyResult(opened, began, ended, finish(opened, tell), verdict)
    if section is not None and not opened.layout.forecast.is_file() and result.finished and not result.failed:
        write_forecast(opened, section, tell)
    return result


def _workers(opened: Study, on: str, join: bool, options: dict[str, Any], tell: Callable[[str], None]) -> list[Place]:
    """The places for workers: GPUs in groups as large as the largest run needs, or as `--on engine:gpus=N` says."""
    local = on == "local"
    jobs = [job for job in make_jobs(opened) if not job.done]
    needed = max((job.gpus for job in jobs), default=0)
    each = int(options.get("gpus", max(needed, 1) if local else 0))
    here = places(opened.config.jobs, opened.config.device, each, here=local)
    short = [job.id for job in jobs if job.gpus > max(place.gpus for place in here)]
    if short:
        problem = f"`{short[0]}` (of {len(short)} jobs) needs {needed} GPUs of one machine, and no worker here has them"
        if not join:
            raise SuiteError(
                f"{problem}: leave them to other machines with --join here, or say how many GPUs workers have "
                "elsewhere with --on slurm:gpus=N or --on ray:gpus=N."
            )
        tell(f"{problem}: they are left to others")
    return here


def _write_down(opened: Study, path: str | Path) -> None:
    """What workers read, in the study's folder, which must be one that workers can share."""
    layout = opened.layout
    layout.root.mkdir(parents=True, exist_ok=True)
    skew = lease.clock_skew(layout.root)
    if abs(skew) > _MOST_SKEW:
        raise SuiteError(
            f"`out` = {layout.root}: this machine's clock is {skew:+.0f} s off the file system's, and leases count "
            "seconds: set the clocks alike (within 30 s)."
        )
    opened.suite.save(layout.suite)
    write_text(layout.root / "study.yaml", read_text(path))


def carry_out(
    opened: Study,
    here: list[Place],
    tell: Callable[[str], None],
    watch: Callable[[], AbstractContextManager[Watch | None]] = nullcontext,
    *,
    on: str = "local",
    retry: bool = False,
    options: dict[str, Any] | None = None,
) -> tuple[Overview, Overview]:
    """Have the missing jobs of a study done; returns how it stood before and how it stands now."""
    layout, desk, jobs = opened.layout, Desk(opened.layout.root), make_jobs(opened)
    write_json(layout.config, opened.config.model_dump(mode="json"))
    desk.write_jobs(jobs)
    if retry:
        desk.retry()
    done: set[str] = set()
    began = Overview(jobs, desk.survey(jobs, done))
    missing = [name for name, status in began.found.items() if status.state is not State.DONE]
    tell(f"{opened.config.name}: {len(opened.suite.cells)} cells, {len(missing)} jobs to do in {layout.root}")
    if not began.active:
        return began, began
    since, before = time.time(), frozenset(done)

    def seen() -> Overview:
        return Overview(jobs, desk.survey(jobs, done), before, since)

    with watch() as show:
        start(on, layout.root, here[: len(missing)], options or {}, (lambda: show(seen())) if show else lambda: None)
        ended = seen()
        if show:
            show(ended)
    return began, ended


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
    for name in given.posttrain.tasks:
        if name in tasks.UNTRAINED:
            raise SuiteError(f"`posttrain.tasks`: {name} has no training questions to tune on: leave it out.")
    for name, path in given.evaluate.paths.items():
        if not path.exists():
            raise SuiteError(f"`evaluate.paths.{name}` = {path}: there is no such file or folder.")
    known = {"macro", *study.tasks}
    if given.fit.task not in known:
        raise SuiteError(
            f"`fit.task` = {given.fit.task!r} is not measured here: use one of {', '.join(sorted(known))}."
        )


def _check_budgets(study: Study) -> None:
    """Every inference budget buys a sample of the smallest model: fits and plans at the end would refuse another."""
    given, least = study.config, float(sample_flops(min(cell.n_params for cell in study.suite.cells), 1))
    forecast = given.validation.inference_flops if given.validation else ()
    for key, budgets in (
        ("fit.inference_flops", (given.fit.inference_flops,)),
        ("plan.inference_flops", (given.plan.inference_flops,)),
        ("validate.inference_flops", forecast),
    ):
        for budget in budgets:
            if budget is not None and budget < least:
                raise SuiteError(
                    f"`{key}` = {format_flops(budget)} buys no sample of the suite's smallest model (2·N = "
                    f"{format_flops(least)} FLOPs per token): raise it, or leave it out for one sample of the largest."
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
