"""The training loop's state between steps, and what happens in one step."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from t2scaling.costs import train_flops_per_token
from t2scaling.errors import SuiteError, T2Error
from t2scaling.testbed import stop
from t2scaling.testbed.pretrain import checkpoint, distributed
from t2scaling.testbed.pretrain.device import Place, micro_batch
from t2scaling.testbed.pretrain.fingerprint import check_fingerprint
from t2scaling.testbed.pretrain.metrics import Metrics
from t2scaling.testbed.pretrain.model import Model
from t2scaling.testbed.pretrain.optimizer import ready
from t2scaling.testbed.pretrain.schedule import Schedule
from t2scaling.testbed.suite import TrainingConfig

Report = Callable[[dict[str, float]], None]


class DivergedError(T2Error):
    """The loss of a run is no longer a number."""

    exit_code = 1


class Loop:
    """One model in training.

    step          steps taken so far
    tokens        targets of those steps, padding included
    seconds       time spent in steps, over all processes that worked on the run
    fingerprint   of all that decides the weights: a checkpoint with another one is refused
    """

    def __init__(
        self,
        model: Model,
        batch_size: int,
        seq_len: int,
        config: TrainingConfig,
        schedule: Schedule,
        where: Place,
        fingerprint: str = "",
    ) -> None:
        self.fingerprint = fingerprint
        if batch_size < where.world:
            raise SuiteError(f"{where.world} processes share batches of {batch_size} sequences: start at most so many.")
        self.config, self.schedule, self.place = config, schedule, where
        self.batch_size, self.seq_len = batch_size, seq_len
        self.model, self.optimizer = ready(model, config, where)
        self.micro = micro_batch(model.shape, -(-batch_size // where.world), seq_len, where)
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self._clock = self._saved = time.monotonic()
        self._logged = 0, 0.0
        self._sums: list[Tensor] = []
        self._norm: Tensor | None = None

    def train_step(self, batch: NDArray[np.int64], weights: NDArray[np.float32] | None = None) -> None:
        """One optimiser step on token ids (batch_size, seq_len + 1).

        weights   (batch_size, seq_len) weight of each target, 0 to leave it out; all count alike where left out
        """
        mine = slice(self.place.rank, None, self.place.world)
        ids = self._here(batch[mine])
        wanted = None if weights is None else self._here(weights[mine])
        # As many parts on every process, also where one has fewer rows: their weights are gathered together.
        for start in range(0, -(-len(batch) // self.place.world), self.micro):
            part = ids[start : start + self.micro]
            weight = None if wanted is None else wanted[start : start + self.micro]
            share = len(part) / len(batch) if weight is None or weights is None else weight.sum() / float(weights.sum())
            if not len(part):
                part, weight = ids[:1], None
            loss, ce = self.model.loss(part[:, :-1], part[:, 1:], self.config.z_loss, weight)
            (loss * share).backward()
            self._sums.append(torch.stack((loss.detach(), ce)) * share)
        if not self.place.sharded:
            distributed.summed(self.model.grads, self.place.world)
        self._norm = self.optimizer.step(self.schedule.rate(self.step))
        self.step += 1
        self.tokens += batch[:, 1:].size

    def log(self, metrics: Metrics, report: Report | None) -> None:
        """Write a row of metrics if one is due; only then does the device have to catch up.

        Raises DivergedError where the loss is no longer finite.
        """
        every = self.config.log_every
        if self.step % every and self.step != self.schedule.steps:
            return
        steps = self.step % every or every
        total = distributed.summed(torch.stack(self._sums).sum(0), self.place.world)
        loss, ce = (total / steps).tolist()
        self._sums = []
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss is {loss} at step {self.step}: lower `learning_rate` = {self.config.learning_rate:g}, "
                "or lengthen the warmup."
            )
        self._tick()
        speed = (self.tokens - self._logged[0]) / max(self.seconds - self._logged[1], 1e-9)
        self._logged = self.tokens, self.seconds
        row = {
            "step": self.step,
            "tokens": self.tokens,
            "loss": loss,
            "cross_entropy": ce,
            "learning_rate": self.schedule.rate(self.step - 1),
            "grad_norm": float(self._norm) if self._norm is not None else float("nan"),
            "tokens_per_second": speed,
        }
        if self.place.peak is not None:
            flops = train_flops_per_token(self.model.shape, self.seq_len)
            row["utilisation"] = speed * flops / (self.place.peak * self.place.world)
        metrics.row(**row)
        if report is not None:
            report(row)

    def checkpoint_if_due(self, root: Path, keep: int | None) -> None:
        """Write a checkpoint between two rows of metrics, if enough time has passed and the run is not at its end.

        Raises StopRequested after it where the process was asked to end.
        """
        if self.step % self.config.log_every or self.step >= self.schedule.steps:
            return
        due = time.monotonic() - self._saved >= self.config.checkpoint_seconds
        asked, due = distributed.any_of((stop.asked(), due), self.place.device, self.place.world)
        if asked or due:
            self.save(root, keep)
        stop.raise_if(asked)

    def save(self, root: Path, keep: int | None) -> None:
        """Write a checkpoint of this step and remove all but the newest `keep` (None: remove none)."""
        self._tick()
        weights, moments = self.model.state(), self.optimizer.state()
        if self.place.main:
            state = {
                "step": self.step,
                "tokens": self.tokens,
                "seconds": self.seconds,
                "fingerprint": self.fingerprint,
            }
            checkpoint.save(root, self.model.hf, weights, moments, state, keep)
        self._clock = self._saved = time.monotonic()

    def resume(self, root: Path, at_most: int | None = None) -> list[str]:
        """Go on from the newest undamaged checkpoint, if any; returns a sentence for each that was damaged.

        Raises SuiteError where the checkpoints are those of another plan.
        """
        folder, notes = checkpoint.latest(root, at_most)
        if folder is not None:
            weights, moments, state = checkpoint.load(folder)
            check_fingerprint(root.parent, state, self.fingerprint)
            self.model.load(weights)
            self.optimizer.load(moments)
            self.step, self.seconds = state["step"], state["seconds"]
            self.tokens = state.get("tokens", self.step * self.batch_size * self.seq_len)  # not in older checkpoints
            self._logged = self.tokens, self.seconds
        self._clock = self._saved = time.monotonic()
        return notes

    def _here(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.place.device, non_blocking=True)

    def _tick(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._clock
        self._clock = now
