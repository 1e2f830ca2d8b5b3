"""How far a guess gets that knows only the form of a question.

The guesser has seen the train split, whose questions of one form are alike to it. It either draws a whole answer as
often as the train split has it, or draws each part of the answer (a word, a digit, a letter) as often as the train
split has it in that place; the better of the two is the question's chance.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from t2scaling.testbed.corpus.world import Fact


class Guesser:
    """A guesser that has seen the train split.

    A part that the train split does not have in its place counts as seen once.
    """

    def __init__(self, train: Iterable[Fact]) -> None:
        self._answers: dict[str, Counter[str]] = defaultdict(Counter)
        self._parts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for fact in train:
            self._answers[fact.form][fact.answer] += 1
            for place, part in enumerate(fact.parts):
                self._parts[fact.form, place][part] += 1

    def chance(self, fact: Fact) -> float:
        """The probability that a guess at `fact` is right."""
        answers = self._answers[fact.form]
        whole = answers[fact.answer] / max(1, answers.total())
        seen = [(self._parts[fact.form, place], part) for place, part in enumerate(fact.parts)]
        return max(whole, math.prod(max(1, counts[part]) / max(1, counts.total()) for counts, part in seen))
