"""A seeded stream of choices, names, facts, and the rule that keeps test items out of the text.

Only `random.Random.random` is used, whose sequence for a seed Python promises to keep between versions; so a
document depends on its seed and index and on nothing else.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from t2scaling.errors import ArgumentError

T = TypeVar("T")

HELD_OUT_SHARE = 5  # one combination in five is kept for the tests
OFFSET, EXPONENT = 2.0, 1.6  # of the law of ranks, see `Draw.rank`

_ONSETS = "bdfgklmnrstv"
_VOWELS = "aeiou"
_CODAS = "lnrsxmkt"
_SYLLABLES = tuple(onset + vowel for onset in _ONSETS for vowel in _VOWELS)
_NAMES = len(_SYLLABLES) ** 2 * len(_CODAS)  # 28,800
_KINDS = ("person", "trader", "substance", "town")


@dataclass(frozen=True)
class Fact:
    """Something that the text can state and a task can ask.

    question     with its question mark
    parts        the answer in the pieces that a guesser could know apart, such as words or the letters of a name;
                 joined, they are the answer
    statements   the ways of saying it
    form         the kind of question: what a guess may know
    difficulty   larger is harder, on the topic's own scale
    key          tells it from all others in a document; where it can be held out, these words stand in every way of
                 saying and of asking it, and nowhere else
    story        what comes before the question, if anything
    """

    question: str
    parts: tuple[str, ...]
    statements: tuple[str, ...]
    form: str
    difficulty: float
    key: str
    story: str = ""

    @property
    def prompt(self) -> str:
        """The text up to and including "Answer:"."""
        before = f"{self.story}\n" if self.story else ""
        return f"{before}Question: {self.question}\nAnswer:"

    @property
    def answer(self) -> str:
        """The answer with its leading space and its full stop, such as " Bakol."."""
        return f" {''.join(self.parts)}."


class Draw:
    """Choices for one document or question: the same (seed, index, stream) gives the same choices.

    stream   0 for documents; the tasks use others, so that they never follow a document's choices
    """

    __slots__ = ("random",)

    def __init__(self, seed: int, index: int, stream: int = 0) -> None:
        if seed < 0 or index < 0:
            raise ArgumentError(f"`seed` and `index` must not be negative, got {seed} and {index}.")
        self.random = random.Random((seed << 72) | (stream << 64) | index).random

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, all equally likely."""
        return choices[int(self.random() * len(choices))]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def rank(self) -> int:
        """A rank 0, 1, 2, … without end from a Zipf–Mandelbrot-like law.

        P(rank ≥ r) = (1 + r / OFFSET)^(1 − EXPONENT), so the frequency falls as (OFFSET + r)^−EXPONENT: 22 % for
        rank 0, 1.7 % for rank 10, 0.06 % for rank 100, 0.001 % for rank 1,000.
        """
        return int(OFFSET * ((1.0 - self.random()) ** (-1.0 / (EXPONENT - 1.0)) - 1.0))


@lru_cache(maxsize=1 << 17)
def hashed(*combination: str | int) -> int:
    """A number below 2^32 that a combination has for ever."""
    return int.from_bytes(hashlib.blake2b("/".join(map(str, combination)).encode(), digest_size=4).digest(), "big")


def is_held_out(*combination: str | int) -> bool:
    """Whether a combination, such as a substance and an event, is kept out of the text for the tests."""
    return hashed(*combination) % HELD_OUT_SHARE == 0


def invented_name(kind: str, rank: int) -> str:
    """The name of the person, trader, substance or town of a rank: of five letters up to rank 7,199; each its own."""
    return _name(rank * len(_KINDS) + _KINDS.index(kind))


@lru_cache(maxsize=1)
def _order() -> list[int]:
    """The order in which the names of five letters are given out, so that neighbours in rank get unlike names."""
    return sorted(range(_NAMES), key=lambda index: hashed("name", index))


@lru_cache(maxsize=1 << 15)
def _name(index: int) -> str:
    """A name for every index, of any size."""
    if index < _NAMES:
        rest, coda = divmod(_order()[index], len(_CODAS))
        first, second = divmod(rest, len(_SYLLABLES))
        return (_SYLLABLES[first] + _SYLLABLES[second] + _CODAS[coda]).capitalize()
    rest, last = divmod(index - _NAMES, len(_SYLLABLES))
    return _name(rest) + _SYLLABLES[last]


def kin_name(name: str, *combination: str | int) -> str:
    """A name of five letters that a combination has for ever; its first syllable follows from the second of `name`."""
    first = _SYLLABLES[(_SYLLABLES.index(name[2:4]) * 7 + 3) % len(_SYLLABLES)]
    rest, coda = divmod(hashed(*combination) % (len(_SYLLABLES) * len(_CODAS)), len(_CODAS))
    return (first + _SYLLABLES[rest] + _CODAS[coda]).capitalize()


def listed(words: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(words.split())
