"""Grading completions: a function of the user's, given as `module:function` or `file.py:function`.

The function takes (question, completion) and returns True or False. `question` is a `tasks.Question`; `completion` is
the text after the prompt, cut before the first stop string.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from t2scaling.errors import DataError
from t2scaling.testbed.tasks import Question

Grader = Callable[["Question", str], bool]


def grade(grader: Grader, question: Question, completions: Sequence[str]) -> np.ndarray:
    """Grade the completions of one question, bool (S,); each distinct text is graded once.

    Raises DataError if the grader returns anything but True or False: a non-empty "no" would count as correct.
    """
    verdicts = {text: _verdict(grader, question, text) for text in dict.fromkeys(completions)}
    return np.array([verdicts[text] for text in completions], dtype=bool)


def _verdict(grader: Grader, question: Question, text: str) -> bool:
    verdict = grader(question, text)
    if not isinstance(verdict, bool | np.bool_):
        raise DataError(
            f"the grader returned {verdict!r} for question {question.question_id}: it has to return True or False."
        )
    return bool(verdict)


def cut(text: str, stops: Sequence[str]) -> str:
    """`text` before the first of the stop strings in it."""
    ends = [text.find(stop) for stop in stops if stop in text]
    return text[: min(ends)] if ends else text


def ending_tokens(tokenizer: Any, vocab_size: int, stops: Sequence[str]) -> np.ndarray:
    """Tokens that end a completion, bool (V,): the end of text, and every token whose text holds a stop string.

    A stop string that spans several tokens does not end the drawing early; `cut` removes what comes after it.
    """
    ends = np.zeros(vocab_size, dtype=bool)
    if tokenizer.eos_token_id is not None:
        ends[tokenizer.eos_token_id] = True
    if stops:
        texts = tokenizer.batch_decode([[token] for token in range(min(vocab_size, len(tokenizer)))])
        for token, text in enumerate(texts):
            ends[token] |= any(stop in text for stop in stops)
    return ends
