"""Grading completions: a function of the user's, given as `module:function` or `file.py:function`.

The function takes (question, completion) and returns True or False. `question` is a `tasks.Question`; `completion` is
the text after the prompt, cut before the first stop string.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling.errors import DataError

if TYPE_CHECKING:
    from t2scaling.testbed.tasks import Question

Grader = Callable[["Question", str], bool]


def load_grader(spec: str) -> Grader:
    """The function that `module:function` or `path/to/file.py:function` names. Raises DataError if there is none."""
    source, _, name = spec.rpartition(":")
    if not source or not name:
        raise DataError(f"`--grader` {spec}: write module:function or file.py:function.")
    module = _from_file(spec, Path(source)) if source.endswith(".py") else _from_module(spec, source)
    function = getattr(module, name, None)
    if not callable(function):
        raise DataError(f"`--grader` {spec}: `{source}` has no function `{name}`.")
    return function


def _from_file(spec: str, path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"`--grader` {spec}: there is no file `{path}`.")
    found = importlib.util.spec_from_file_location(path.stem, path)
    if found is None or found.loader is None:
        raise DataError(f"`--grader` {spec}: `{path}` cannot be imported.")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _from_module(spec: str, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DataError(
            f"`--grader` {spec}: no module `{error.name}`. Install it, or give the file: path/to/file.py:function."
        ) from None


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
