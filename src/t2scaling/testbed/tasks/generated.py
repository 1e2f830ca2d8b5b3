"""The four generated tasks: open questions about the world of the built-in corpus, easy ones and hard ones.

    knowledge    facts over the whole range of frequencies; difficulty is the fact's rank in the text
    arithmetic   what traders have after one change or two; the trader's rank
    causal       what substances do at an event; the substance's rank
    spatial      roads between towns; the rank of the rarer one

The combinations that the last three ask for are held out: the text never has them. Their train split, like the
questions in the text, has only others. What knowledge asks for is in the text; its splits have different facts.
"""

import math
from collections.abc import Callable, Iterator
from itertools import count, islice

from t2scaling.testbed.corpus.world import Draw, Fact, causes, facts, places, sums
from t2scaling.testbed.corpus.world.draw import OFFSET
from t2scaling.testbed.tasks.base import Question, Task
from t2scaling.testbed.tasks.chance import Guesser

N_TEST, N_TRAIN = 250, 1000
_N = {"test": N_TEST, "train": N_TRAIN}
_STREAMS = {"test": 1, "train": 2}
_TRAIN_EVERY = 4  # every fourth fact that the text states is for the train split
_LAST_RANK = 500
LARGEST_CHANCE = 1e-4


def generate(name: str, seed: int = 0) -> Task:
    """The generated task `name`: 250 test and 1,000 train questions, a function of the seed.

    seed   of the choice of questions; those of knowledge are the same for every seed

    No test question has a chance above 1e-4.
    """
    asked = {split: asked_facts(name, split, seed) for split in _N}
    guesser = Guesser(asked["train"])
    splits = {
        split: tuple(
            Question(
                f"{name}-{split}-{number:04d}", fact.prompt, fact.answer, fact.difficulty, split, guesser.chance(fact)
            )
            for number, fact in enumerate(known)
        )
        for split, known in asked.items()
    }
    return Task(name, "generated", splits, stop=".")


def asked_facts(name: str, split: str, seed: int = 0) -> list[Fact]:
    """What a split of a task asks for, in the order of its questions."""
    draw, test = Draw(seed, 0, stream=_STREAMS[split]), split == "test"
    asked = _distinct(_ASKED[name](draw, _N[split], test))
    if test:
        guesser = Guesser(asked_facts(name, "train", seed))
        asked = (fact for fact in asked if guesser.chance(fact) <= LARGEST_CHANCE)
    return list(islice(asked, _N[split]))


def _spread(n: int) -> Iterator[int]:
    """Ranks from 0 to the last, `n` of them with as many in each fold of frequency as in any other, time and again."""
    last = math.log1p(_LAST_RANK / OFFSET)
    while True:
        yield from (int(OFFSET * math.expm1(last * i / n)) for i in range(n))


def _ranks(n: int, test: bool) -> Iterator[int]:
    """Ranks to ask for: over all frequencies in the test, one after another in the train split."""
    return _spread(n) if test else count()


def _stated(n: int, test: bool) -> Iterator[int]:
    """Different ranks of what the text states, for either split its own."""
    if not test:
        yield from count(_TRAIN_EVERY - 1, _TRAIN_EVERY)
    rank = -1
    for wanted in _spread(n):
        rank = max(wanted, rank + 1)
        rank += rank % _TRAIN_EVERY == _TRAIN_EVERY - 1
        yield rank


def _facts(draw: Draw, n: int, test: bool) -> Iterator[Fact]:
    return map(facts.fact, _stated(n, test))


def _purses(draw: Draw, n: int, test: bool) -> Iterator[Fact]:
    for rank in _ranks(n, test):
        if (fact := sums.changed(draw, rank, draw.pick(sums.LEVELS), test)) is not None:
            yield fact


def _effects(draw: Draw, n: int, test: bool) -> Iterator[Fact]:
    for rank in _ranks(n, test):
        if events := causes.events_for(rank, test):
            yield causes.effect(rank, draw.pick(events))


def _roads(draw: Draw, n: int, test: bool) -> Iterator[Fact]:
    """Roads whose rarer town has a wanted rank, or the next rank above it that has a road left."""
    left: dict[int, list[tuple[int, int]]] = {}
    for rank in _ranks(n, test):
        while not (pairs := left.setdefault(rank, _pairs(rank, test))):
            rank += 1
        yield places.road(*pairs.pop(int(draw.random() * len(pairs))))


def _pairs(rank: int, test: bool) -> list[tuple[int, int]]:
    """Roads between the town of a rank and more frequent ones, either way."""
    both = [pair for other in range(rank) for pair in ((other, rank), (rank, other))]
    return [pair for pair in both if places.is_road_held_out(*pair) == test]


def _distinct(asked: Iterator[Fact]) -> Iterator[Fact]:
    seen: set[str] = set()
    for fact in asked:
        if fact.prompt not in seen:
            seen.add(fact.prompt)
            yield fact


# Task → what it asks for, without end: by a stream of choices, how many are wanted, and whether it is the test split.
_ASKED: dict[str, Callable[[Draw, int, bool], Iterator[Fact]]] = {
    "knowledge": _facts,
    "arithmetic": _purses,
    "causal": _effects,
    "spatial": _roads,
}
GENERATED = tuple(_ASKED)
