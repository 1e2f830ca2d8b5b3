"""Pretrain one run of a suite: `pretrain` from top to bottom.

    runs/<run_id>/  checkpoints/step-N/   while it lasts; see checkpoint.py
                    metrics.jsonl         loss and speed along the way; see metrics.py
                    model/                the final Hugging Face folder, tokenizer included
                    run.json              the facts of the run, written last: a run is done if and only if it is there

The same suite, seed and machine give the same weights bit for bit, however often the run was interrupted: the batch of
a step is a function of the step, nothing else is drawn at random, and checkpoints hold everything that a step reads.
"""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from t2scaling import artefacts
from t2scaling.corpus import Corpus, open_corpus
from t2scaling.errors import SuiteError
from t2scaling.pretrain import checkpoint
from t2scaling.pretrain.data import split, validation_loss
from t2scaling.pretrain.device import Place, micro_batch, place
from t2scaling.pretrain.lock import run_lock
from t2scaling.pretrain.metrics import Metrics
from t2scaling.pretrain.model import Model, build
from t2scaling.pretrain.optimizer import FlatAdamW
from t2scaling.pretrain.schedule import Schedule, schedule_for
from t2scaling.suite import Cell, Suite, TrainingConfig

Report = Callable[[dict[str, float]], None]


def pretrain(
    suite: Suite,
    run_id: str,
    out_dir: str | Path,
    corpus_dir: str | Path,
    *,
    device: str = "auto",
    trackers: tuple[str, ...] = (),
    report: Report | None = None,
) -> Path:
    """Train the run `run_id` of `suite` and return its folder out_dir/run_id.

    device     auto, cpu or cuda
    trackers   tensorboard, trackio: where metrics go besides metrics.jsonl
    report     called with each row of metrics

    A run that is done is returned as it is; one that was interrupted goes on from its newest undamaged checkpoint.
    Raises SuiteError where suite and corpus do not fit, RunBusyError where another process trains this run.
    """
    cell = suite.cell(run_id)
    folder = Path(out_dir) / run_id
    corpus = open_corpus(corpus_dir)
    train_part, heldout = split(corpus, suite)
    with run_lock(folder):
        if (folder / "run.json").exists():
            return folder
        where = place(device, suite.training)
        model = build(cell.shape, suite.seq_len, seed=suite.seed, init_std=suite.training.init_std, device=where.device)
        schedule = schedule_for(cell, suite.training, suite.seq_len)
        loop = Loop(model, cell.batch_size, suite.seq_len, suite.training, schedule, where)
        notes = loop.resume(folder / "checkpoints")
        metrics = Metrics(folder, run_id, loop.step, trackers)
        for step in range(loop.step, schedule.steps):
            loop.train_step(train_part.batch(step, cell.batch_size, suite.seq_len, suite.seed))
            loop.log(metrics, report)
            loop.checkpoint_if_due(folder / "checkpoints")
        metrics.close()
        weights = checkpoint.save_model(folder / "model", model, corpus.tokenizer_dir)
        losses = {"train": loop.last_ce, "validation": validation_loss(model, heldout, where)}
        artefacts.write_json(
            folder / "run.json", facts(suite, cell, corpus, loop) | {"loss": losses, "sha256": weights, "notes": notes}
        )
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return folder


class Loop:
    """The state of a run between steps, and what happens in one.

    step      steps taken so far
    seconds   time spent in steps, over all processes that worked on the run
    """

    def __init__(
        self, model: Model, batch_size: int, seq_len: int, config: TrainingConfig, schedule: Schedule, where: Place
    ) -> None:
        self.model, self.config, self.schedule, self.place = model, config, schedule, where
        self.batch_size, self.seq_len = batch_size, seq_len
        self.optimizer = FlatAdamW(model, config)
        self.micro = micro_batch(model.shape, -(-batch_size // where.world), seq_len, where)
        self.step, self.seconds, self.last_ce = 0, 0.0, float("nan")
        self._clock = self._saved = time.monotonic()
        self._logged_seconds = 0.0
        self._sums: list[Tensor] = []
        self._norm: Tensor | None = None

    def train_step(self, batch: Any) -> None:
        """One optimiser step on a batch of token ids, (batch_size, seq_len + 1)."""
        mine = torch.from_numpy(batch[self.place.rank :: self.place.world]).to(self.place.device, non_blocking=True)
        for part in mine.split(self.micro):
            share = len(part) / len(batch)
            loss, ce = self.model.loss(part[:, :-1], part[:, 1:], self.config.z_loss)
            (loss * share).backward()
            self._sums.append(torch.stack((loss.detach(), ce)) * share)
        if self.place.world > 1:
            self.model.grads.copy_(self.place.accelerator.reduce(self.model.grads, "sum"))
        self._norm = self.optimizer.step(self.schedule.rate(self.step))
        self.step += 1

    def log(self, metrics: Metrics, report: Report | None) -> None:
        """Write a row of metrics if one is due; only then does the device have to catch up."""
        every = self.config.log_every
        if self.step % every and self.step != self.schedule.steps:
            return
        steps = self.step % every or every
        loss, self.last_ce = (torch.stack(self._sums).sum(0) / steps).tolist()
        self._sums = []
        self._tick()
        elapsed, self._logged_seconds = self.seconds - self._logged_seconds, self.seconds
        per_step = self.batch_size * self.seq_len
        row = {
            "step": self.step,
            "tokens": self.step * per_step,
            "loss": loss,
            "cross_entropy": self.last_ce,
            "learning_rate": self.schedule.rate(self.step - 1),
            "grad_norm": float(self._norm) if self._norm is not None else float("nan"),
            "tokens_per_second": steps * per_step / max(elapsed, 1e-9),
        }
        metrics.row(**row)
        if report is not None:
            report(row)

    def checkpoint_if_due(self, root: Path) -> None:
        """Write a checkpoint between two rows of metrics, if enough time has passed and the run is not at its end."""
        due = time.monotonic() - self._saved >= self.config.checkpoint_seconds
        if due and self.step % self.config.log_every == 0 and self.step < self.schedule.steps:
            self.save(root, self.config.keep_checkpoints)

    def save(self, root: Path, keep: int | None) -> None:
        """Write a checkpoint of this step."""
        self._tick()
        if self.place.rank == 0:
            state = {"step": self.step, "seconds": self.seconds, "last_ce": self.last_ce}
            checkpoint.save(root, self.model, self.optimizer.moments, state, keep)
        self._clock = self._saved = time.monotonic()

    def resume(self, root: Path, at_most: int | None = None) -> list[str]:
        """Go on from the newest undamaged checkpoint, if any; returns a sentence for each that was damaged."""
        folder, notes = checkpoint.latest(root, at_most)
        if folder is not None:
            state = checkpoint.load(folder, self.model, self.optimizer.moments)
            self.optimizer.restored()
            self.step, self.seconds, self.last_ce = state["step"], state["seconds"], state["last_ce"]
            self._logged_seconds = self.seconds
        self._clock = self._saved = time.monotonic()
        return notes

    def _tick(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._clock
        self._clock = now


def facts(suite: Suite, cell: Cell, corpus: Corpus, loop: Loop) -> dict[str, Any]:
    """What run.json says of a finished run, apart from its losses."""
    import transformers

    from t2scaling import __version__

    return {
        "run_id": cell.run_id,
        "stage": "base",
        "suite": suite.name,
        "n_params": cell.n_params,
        "convention": suite.convention,
        "n_params_by_group": cell.shape.groups(),
        "n_tokens": cell.n_tokens,
        "unique_tokens": corpus.unique_tokens(cell.n_tokens, suite.seq_len),
        "train_flops": cell.train_flops,
        "level": cell.level,
        "overtrained": cell.overtrained,
        "seed": suite.seed,
        "steps": loop.step,
        "batch_size": cell.batch_size,
        "seq_len": suite.seq_len,
        "seconds": loop.seconds,
        "tokens_per_second": cell.n_tokens / max(loop.seconds, 1e-9),
        "shape": cell.shape.to_dict(),
        "training": suite.training.to_dict(),
        "precision": str(loop.model.dtype).removeprefix("torch."),
        "device": _device_name(loop.place),
        "threads": torch.get_num_threads(),
        "versions": {
            "t2scaling": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
        },
    }


def _device_name(where: Place) -> str:
    return torch.cuda.get_device_name(where.device) if where.device.type == "cuda" else f"cpu ({platform.machine()})"


def read_run(folder: str | Path) -> dict[str, Any]:
    """run.json of a finished run. Raises SuiteError where there is none."""
    path = Path(folder) / "run.json"
    if not path.exists():
        raise SuiteError(f"`{folder}` is no finished run (no run.json): train it with `t2 pretrain` first.")
    content: dict[str, Any] = json.loads(path.read_text())
    return content
