"""Training questions as padded token arrays, and the order in which they are seen.

Shapes: Q questions, T + 1 tokens of the longest.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from t2scaling.errors import SuiteError
from t2scaling.testbed.corpus import load_tokenizer
from t2scaling.testbed.tasks import Task


@dataclass(frozen=True)
class Examples:
    """Questions with their answers.

    ids          (Q, T + 1) token ids of prompt and answer, padded at the end
    weights      (Q, T) 1 where the next token counts in the loss, else 0
    n_truncated  questions whose prompt lost its beginning, since it is longer than the model's sequences
    """

    ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    n_truncated: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(Q,) tokens of each question with its answer."""
        return self.ids.shape[1] - np.argmax(self.weights[:, ::-1] > 0, axis=1)

    def steps(self, batch_size: int, epochs: int) -> int:
        """Optimiser steps of `epochs` epochs; the last batch of an epoch may be smaller."""
        return epochs * -(-len(self) // batch_size)

    def batch(self, step: int, batch_size: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and weights of a step, as wide as its longest question: each epoch sees every question once, in an order
        of (seed, epoch).
        """
        per_epoch = -(-len(self) // batch_size)
        epoch, position = divmod(step, per_epoch)
        order = np.random.default_rng((seed, epoch)).permutation(len(self))
        chosen = order[position * batch_size : (position + 1) * batch_size]
        longest = self.lengths[chosen].max()
        return self.ids[chosen, :longest], self.weights[chosen, : longest - 1]


def make_examples(task: Task, tokenizer_dir: str | Path, mode: str, seq_len: int) -> Examples:
    """The training split of `task` as token arrays.

    mode      ft: every token counts; sft: the answer's tokens alone
    seq_len   longest sequence that the model was trained on
    Of a question that is longer, the prompt loses its beginning, as it does when it is measured. Raises SuiteError
    where the task has no training split, or an answer is as long as the model's sequences.
    """
    if "train" not in task.splits:
        raise SuiteError(f"`task` = {task.name} has no training split: choose a task of question-and-answer form.")
    questions = task.questions("train")
    tokenizer = load_tokenizer(tokenizer_dir)
    whole = [
        tuple(tokenizer(text, add_special_tokens=False)["input_ids"] for text in (q.prompt, q.answer))
        for q in questions
    ]
    longest = max(len(answer) for _, answer in whole)
    if longest >= seq_len:
        raise SuiteError(
            f"`task` = {task.name}: an answer has {longest} tokens, the model was trained on sequences of {seq_len}. "
            "Shorten the answers, or train with a longer `seq_len`."
        )
    pairs = [(prompt[max(0, len(prompt) + len(answer) - seq_len) :], answer) for prompt, answer in whole]
    length = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = np.zeros((len(pairs), length), dtype=np.int64)
    weights = np.zeros((len(pairs), length - 1), dtype=np.float32)
    for row, (prompt, answer) in enumerate(pairs):
        n = len(prompt) + len(answer)
        ids[row, :n] = prompt + answer
        # Target t is token t + 1, so the first token of the answer is the target of the prompt's last.
        weights[row, len(prompt) - 1 if mode == "sft" else 0 : n - 1] = 1
    return Examples(ids, weights, sum(cut[0] != full[0] for cut, full in zip(pairs, whole, strict=True)))
