"""What workers do: prepare text and questions, train and measure a cell, tune and measure it again.

Each function is named by a `Job` and called in a worker process with JSON arguments, under the lease of its work. It
looks what is missing and does that.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from t2scaling.testbed import stop
from t2scaling.testbed.study.jobs import Study, load_study
from t2scaling.testbed.study.starters.places import cores
from t2scaling.testbed.study.status import duration

if TYPE_CHECKING:
    from t2scaling.testbed.tasks import Task


def prepare(folder: str) -> str:
    """Prepare the corpus and write down the questions of every task."""
    return _prepare(load_study(folder))


def cell(folder: str, run_id: str) -> str:
    """Train one cell unless it is trained, and make the measurements that are missing."""
    study = load_study(folder)
    trained = _train(study, run_id)
    stop.raise_if_asked()
    measured = _measure(study, run_id)
    return ", ".join(part for part in (trained, measured) if part) or "done by another worker"


def tune(folder: str, run_id: str, task: str, mode: str) -> str:
    """Post-train one cell on one task unless it is done, and measure it on that task."""
    return _tune(load_study(folder), run_id, task, mode)


def _train(study: Study, run_id: str) -> str:
    if study.layout.trained(run_id):
        return ""
    from t2scaling.testbed.pretrain import pretrain

    start = time.monotonic()
    pretrain(study.suite, run_id, study.layout.runs, study.layout.corpus, device=study.config.device)
    return f"trained in {duration(time.monotonic() - start)}"


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
        posttrain(
            layout.run(run_id), layout.task(task), mode, layout.runs, seed=config.seed, device=config.device, **options
        )
        stop.raise_if_asked()
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
