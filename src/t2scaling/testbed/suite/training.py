"""How each run of a suite is trained: one frozen record, with the values of the T² paper's suite as defaults.

Source: Roberts et al. 2026 (arXiv 2604.01411, appendix C.2) and Porian et al. 2024 (arXiv 2406.19146), whose fixed
"short warmup, Chinchilla decay" recipe they follow.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict

from t2scaling.errors import require, unknown

SCHEDULES = ("cosine", "wsd")
PRECISIONS = ("auto", "float32", "bfloat16")

# Fields → what their values must be.
_RULES: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...] = (
    (("learning_rate", "eps", "clip", "init_std", "checkpoint_seconds"), "be above zero", lambda x: x > 0),
    (("beta1", "beta2"), "lie in [0, 1)", lambda x: 0 <= x < 1),
    (("rate_power", "weight_decay", "warmup_tokens_per_param", "z_loss"), "not be negative", lambda x: x >= 0),
    (("keep_checkpoints", "log_every"), "be at least 1", lambda x: x >= 1),
    (("rate_width",), "be a width of at least 1, or left out", lambda x: x is None or x >= 1),
    (("decay_fraction",), "lie in (0, 1]", lambda x: 0 < x <= 1),
    (("warmup_fraction",), "lie in (0, 1], or be left out", lambda x: x is None or 0 < x <= 1),
)


@dataclass(frozen=True)
class TrainingConfig:
    """Optimiser, schedule, losses and checkpoints.

    schedule                  cosine: each run has its own cosine to zero; wsd: runs of one size share a trunk of
                              constant rate and branch off it with a short linear decay (warmup-stable-decay)
    learning_rate             peak rate of AdamW
    rate_width                width at which `learning_rate` holds; a model of another width gets learning_rate ·
                              rate_width / width (Yang et al. 2022, arXiv 2203.03466, Table 3: Adam's rate of hidden
                              matrices). None gives every width the same, as the paper does
    rate_power                a model of another width gets learning_rate · (rate_width / width)^rate_power instead
    beta1, beta2, eps         AdamW's moments
    weight_decay              decoupled: each step shrinks the matrices by learning rate × weight_decay
    warmup_tokens_per_param   linear warmup over this many tokens per parameter (1: warmup tokens = N)
    warmup_fraction           the warmup takes no more than this part of a run; None sets no bound
    decay_fraction            wsd: the last part of the budget, over which the rate falls to zero
    clip                      largest norm of the whole gradient
    z_loss                    weight of the mean squared log-normaliser that is added to the loss
    init_std                  standard deviation of the initial weights
    precision                 of the matrix products; auto: bfloat16 on GPUs that have it, else float32
    checkpoint_seconds        time between checkpoints of a run; short runs write none before they end
    keep_checkpoints          newest checkpoints kept while a run lasts
    log_every                 steps per row of metrics.jsonl
    """

    schedule: str = "cosine"
    learning_rate: float = 3e-3
    rate_width: int | None = None
    rate_power: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 1e-4
    warmup_tokens_per_param: float = 1.0
    warmup_fraction: float | None = None
    decay_fraction: float = 0.2
    clip: float = 1.0
    z_loss: float = 1e-4
    init_std: float = 0.02
    precision: str = "auto"
    checkpoint_seconds: float = 60.0
    keep_checkpoints: int = 2
    log_every: int = 20

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)  # how suite.json is read

    def __post_init__(self) -> None:
        for name, known in {"schedule": SCHEDULES, "precision": PRECISIONS}.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        for names, rule, holds in _RULES:
            for name in names:
                require(holds(getattr(self, name)), name, getattr(self, name), rule)

    def peak_rate(self, width: int) -> float:
        """Peak learning rate of a model of this width."""
        scale = 1.0 if self.rate_width is None else (self.rate_width / width) ** self.rate_power
        return self.learning_rate * scale

    def to_dict(self) -> dict[str, Any]:
        """The fields as a plain dict; `TrainingConfig(**d)` makes the record again."""
        return asdict(self)


def decay_steps(steps: int, training: TrainingConfig) -> int:
    """Steps of the final decay in a run of `steps` under the wsd schedule."""
    return max(1, round(training.decay_fraction * steps))
