"""Samples shown to a grader: draw completions, turn them into text, count the correct ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from t2scaling.testbed.evaluate.engine import Engine
from t2scaling.testbed.evaluate.grade import Grader, cut, ending_tokens, grade, load_grader
from t2scaling.testbed.evaluate.questions import Asked
from t2scaling.testbed.evaluate.sample import Drawing
from t2scaling.testbed.evaluate.settings import Settings
from t2scaling.testbed.evaluate.tokens import Encoded


def count_graded(
    engine: Engine,
    asked: Asked,
    encoded: Encoded,
    keys: Sequence[np.ndarray],
    tokenizer: Any,
    settings: Settings,
    *,
    first: int = 0,
    advance: Callable[[int], object] | None = None,
) -> dict[str, np.ndarray]:
    """Columns n_correct, int64 (Q,), and completion_tokens, mean tokens per sample, float64 (Q,).

    tokenizer  the tokenizer of transformers, to turn tokens into text
    first      the first sample to draw; settings.n_samples are drawn from there
    """
    grader = _grader(settings)
    budgets = np.full(len(encoded), settings.max_new_tokens, dtype=np.int64)
    ends = ending_tokens(tokenizer, engine.vocab_size, settings.stop)
    drawing = Drawing(keys, budgets, settings.temperature, ends)
    correct, length = np.zeros(len(encoded), dtype=np.int64), np.zeros(len(encoded))
    for question, _, drawn in engine.complete(encoded, drawing, settings.n_samples, first=first, advance=advance):
        texts = tokenizer.batch_decode(drawn, skip_special_tokens=True)
        texts = [cut(text, settings.stop) for text in texts]
        correct[question] += grade(grader, asked.questions[question], texts).sum()
        length[question] += sum(map(len, drawn))
    return {"n_correct": correct, "completion_tokens": length / settings.n_samples}


def _grader(settings: Settings) -> Grader:
    assert settings.grader is not None
    return load_grader(settings.grader) if isinstance(settings.grader, str) else settings.grader
