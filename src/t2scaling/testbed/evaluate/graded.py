"""Completions drawn to their end: graded by exact match or by a grader, and the distinct wrong answers counted.

Two completions are the same answer if their text before the end is the same but for case, space and the full stop.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from t2scaling.foreign import load_function
from t2scaling.testbed.evaluate.engine import Engine
from t2scaling.testbed.evaluate.grade import cut, ending_tokens, grade
from t2scaling.testbed.evaluate.questions import Asked
from t2scaling.testbed.evaluate.sample import Drawing
from t2scaling.testbed.evaluate.settings import Settings
from t2scaling.testbed.evaluate.tokens import Encoded

# (question, its completions as tokens, and as text) → which are right, bool (S,)
Judge = Callable[[int, list[list[int]], list[str]], np.ndarray]
LONGEST_ANSWER = 200  # characters that are kept of a wrong answer


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
) -> dict[str, Any]:
    """Columns of Q questions: n_correct; completion_tokens, mean tokens of a sample; wrong_counts and wrong_answers.

    tokenizer  the tokenizer of transformers, to turn tokens into text
    first      the first sample to draw; settings.n_samples are drawn from there
    """
    judge = _judge(asked, encoded, settings)
    stops = (asked.stop,) if asked.stop and settings.grader is None else settings.stop
    ends = ending_tokens(tokenizer, engine.vocab_size, stops)
    drawing = Drawing(keys, _budgets(engine, encoded, settings), settings.temperature, ends)
    correct, length = np.zeros(len(encoded), dtype=np.int64), np.zeros(len(encoded))
    wrong: list[Counter[str]] = [Counter() for _ in asked.questions]
    for question, _, drawn in engine.complete(encoded, drawing, settings.n_samples, first=first, advance=advance):
        texts = [cut(text, stops) for text in tokenizer.batch_decode(drawn, skip_special_tokens=True)]
        right = judge(question, drawn, texts)
        correct[question] += right.sum()
        length[question] += sum(map(len, drawn))
        wrong[question].update(canonical(text) for text, hit in zip(texts, right, strict=True) if not hit)
    return {"n_correct": correct, "completion_tokens": length / settings.n_samples, **wrong_columns(wrong)}


def wrong_columns(wrong: Sequence[Counter[str]]) -> dict[str, Any]:
    """Columns wrong_counts and wrong_answers of Q questions, the commonest first."""
    ranked = [sorted(counts.items(), key=lambda item: (-item[1], item[0])) for counts in wrong]
    return {
        "wrong_counts": [[count for _, count in answers] for answers in ranked],
        "wrong_answers": [[answer for answer, _ in answers] for answers in ranked],
    }


def added(columns: Mapping[str, Any], before: Mapping[str, Any], n_new: int, n_before: int) -> dict[str, Any]:
    """Columns of `n_before` and `n_new` samples together: counts add up, means are weighted by samples."""
    wrong = [
        Counter(dict(zip(*old, strict=True))) + Counter(dict(zip(*new, strict=True)))
        for old, new in zip(_wrong_pairs(before), _wrong_pairs(columns), strict=True)
    ]
    tokens = np.asarray(before["completion_tokens"]) * n_before + columns["completion_tokens"] * n_new
    return {
        "n_correct": columns["n_correct"] + np.asarray(before["n_correct"]),
        "completion_tokens": tokens / (n_before + n_new),
        **wrong_columns(wrong),
    }


def canonical(text: str) -> str:
    """An answer's text without what does not make it another answer."""
    return " ".join(text.split()).rstrip(".").casefold()[:LONGEST_ANSWER]


def _wrong_pairs(columns: Mapping[str, Any]) -> list[tuple[list[str], list[int]]]:
    return list(zip(columns["wrong_answers"], columns["wrong_counts"], strict=True))


def _budgets(engine: Engine, encoded: Encoded, settings: Settings) -> np.ndarray:
    """Most tokens of a completion, int64 (Q,): for exact match at least the answer's, as far as there is room."""
    if settings.grader is not None:
        return np.full(len(encoded), settings.max_new_tokens, dtype=np.int64)
    room = engine.max_length + 1 - encoded.prompt_lengths
    return np.minimum(np.maximum(encoded.answer_lengths, settings.max_new_tokens), room)


def _judge(asked: Asked, encoded: Encoded, settings: Settings) -> Judge:
    if settings.grader is None:
        answers = [list(answer) for answer in encoded.answers]
        return lambda question, drawn, _: np.array(
            [tokens[: len(answers[question])] == answers[question] for tokens in drawn]
        )
    grader = load_function(settings.grader, "--grader") if isinstance(settings.grader, str) else settings.grader
    return lambda question, _, texts: grade(grader, asked.questions[question], texts)
