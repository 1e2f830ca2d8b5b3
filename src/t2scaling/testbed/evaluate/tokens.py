"""Questions as token ids, cut where a model's context ends.

The prompt and prompt + answer are tokenised, and the answer is what the second has beyond the first: the split that
lm-evaluation-harness makes, so that both score the same tokens. A suite's checkpoints share one tokenizer, so token
ids are remembered per (tokenizer, questions) and each task is tokenised once in a process.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from t2scaling.errors import DataError
from t2scaling.testbed.evaluate.checkpoint import refused
from t2scaling.testbed.tasks import Question

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer folder. Two folders with the same files are the same tokenizer."""

    digest: str
    folder: Path = field(compare=False)

    @classmethod
    def at(cls, folder: Path) -> Tokenizer:
        """The tokenizer of a Hugging Face folder. Raises DataError where there is none."""
        names = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
        files = [folder / name for name in (*names, "tokenizer.model") if (folder / name).is_file()]
        if not files:
            raise DataError(f"`{folder}` has no tokenizer (no tokenizer.json): save the tokenizer beside the weights.")
        digest = hashlib.sha256()
        for file in files:
            digest.update(file.name.encode() + file.read_bytes())
        return cls(digest.hexdigest(), folder)

    def load(self) -> Any:
        """The tokenizer of transformers, loaded once per process."""
        return _load(self)


@lru_cache(maxsize=4)
def _load(tokenizer: Tokenizer) -> Any:
    import transformers

    with refused(tokenizer.folder, "tokenizer"):
        return transformers.AutoTokenizer.from_pretrained(tokenizer.folder, trust_remote_code=False)


@dataclass(frozen=True)
class Encoded:
    """Questions as token ids; Q questions.

    prompts  ids of each prompt, left-truncated to the model's context
    answers  ids of each answer, never truncated
    dropped  (Q,) prompt tokens that were cut off
    """

    prompts: tuple[Ids, ...]
    answers: tuple[Ids, ...]
    dropped: np.ndarray

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def answer_lengths(self) -> np.ndarray:
        """(Q,) tokens of each answer."""
        return np.array([len(answer) for answer in self.answers], dtype=np.int64)

    @property
    def prompt_lengths(self) -> np.ndarray:
        """(Q,) tokens of each prompt that the model sees."""
        return np.array([len(prompt) for prompt in self.prompts], dtype=np.int64)


def encode(questions: Sequence[Question], tokenizer: Tokenizer, max_length: int, room: int | None = None) -> Encoded:
    """Tokenise questions for a model that reads at most `max_length` tokens.

    room   tokens to leave for a completion; the answer's own length where not given
    The last token of an answer or completion is never read by the model, so it needs no place in the context.
    Raises DataError for an answer without tokens of its own or longer than the context.
    """
    pairs = tuple((question.prompt, question.answer) for question in questions)
    prompts, answers = _encode_pairs(tokenizer, pairs)
    kept = []
    for question, prompt, answer in zip(questions, prompts, answers, strict=True):
        keep = max_length + 1 - (len(answer) if room is None else room)
        if keep < 1:
            raise DataError(
                f"question {question.question_id}: {len(answer) if room is None else room} tokens to score or draw do "
                f"not fit a context of {max_length} together with a prompt. Leave the question out, or draw fewer.",
                [question.question_id],
            )
        kept.append(prompt[-keep:])
    dropped = [len(whole) - len(part) for whole, part in zip(prompts, kept, strict=True)]
    return Encoded(tuple(kept), answers, np.array(dropped, dtype=np.int64))


@lru_cache(maxsize=32)
def _encode_pairs(tokenizer: Tokenizer, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[Ids, ...], tuple[Ids, ...]]:
    loaded = tokenizer.load()
    split = [_split(prompt, answer) for prompt, answer in pairs]
    prompts, answers = [], []
    for (prompt, answer), (head, whole) in zip(split, _heads_and_wholes(loaded, split), strict=True):
        if not prompt:  # something has to come before the first token: the token that starts a text
            head, whole = _start(loaded), _start(loaded) + loaded(answer, add_special_tokens=False)["input_ids"]
        if len(whole) <= len(head):
            raise DataError(
                f"the answer {answer!r} adds no token to its prompt: start it with its leading space.", [answer]
            )
        prompts.append(tuple(head))
        answers.append(tuple(whole[len(head) :]))
    return tuple(prompts), tuple(answers)


def _heads_and_wholes(loaded: Any, split: Sequence[tuple[str, str]]) -> Iterator[tuple[list[int], list[int]]]:
    """Token ids of each prompt, and of each prompt + answer.

    Where a token ends with the prompt, no merge has crossed that place, and the tokens before it are the prompt's own:
    it need not be tokenised again.
    """
    told = loaded([prompt + answer for prompt, answer in split], verbose=False)
    for i, (prompt, _) in enumerate(split):
        whole = told["input_ids"][i]
        n = _tokens_before(told.encodings[i].offsets, len(prompt)) if told.encodings else None
        yield (whole[:n] if n is not None else loaded(prompt, verbose=False)["input_ids"]), whole


def _tokens_before(offsets: Sequence[tuple[int, int]], place: int) -> int | None:
    """How many tokens lie before a place in the text; None if one lies across it or special tokens end the text."""
    if not offsets or offsets[-1][1] <= place:
        return None
    n = bisect_right(offsets, place, key=lambda span: span[1])
    return n if offsets[n][0] >= place else None


def _split(prompt: str, answer: str) -> tuple[str, str]:
    """Move spaces that end the prompt to the answer, where a BPE tokenizer wants them."""
    stripped = prompt.rstrip()
    return stripped, prompt[len(stripped) :] + answer


def _start(tokenizer: Any) -> list[int]:
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return [token]
    raise DataError(
        "a question has an empty prompt and the tokenizer has neither a bos nor an eos token to start with."
    )
