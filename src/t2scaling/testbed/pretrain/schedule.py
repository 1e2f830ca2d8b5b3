"""The learning rate at each step.

cosine   linear warmup to the peak, then half a cosine to zero at the end of the run's own budget
wsd      linear warmup, a constant trunk, and a linear decay to zero over the last part of the budget
         (warmup-stable-decay: Hu et al. 2024, arXiv 2404.06395; Hägele et al. 2024, arXiv 2405.18392)
"""

import math
from dataclasses import dataclass

from t2scaling.testbed.suite import Cell, TrainingConfig, decay_steps


@dataclass(frozen=True)
class Schedule:
    """Warmup, plateau and decay in steps.

    kind     cosine, wsd, or constant (no warmup, no decay: post-training)
    peak     highest learning rate
    warmup   steps of linear warmup
    steps    steps of the whole run
    decay    steps of the final decay (wsd)
    """

    kind: str
    peak: float
    warmup: int
    steps: int
    decay: int = 0

    def rate(self, step: int) -> float:
        """Learning rate of step `step`, counted from 0; the step after the last would have rate zero."""
        if self.kind == "constant":
            return self.peak
        warm = (step + 1) / self.warmup
        if self.kind == "wsd":
            return self.peak * min(1.0, warm, (self.steps - step) / self.decay)
        if warm < 1:
            return self.peak * warm
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak * 0.5 * (1 + math.cos(math.pi * max(0.0, done)))

    @property
    def branch(self) -> int:
        """First step of the final decay (wsd): until here, the runs of one size are one and the same."""
        return self.steps - self.decay


def schedule_for(cell: Cell, training: TrainingConfig, seq_len: int) -> Schedule:
    """The schedule of a cell: warmup over N tokens (times the config's factor).

    A run shorter than its warmup never reaches the peak; with a cosine it then does not decay either.
    """
    per_step = cell.batch_size * seq_len
    steps = cell.n_tokens // per_step
    warmup = training.warmup_tokens_per_param * cell.n_params / per_step
    if training.warmup_fraction is not None:
        warmup = min(warmup, training.warmup_fraction * steps)
    decay = decay_steps(steps, training) if training.schedule == "wsd" else 0
    return Schedule(training.schedule, training.peak_rate(cell.shape.width), max(1, round(warmup)), steps, decay)
