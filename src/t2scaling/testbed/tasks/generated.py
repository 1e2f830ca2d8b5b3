"""The four generated tasks: questions about the world of the built-in corpus, easy ones and hard ones.

    knowledge    facts over the whole range of frequencies; difficulty is the fact's rank in the text
    arithmetic   one to three steps; difficulty is the level of `corpus.world.sums`
    causal       cause and effect; the level of `corpus.world.causes`
    spatial      containment and position; the level of `corpus.world.places`

The last three ask only about held-out combinations, which the text never has; their train splits, like the questions in
the text, only about the others. Knowledge asks for facts that are in the text; its splits have different facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from t2scaling.testbed.corpus.world import Draw, Item, causes, facts, places, sums
from t2scaling.testbed.tasks.base import Question, Task

N_TEST, N_TRAIN = 1000, 1000
_STREAMS = {"test": 1, "train": 2}
_TRAIN_EVERY = 4  # every fourth fact is for the train split
_GROWTH = 1.004  # ranks rise one by one at first, and by this factor later, so that rare facts are asked for too

_LEVELLED = {
    "arithmetic": (sums.ask, sums.LEVELS),
    "causal": (causes.ask, causes.LEVELS),
    "spatial": (places.ask, places.LEVELS),
}
GENERATED = ("knowledge", *_LEVELLED)


def generate(name: str, seed: int = 0) -> Task:
    """The generated task `name`: 1,000 test and 1,000 train questions, a function of the seed.

    seed   of the choice of questions; for knowledge the facts are those of every seed
    """
    splits = {
        split: tuple(
            Question(f"{name}-{split}-{number:04d}", item.prompt, item.answer, item.difficulty, split)
            for number, item in enumerate(_knowledge(split) if name == "knowledge" else _levelled(name, split, seed))
        )
        for split in ("test", "train")
    }
    return Task(name, "generated", splits, stop=".")


def _knowledge(split: str) -> Iterator[Item]:
    """Facts of rising rank: three for the test, one for the train split, and so on until the test is full.

    The train split takes the rest of its facts from between and beyond the test's.
    """
    test: list[int] = []
    train: list[int] = []
    rank = 0
    while len(test) < N_TEST:
        (train if rank % _TRAIN_EVERY == _TRAIN_EVERY - 1 else test).append(rank)
        rank = max(rank + 1, int(rank * _GROWTH))
    taken = {*test, *train}
    train += [rank for rank in range(0, 4 * rank, 3) if rank not in taken][: N_TRAIN - len(train)]
    return (facts.question(facts.fact(rank)) for rank in (test if split == "test" else train))


def _levelled(name: str, split: str, seed: int) -> Iterator[Item]:
    """Questions of all levels in turn, no prompt twice."""
    ask, levels = _LEVELLED[name]
    n = N_TEST if split == "test" else N_TRAIN
    return _distinct(ask, levels, n, Draw(seed, 0, stream=_STREAMS[split]), held_out=split == "test")


def _distinct(
    ask: Callable[[Draw, int, bool], Item], levels: tuple[int, ...], n: int, draw: Draw, held_out: bool
) -> Iterator[Item]:
    seen: set[str] = set()
    while len(seen) < n:
        item = ask(draw, levels[len(seen) % len(levels)], held_out)
        if item.prompt not in seen:
            seen.add(item.prompt)
            yield item
