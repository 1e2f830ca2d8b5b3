"""What a task is, and how an answer is graded.

A question is a prompt and one right answer. The model is scored on the tokens of the answer, which begins with its
leading space and, in the generated tasks, ends with the full stop that ends an answer in the text; without it "1"
would get the credit of "14". A sampled completion is right if its first tokens are those of `answer`, as the tokenizer
encodes it alone. Under this rule the chance of a right sample at temperature 1 is exactly exp(−NLL), so that pass@k
from sampling and from likelihood estimate the same number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from t2scaling.errors import ArgumentError


@dataclass(frozen=True)
class Question:
    """One question.

    question_id   unique in its task
    prompt        the text before the answer, without a space at its end
    answer        the scored text, with its leading space; prompt + answer is the whole text
    difficulty    larger is harder, on the task's own scale; NaN where unknown
    split         "test" or "train"
    chance        how likely a guess that knows only the question's form is right; NaN where unknown
    """

    question_id: str
    prompt: str
    answer: str
    difficulty: float
    split: str
    chance: float = math.nan

    @property
    def text(self) -> str:
        """Prompt and answer."""
        return self.prompt + self.answer


@dataclass(frozen=True)
class Task:
    """A named set of questions.

    kind     "generated" or "real"
    splits   split → its questions
    stop     the text that every answer ends with ("." in the generated tasks), "" where there is none
    """

    name: str
    kind: str
    splits: Mapping[str, tuple[Question, ...]]
    stop: str = ""

    def questions(self, split: str = "test") -> tuple[Question, ...]:
        """The questions of a split. Raises ArgumentError if the task has no such split."""
        if split not in self.splits:
            raise ArgumentError(f"`split` = {split!r}: task {self.name} has {', '.join(self.splits)}.")
        return self.splits[split]


def is_correct(completion_ids: Sequence[int], answer_ids: Sequence[int]) -> bool:
    """Whether a sampled completion is right: its first tokens are those of the answer."""
    return list(completion_ids[: len(answer_ids)]) == list(answer_ids)
