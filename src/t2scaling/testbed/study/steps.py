"""What workers do: prepare text and questions, train and measure a cell, tune and measure it again.

Each function is named by a `Job` and called in a worker process with JSON arguments. It holds the lock of its work
while it looks what is missing and does it, so that two studies on one folder never do the same thing twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.testbed.study.config import StudyConfig
from t2scaling.testbed.study.jobs import PREPARE, Study
from t2scaling.testbed.study.layout import Layout
from t2scaling.testbed.study.local import cores
from t2scaling.testbed.study.locks import Busy, lock
from t2scaling.testbed.study.view import duration

if TYPE_CHECKING:
    from t2scaling.testbed.tasks import Task


def prepare(folder: str, config: dict[str, Any]) -> str:
    """Prepare the corpus and write down the questions of every task."""
    study = _study(folder, config)
    with lock(study.layout.lock(PREPARE)):
        return _prepare(study)


def cell(folder: str, config: dict[str, Any], run_id: str) -> str:
    """Train one cell unless it is trained, and make the measurements that are missing."""
    study = _study(folder, config)
    with lock(study.layout.lock(run_id)):
        trained = _train(study, run_id)
        measured = _measure(study, run_id)
    return ", ".join(part for part in (trained, measured) if part) or "done by another study"


def tune(folder: str, config: dict[str, Any], run_id: str, task: str, mode: str) -> str:
    """Post-train one cell on one task unless it is done, and measure it on that task."""
    study = _study(folder, config)
    name = study.layout.tuned_id(run_id, task, mode)
    with lock(study.layout.lock(name)):
        return _tune(study, run_id, task, mode)


def _study(folder: str, config: dict[str, Any]) -> Study:
    from t2scaling.testbed.suite import Suite

    layout = Layout(Path(folder))
    return Study(StudyConfig.model_validate(config), Suite.load(layout.suite), layout)


def _train(study: Study, run_id: str) -> str:
    if study.layout.trained(run_id):
        return ""
    from t2scaling.testbed.pretrain import pretrain

    start = time.monotonic()
    with _or_busy():
        pretrain(study.suite, run_id, study.layout.runs, study.layout.corpus, device=study.config.device)
    return f"trained in {duration(time.monotonic() - start)}"


@contextmanager
def _or_busy() -> Iterator[None]:
    """Come back later where a `t2 pretrain` or `t2 posttrain` of somebody's own is at the same run."""
    from t2scaling.testbed.pretrain import RunBusyError

    try:
        yield
    except RunBusyError as error:
        raise Busy(str(error)) from error


def _measure(study: Study, run_id: str) -> str:
    """Measure one pretrained cell on what is missing; the model is loaded once per way of measuring."""
    layout = study.layout
    missing = [item for item in study.measurements() if not layout.measurement(run_id, *item).is_file()]
    if not missing:
        return ""
    start = time.monotonic()
    for mode in ("nll", "sample"):
        _evaluate(study, layout.run(run_id), [task for task, way in missing if way == mode], mode)
    return f"measured on {len(missing)} tasks in {duration(time.monotonic() - start)}"


def _tune(study: Study, run_id: str, task: str, mode: str) -> str:
    layout, name = study.layout, study.layout.tuned_id(run_id, task, mode)
    start = time.monotonic()
    if not layout.trained(name):
        from t2scaling.testbed.posttrain import posttrain

        config, given = study.config, study.config.posttrain
        options = given.model_dump(include={"epochs", "batch_size", "learning_rate"})
        with _or_busy():
            posttrain(
                layout.run(run_id),
                layout.task(task),
                mode,
                layout.runs,
                seed=config.seed,
                device=config.device,
                **options,
            )
    if not layout.tuned_measurement(run_id, task, mode).is_file():
        _evaluate(study, layout.run(name), [task], "nll")
    return f"tuned and measured in {duration(time.monotonic() - start)}"


def _evaluate(study: Study, run_dir: Path, tasks: list[str], mode: str) -> None:
    if not tasks:
        return
    from t2scaling.testbed.evaluate import Settings, evaluate_tasks, open_run

    given = study.config.evaluate
    settings = Settings(
        mode=mode,
        n_samples=given.samples or 1,
        temperature=given.temperature,
        seed=study.config.seed,
        count_answers=given.count_answers and mode == "sample",
    )
    questions = [study.layout.task(task) for task in tasks]
    evaluate_tasks(open_run(run_dir), questions, study.layout.evals, settings)


def _prepare(study: Study) -> str:
    from t2scaling.testbed import tasks
    from t2scaling.testbed.posttrain.examples import make_examples
    from t2scaling.testbed.pretrain import check_plan, prepare_corpus

    start, suite, layout, config = time.monotonic(), study.suite, study.layout, study.config
    check_plan(suite, [cell.run_id for cell in suite.cells], layout.runs, config.jobs or cores())
    for name in study.all_tasks:
        if not layout.task(name).is_file():
            task = tasks.load(name, seed=suite.text_seed, path=config.evaluate.paths.get(name))
            tasks.save(_shortened(task, config.evaluate.questions), layout.task(name))
    text = prepare_corpus(suite, layout.corpus, config.jobs)
    for name in config.posttrain.tasks:
        # Refused now, and not after everything has been trained.
        make_examples(tasks.read(layout.task(name)), text.tokenizer_dir, "ft", suite.seq_len)
    return f"text and questions ready in {duration(time.monotonic() - start)}"


def _shortened(task: Task, n_questions: int | None) -> Task:
    """A task with its first test questions alone; training questions stay."""
    test = task.questions("test")[:n_questions]
    return replace(task, splits={**task.splits, "test": test})
