"""What carries out the forward passes: transformers, or vLLM where it is installed.

An engine answers three requests on tokenised questions: nats of the answers, counts of exact matches, completions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from t2scaling.testbed.evaluate.sample import Drawing
    from t2scaling.testbed.evaluate.tokens import Encoded

Advance = Callable[[int], object] | None
# One question's completions: (question, first sample, token ids of each)
Completions = Iterator[tuple[int, int, list[list[int]]]]


class Engine(Protocol):
    """What `run.evaluate_tasks` asks of a loaded model.

    max_length  tokens that prompt and answer may have, the answer's last token left out
    vocab_size  width of the logits
    """

    max_length: int
    vocab_size: int

    def score(self, encoded: Encoded, advance: Advance = None) -> np.ndarray:
        """Nats of each answer, float64 (Q,)."""

    def count_matches(
        self,
        encoded: Encoded,
        keys: Sequence[np.ndarray],
        n_samples: int,
        *,
        temperature: float,
        first: int,
        advance: Advance = None,
    ) -> np.ndarray:
        """Samples that equal the answer token by token, int64 (Q,)."""

    def complete(
        self, encoded: Encoded, drawing: Drawing, n_samples: int, *, first: int, advance: Advance = None
    ) -> Completions:
        """Completions of every question, as token ids."""


class TransformersEngine:
    """Forward passes by transformers, on the CPU or one GPU."""

    def __init__(self, folder: Path, device: str | None = None, dtype: str = "auto") -> None:
        from t2scaling.testbed.evaluate import match, nll, sample
        from t2scaling.testbed.evaluate.model import load

        model = load(folder, device, dtype)
        self.max_length, self.vocab_size = model.max_length, model.vocab_size
        self.score = partial(nll.score, model)
        self.count_matches = partial(match.count_matches, model)
        self.complete = partial(sample.complete, model)


def open_engine(backend: str, folder: Path, device: str | None, dtype: str) -> Engine:
    """Load a Hugging Face folder into the engine that `backend` names.

    Raises PrerequisiteError if what it needs is not installed.
    """
    if backend == "vllm":
        from t2scaling.testbed.evaluate.vllm_engine import VllmEngine

        return VllmEngine(folder, dtype)
    return TransformersEngine(folder, device, dtype)
