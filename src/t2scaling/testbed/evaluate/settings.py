"""How a task is measured, checked once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from t2scaling.errors import ArgumentError
from t2scaling.units import check_seed

MODES = ("nll", "sample")
BACKENDS = ("transformers", "vllm")
DTYPES = ("auto", "float32", "bfloat16", "float16")
# Raised when the numbers that the same settings give have changed, so that older tables are made anew.
RECIPE_VERSION = 2


@dataclass(frozen=True)
class Settings:
    """How a task is measured.

    mode            nll (nats of the correct answer) or sample (graded samples)
    n_samples       samples per question
    temperature     of the samples
    seed            of the samples
    grader          None: exact match with the answer's tokens; else a function (question, completion) → bool, or its
                    name as module:function or file.py:function
    max_new_tokens  longest completion shown to a grader; exact match needs the answer's length only
    stop            strings that end a completion shown to a grader; without one, the task's own end comes first
    count_answers   draw every completion to its end and count the distinct wrong answers, also for exact match, which
                    otherwise stops at the first wrong token
    dtype           of the weights: auto (as stored), float32, bfloat16 or float16
    backend         transformers or vllm
    """

    mode: str = "nll"
    n_samples: int = 64
    temperature: float = 1.0
    seed: int = 0
    grader: str | Callable[..., bool] | None = None
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ("\n",)
    count_answers: bool = False
    dtype: str = "auto"
    backend: str = "transformers"

    def __post_init__(self) -> None:
        _choice("mode", self.mode, MODES)
        _choice("dtype", self.dtype, DTYPES)
        _choice("backend", self.backend, BACKENDS)
        check_seed(self.seed)
        if self.n_samples < 1:
            raise ArgumentError(f"`samples` = {self.n_samples}: draw at least 1 sample per question.")
        if self.max_new_tokens < 1:
            raise ArgumentError(f"`max_new_tokens` = {self.max_new_tokens}: a completion has at least 1 token.")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ArgumentError(
                f"`temperature` = {self.temperature}: give a number above 0 (at 0 all samples of a question are one)."
            )
        if self.grader is not None and self.mode != "sample":
            raise ArgumentError("`grader` grades samples: use it with mode `sample`.")
        if self.count_answers and self.mode != "sample":
            raise ArgumentError("`count_answers` counts samples: use it with mode `sample`.")

    @property
    def room(self) -> int | None:
        """Tokens that a completion may take; None for the answer's own length."""
        return None if self.grader is None else self.max_new_tokens

    def identity(self) -> dict[str, Any]:
        """What decides the numbers, as plain values, but for the number of samples."""
        kept = {"version": RECIPE_VERSION, "mode": self.mode, "dtype": self.dtype, "backend": self.backend}
        if self.mode == "nll":
            return kept
        kept |= {"temperature": self.temperature, "seed": self.seed, "grader": self.grader_name}
        if self.drawn_to_the_end:
            kept |= {"max_new_tokens": self.max_new_tokens, "stop": list(self.stop), "answers": True}
        return kept

    @property
    def drawn_to_the_end(self) -> bool:
        """Whether completions are drawn until they end, not only as far as they match the answer."""
        return self.grader is not None or self.count_answers

    @property
    def grader_name(self) -> str:
        """The grader as text."""
        if self.grader is None or isinstance(self.grader, str):
            return self.grader or "exact_match"
        return f"{self.grader.__module__}:{getattr(self.grader, '__qualname__', type(self.grader).__qualname__)}"


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ArgumentError(f"`{name}` = {value}: choose {', '.join(allowed[:-1])} or {allowed[-1]}.")
