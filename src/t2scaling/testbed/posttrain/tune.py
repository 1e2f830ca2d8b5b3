"""Post-train one run on one task: `posttrain` from top to bottom.

    ft    loss on everything: the questions are further text
    sft   loss on the answer only

Six epochs, batches of 8, a constant rate, and the same number of steps for every checkpoint of a suite (Roberts et al.
2026, arXiv 2604.01411, appendix D). The result has the layout of a pretrained run, with its stage in run.json.
"""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from t2scaling import artefacts
from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.run_record import RunRecord, check_weights
from t2scaling.testbed.posttrain.examples import Examples, make_examples
from t2scaling.testbed.pretrain import checkpoint, distributed, read_run
from t2scaling.testbed.pretrain.device import place
from t2scaling.testbed.pretrain.fingerprint import check_fingerprint, fingerprint
from t2scaling.testbed.pretrain.lock import run_lock
from t2scaling.testbed.pretrain.loop import Loop, Report
from t2scaling.testbed.pretrain.metrics import Metrics, final_loss
from t2scaling.testbed.pretrain.model import load_model
from t2scaling.testbed.pretrain.record import machine_facts
from t2scaling.testbed.pretrain.schedule import Schedule
from t2scaling.testbed.suite import ModelShape, TrainingConfig, training_bytes
from t2scaling.testbed.tasks import Task, load, read
from t2scaling.units import check_seed

MODES = ("ft", "sft")
PAPER_RATE = 2e-5


@dataclass(frozen=True)
class TuneConfig:
    """How a checkpoint is tuned; the defaults are the paper's, but for the rate of models of other widths.

    epochs          passes over the training questions
    batch_size      questions per step
    learning_rate   constant rate; None is the paper's 2e-5 times this run's peak rate over the paper's 3e-3, so that a
                    model trained at a higher rate is tuned at one
    seed            of the order of questions
    """

    epochs: int = 6
    batch_size: int = 8
    learning_rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"`{name}` = {getattr(self, name)!r} must be at least 1.")
        check_seed(self.seed)
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ArgumentError(f"`learning_rate` = {self.learning_rate!r} must be above zero.")


def posttrain(
    run_dir: str | Path,
    task: Task | str | Path,
    mode: str = "ft",
    out_dir: str | Path = "runs",
    *,
    epochs: int = 6,
    batch_size: int = 8,
    learning_rate: float | None = None,
    seed: int = 0,
    device: str = "auto",
    report: Report | None = None,
) -> Path:
    """Tune a pretrained run on the training questions of `task`; returns out_dir/<run_id>-<mode>-<task>.

    task    a task, a task's name, or a file of `tasks.save`
    mode    ft (loss on everything) or sft (loss on the answer only)
    The other arguments are those of `TuneConfig` and of `pretrain`. A run that is done is returned as it is. Raises
    SuiteError where the run is not finished or the task has no training split, DataError where the run's weights are
    damaged.
    """
    if mode not in MODES:
        raise ArgumentError(f"`mode` = {mode!r} is unknown: use one of {', '.join(MODES)}.")
    config = TuneConfig(epochs, batch_size, learning_rate, seed)
    base, questions = _pretrained(run_dir), _task(task)
    source = Path(run_dir) / "model"
    shape, training = ModelShape(**base["shape"]), TrainingConfig(**base["training"])
    folder = Path(out_dir) / f"{base['run_id']}-{mode}-{questions.name}"
    examples = make_examples(questions, source, mode, base["seq_len"])
    steps = examples.steps(batch_size, epochs)
    rate = learning_rate or PAPER_RATE * training.peak_rate(shape.width) / TrainingConfig().learning_rate
    mark = fingerprint(base["sha256"], mode, asdict(config), rate, examples.ids, examples.weights)
    where = place(device, training, training_bytes(shape, base["seq_len"]))
    with checkpoint.room(folder), run_lock(folder, wanted=where.main):
        distributed.wait(where.world)
        if (folder / "run.json").exists():
            check_fingerprint(folder, read_run(folder), mark)
            return folder
        model = load_model(source, shape, where)
        schedule = Schedule("constant", rate, 1, steps)
        loop = Loop(model, batch_size, examples.weights.shape[1], training, schedule, where, mark)
        notes = loop.resume(folder / "checkpoints")
        with Metrics(folder, folder.name, loop.step, enabled=where.main) as metrics:
            while loop.step < steps:
                loop.train_step(*examples.batch(loop.step, batch_size, seed))
                loop.log(metrics, report)
                loop.checkpoint_if_due(folder / "checkpoints", training.keep_checkpoints)
        weights = loop.model.state()
        if where.main:
            sha256 = checkpoint.save_model(folder / "model", loop.model.hf, weights, source)
            tuned = _facts(base, mode, questions.name, config, rate, examples, loop)
            result = {"loss": {"train": final_loss(folder)}, "sha256": sha256, "notes": notes}
            artefacts.write_json(folder / "run.json", tuned | machine_facts(where) | result)
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        distributed.wait(where.world)
    return folder


def _pretrained(run_dir: str | Path) -> dict[str, Any]:
    """run.json of a pretrained run, whose weights are checked."""
    base = read_run(run_dir)
    if base["stage"] != "base":
        raise SuiteError(f"`{run_dir}` is post-trained itself (stage {base['stage']}): begin from a pretrained run.")
    missing = [name for name in ("shape", "training", "seq_len", "sha256") if name not in base]
    if missing:
        raise SuiteError(f"run.json of `{run_dir}` lacks {', '.join(missing)}: train the run with `t2 pretrain`.")
    check_weights(run_dir, RunRecord.model_validate(base))
    return base


def _facts(
    base: dict[str, Any], mode: str, task: str, config: TuneConfig, rate: float, examples: Examples, loop: Loop
) -> dict[str, Any]:
    """run.json of a tuned run: N, D and FLOPs stay those of pretraining; what tuning added stands under `posttrain`."""
    return base | {
        "run_id": f"{base['run_id']}-{mode}-{task}",
        "base_run_id": base["run_id"],
        "base_sha256": base["sha256"],
        "stage": mode,
        "fingerprint": loop.fingerprint,
        "posttrain": {
            **asdict(config),
            "task": task,
            "learning_rate": rate,
            "n_questions": len(examples),
            "n_truncated": examples.n_truncated,
            "steps": loop.step,
            "tokens": int(config.epochs * examples.lengths.sum()),
            "seconds": loop.seconds,
        },
    }


def _task(task: Task | str | Path) -> Task:
    if isinstance(task, Task):
        return task
    return read(task) if Path(task).is_file() else load(str(task))
