"""A seeded stream of choices, names of people and things, and the rule that keeps test items out of the text.

Only `random.Random.random` is used, whose sequence for a seed Python promises to keep between versions; so a
document depends on its seed and index and on nothing else.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

HELD_OUT_SHARE = 5  # one combination in five is kept for the tests

SHE = ["Anna", "Clara", "Emma", "Grace", "Ida", "Kate", "Lucy", "Mary", "Nora", "Rose", "Sara", "Zoe"]
HE = ["Adam", "Ben", "Carl", "David", "Finn", "Hugo", "Jack", "Leo", "Max", "Paul", "Sam", "Tom"]
PEOPLE = tuple((name, "she", "her") for name in SHE) + tuple((name, "he", "his") for name in HE)

_ONSETS = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br"]
_VOWELS = ["a", "e", "i", "o", "u"]
_CODAS = ("l", "n", "r", "s", "x", "m", "th", "k")
_SYLLABLES = tuple(onset + vowel for onset in _ONSETS for vowel in _VOWELS)
_SHORT_NAMES = len(_SYLLABLES) ** 2 * len(_CODAS)
_SPREAD = 48271  # coprime to _SHORT_NAMES, so that neighbours in rank get unlike names


@dataclass(frozen=True)
class Item:
    """A question of the built-in world.

    prompt       the text up to and including "Answer:"
    answer       the answer with its leading space and its full stop, such as " Cairo."
    difficulty   1 is easiest; the scale is the topic's own
    """

    prompt: str
    answer: str
    difficulty: float


class Draw:
    """Choices for one document or question: the same (seed, index, stream) gives the same choices.

    stream   0 for documents; the tasks use others, so that they never follow a document's choices
    """

    __slots__ = ("random",)

    def __init__(self, seed: int, index: int, stream: int = 0) -> None:
        if seed < 0 or index < 0:
            raise ValueError(f"`seed` and `index` must not be negative, got {seed} and {index}.")
        self.random = random.Random((seed << 72) | (stream << 64) | index).random

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, all equally likely."""
        return choices[int(self.random() * len(choices))]

    def two(self, choices: Sequence[T]) -> tuple[T, T]:
        """Two different ones of `choices`."""
        first = int(self.random() * len(choices))
        second = int(self.random() * (len(choices) - 1))
        return choices[first], choices[second + (second >= first)]

    def several(self, choices: Sequence[T], n: int) -> list[T]:
        """`n` different ones of `choices`, in random order."""
        pool = list(choices)
        return [pool.pop(int(self.random() * len(pool))) for _ in range(n)]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def rank(self, offset: float, exponent: float) -> int:
        """A rank 0, 1, 2, … without end from a Zipf–Mandelbrot-like law.

        P(rank ≥ r) = (1 + r / offset)^(1 − exponent), so the frequency falls as (offset + r)^−exponent.
        """
        return int(offset * ((1.0 - self.random()) ** (-1.0 / (exponent - 1.0)) - 1.0))


@lru_cache(maxsize=1 << 17)
def is_held_out(*combination: str | int) -> bool:
    """Whether a combination, such as an object and its place, is kept out of the text for the tests."""
    return zlib.crc32("/".join(map(str, combination)).encode()) % HELD_OUT_SHARE == 0


def invented_name(index: int) -> str:
    """The lower-case name of an invented entity; different for every index, of any size."""
    if index < _SHORT_NAMES:
        rest, coda = divmod(index * _SPREAD % _SHORT_NAMES, len(_CODAS))
        first, second = divmod(rest, len(_SYLLABLES))
        return _SYLLABLES[first] + _SYLLABLES[second] + _CODAS[coda]
    rest, last = divmod(index - _SHORT_NAMES, len(_SYLLABLES))
    return invented_name(rest) + _SYLLABLES[last]


def with_article(noun: str) -> str:
    """`a box`, `an apple`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def capital(text: str) -> str:
    """`text` with its first letter in upper case, the others as they are."""
    return text[0].upper() + text[1:]


def as_item(question: str, answer: str, difficulty: float, story: str = "") -> Item:
    """An `Item` in the one question-and-answer form of the built-in world, after an optional story."""
    before = f"{story}\n" if story else ""
    return Item(f"{before}Question: {question}\nAnswer:", f" {answer}.", difficulty)
