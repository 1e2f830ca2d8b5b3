"""What workers do: prepare text and questions, train and measure a cell, tune and measure it again.

Each function is named by a `Job` and called in a worker process with JSON arguments, under the lease of its work. It
looks what is missing and does that.
"""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.errors import SuiteError
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
    measured = "" if study.config.evaluate.engine == "vllm" else _measure(study, run_id)
    return ", ".join(part for part in (trained, measured) if part) or "done by another worker"


def tune(folder: str, run_id: str, task: str, mode: str) -> str:
    """Post-train one cell on one task unless it is done, and measure it on that task."""
    study, start = load_study(folder), time.monotonic()
    _tune(study, run_id, task, mode)
    stop.raise_if_asked()
    if study.config.evaluate.engine == "transformers":
        _measure_tuned(study, run_id, task, mode)
    return f"tuned in {duration(time.monotonic() - start)}"


def measure(folder: str, run_id: str, task: str | None = None, mode: str = "") -> str:
    """Measure a cell, or what came of post-training it on one task, where training is another's job."""
    study = load_study(folder)
    if task is None:
        return _measure(study, run_id) or "done by another worker"
    _measure_tuned(study, run_id, task, mode)
    return "measured"


def _train(study: Study, run_id: str) -> str:
    if study.layout.trained(run_id):
        return ""
    start, layout = time.monotonic(), study.layout
    arguments: dict[str, Any] = {"out_dir": layout.runs, "corpus_dir": layout.corpus, "device": study.config.device}
    gpus = study.gpus(study.suite.cell(run_id))
    if gpus:
        from t2scaling.testbed.pretrain.torchrun import on_processes

        on_processes(gpus, "t2scaling.testbed.pretrain:pretrain", study.suite, run_id=run_id, **arguments)
    else:
        from t2scaling.testbed.pretrain import pretrain

        pretrain(study.suite, run_id, **arguments)
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


def _tune(study: Study, run_id: str, task: str, mode: str) -> None:
    layout, config = study.layout, study.config
    if layout.trained(layout.tuned_id(run_id, task, mode)):
        return
    options = config.posttrain.model_dump(include={"epochs", "batch_size", "learning_rate"})
    arguments: dict[str, Any] = {
        "task": layout.task(task),
        "mode": mode,
        "seed": config.seed,
        "device": config.device,
        **options,
    }
    gpus = study.gpus(study.suite.cell(run_id))
    if gpus:
        from t2scaling.testbed.pretrain.torchrun import on_processes

        where: dict[str, Any] = {"run_dir": layout.run(run_id), "out_dir": layout.runs}
        on_processes(gpus, "t2scaling.testbed.posttrain:posttrain", **where, **arguments)
    else:
        from t2scaling.testbed.posttrain import posttrain

        posttrain(layout.run(run_id), out_dir=layout.runs, **arguments)


def _measure_tuned(study: Study, run_id: str, task: str, mode: str) -> None:
    layout = study.layout
    if not layout.tuned_measurement(run_id, task, mode).is_file():
        _evaluate(study, layout.run(layout.tuned_id(run_id, task, mode)), [task], "nll")


def _evaluate(study: Study, run_dir: Path, tasks: list[str], mode: str) -> None:
    """Measure a run; vLLM in a process of its own, which gives the GPU's memory back when it ends."""
    if not tasks:
        return
    if study.config.evaluate.engine == "transformers":
        evaluate_here(study, run_dir, tasks, mode)
        return
    process = get_context("spawn").Process(target=evaluate_here, args=(study, run_dir, tasks, mode), daemon=False)
    process.start()
    while process.is_alive():
        process.join(0.5)
        if stop.asked():
            process.terminate()
    stop.raise_if_asked()
    if process.exitcode:
        raise SuiteError(f"measuring `{run_dir.name}` by vLLM ended with exit code {process.exitcode}: see its output.")


def evaluate_here(study: Study, run_dir: Path, tasks: list[str], mode: str) -> None:
    """Measure a run on tasks in this process."""
    from t2scaling.testbed.evaluate import Settings, evaluate_tasks, open_run

    given = study.config.evaluate
    settings = Settings(
        mode=mode,
        n_samples=given.samples or 1,
        temperature=given.temperature,
        seed=study.config.seed,
        count_answers=given.count_answers and mode == "sample",
        backend=given.engine,
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
