"""The jobs of a study: one to prepare, one per cell, one per post-training run.

A cell's job trains it and measures it, while the model is warm; a post-training job follows its cell. Each names the
artefacts that it makes: where they stand it is done, so starting a study again does only what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.errors import SuiteError
from t2scaling.foreign import read_json, validate
from t2scaling.testbed.study.config import StudyConfig
from t2scaling.testbed.study.desk import Job
from t2scaling.testbed.study.layout import Layout

if TYPE_CHECKING:
    from t2scaling.testbed.suite import Cell, Suite

PREPARE = "prepare"
_STEPS = "t2scaling.testbed.study.steps"
# Measuring one task, and post-training on one, cost about as much as training on so many tokens.
_MEASURE_TOKENS = 1e4
_TUNE_TOKENS = 2e5


@dataclass(frozen=True)
class Study:
    """A checked study: its file, its suite, and its folder."""

    config: StudyConfig
    suite: Suite
    layout: Layout

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that every pretrained cell is measured on."""
        return self.suite.tasks if self.config.evaluate.tasks is None else self.config.evaluate.tasks

    @property
    def sample_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that are sampled as well."""
        given = self.config.evaluate
        if not given.samples:
            return ()
        return self.tasks if given.sample_tasks is None else given.sample_tasks

    @property
    def all_tasks(self) -> tuple[str, ...]:
        """Names of all tasks that the study needs the questions of."""
        return tuple(dict.fromkeys((*self.tasks, *self.sample_tasks, *self.config.posttrain.tasks)))

    def measurements(self) -> list[tuple[str, str]]:
        """(task, mode) of every measurement of one pretrained cell."""
        return [(task, "nll") for task in self.tasks] + [(task, "sample") for task in self.sample_tasks]

    def gpus(self, cell: Cell) -> int:
        """GPUs that the training of a cell needs; 0 where one device of any kind does."""
        from t2scaling.testbed.suite import gpus_needed

        if self.config.device == "cpu":
            return 0
        needed = gpus_needed(cell.shape, self.suite.seq_len, self.config.gpu_memory)
        return needed if needed > 1 else 0

    def tunings(self, cell: Cell) -> list[tuple[str, str]]:
        """(task, mode) of every post-training run that starts from a cell."""
        given = self.config.posttrain
        budgets = sorted({other.level for other in self.suite.cells})
        if given.levels is not None and (cell.level < budgets[-given.levels :][0] or cell.seed):
            return []
        return [(task, mode) for task in given.tasks for mode in given.modes]


def load_study(folder: str | Path) -> Study:
    """The study that lives in a folder, from its study.json and suite.json. Raises SuiteError where there is none."""
    from t2scaling.testbed.suite import Suite

    layout = Layout(Path(folder).absolute())
    if not layout.config.is_file():
        raise SuiteError(f"`{folder}` holds no study.json: give the folder of a study that `t2 study FILE` began.")
    config = validate(StudyConfig, read_json(layout.config), str(layout.config))
    return Study(config, Suite.load(layout.suite), layout)


def make_jobs(study: Study) -> list[Job]:
    """All jobs of the study, those that are done included."""
    layout = study.layout
    makes = (str(layout.corpus / "corpus.json"), *(str(layout.task(task)) for task in study.all_tasks))
    first = Job(PREPARE, f"{_STEPS}:prepare", {"folder": _folder(study)}, makes)
    jobs = [job for cell in study.suite.cells for job in _of_cell(study, cell)]
    jobs = _one_size_after_another(study.suite, jobs)
    return [first, *(replace(job, after=(*job.after, PREPARE)) for job in jobs)]


def cell_done(study: Study, run_id: str) -> bool:
    """Whether a cell is trained and measured."""
    layout = study.layout
    wanted = (layout.measurement(run_id, task, mode) for task, mode in study.measurements())
    return layout.trained(run_id) and all(path.is_file() for path in wanted)


def train_seconds(suite: Suite, cell: Cell) -> float:
    """Expected seconds of training one cell on one CPU thread; on other devices it still orders the cells."""
    from t2scaling.testbed.suite import suite_cost

    return suite_cost(replace(suite, cells=(cell,)), "cpu").hours * 3600


def _of_cell(study: Study, cell: Cell) -> list[Job]:
    run_id, layout = cell.run_id, study.layout
    per_token = train_seconds(study.suite, cell) / cell.n_tokens
    common = {"folder": _folder(study), "run_id": run_id}
    measured = study.measurements()
    tables = [layout.measurement(run_id, task, mode) for task, mode in measured]
    costs = per_token * cell.n_tokens, per_token * _MEASURE_TOKENS * len(measured)
    train = Job(run_id, f"{_STEPS}:cell", common, cost=costs[0], gpus=study.gpus(cell))
    jobs = _measured(study, train, layout.run_facts(run_id), tables, costs[1])
    for task, mode in study.tunings(cell):
        name = layout.tuned_id(run_id, task, mode)
        arguments = {**common, "task": task, "mode": mode}
        cost = per_token * _TUNE_TOKENS
        tune = Job(name, f"{_STEPS}:tune", arguments, after=(run_id,), cost=cost, gpus=study.gpus(cell))
        tables = [layout.tuned_measurement(run_id, task, mode)]
        jobs += _measured(study, tune, layout.run_facts(name), tables, per_token * _MEASURE_TOKENS)
    return jobs


def _measured(study: Study, train: Job, facts: Path, tables: list[Path], cost: float) -> list[Job]:
    """The job that trains and measures; where vLLM measures, the two are apart, so that a worker with a GPU has it."""
    if study.config.evaluate.engine == "transformers":
        return [replace(train, makes=_texts([facts, *tables]), cost=train.cost + cost)]
    gpus = 0 if study.config.device == "cpu" else 1
    measure = Job(
        f"{train.id}-evaluate", f"{_STEPS}:measure", train.arguments, _texts(tables), (train.id,), cost=cost, gpus=gpus
    )
    return [replace(train, makes=_texts([facts])), measure]


def _texts(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(str(path.absolute()) for path in paths)


def _one_size_after_another(suite: Suite, jobs: list[Job]) -> list[Job]:
    """With a shared trunk, the runs of one size go one by one: each extends the trunk of the one before.

    One that fails stops none of the others, since each can train what is missing of the trunk.
    """
    if suite.training.schedule != "wsd":
        return jobs
    trunk = {cell.run_id: (cell.shape, cell.seed) for cell in suite.cells}
    tokens = {cell.run_id: cell.n_tokens for cell in suite.cells}
    last: dict[Any, str] = {}
    chained = {}
    for job in sorted((job for job in jobs if job.id in trunk), key=lambda job: tokens[job.id]):
        before = last.get(trunk[job.id])
        chained[job.id] = job if before is None else replace(job, behind=(before,))
        last[trunk[job.id]] = job.id
    return [chained.get(job.id, job) for job in jobs]


def _folder(study: Study) -> str:
    return str(study.layout.root.absolute())
