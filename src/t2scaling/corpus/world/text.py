"""Documents: a handful of passages of one topic or of several, or questions with their answers.

Shares of the text by passages: facts, places, sums, causes in `_TOPICS`; about a third of the documents of a topic are
in question-and-answer form, as parts of the web are, so that a base model knows the form of the tasks.
"""

from __future__ import annotations

from collections.abc import Callable

from t2scaling.corpus.world import causes, facts, places, sums
from t2scaling.corpus.world.draw import Draw, Item

_QUESTIONS_SHARE = 0.35
_MIXED_SHARE = 0.15


def _ask_levels(module: Callable[[Draw, int, bool], Item], weights: tuple[int, ...]) -> Callable[[Draw], Item]:
    return lambda draw: module(draw, draw.pick(weights), False)


# Topic: passage, question. A topic's share of the documents is its number of entries.
_FACTS = (facts.passage, facts.ask)
_SUMS = (sums.passage, _ask_levels(sums.ask, sums.TEXT_WEIGHTS))
_CAUSES = (causes.passage, _ask_levels(causes.ask, causes.TEXT_WEIGHTS))
_PLACES = (places.passage, _ask_levels(places.ask, places.TEXT_WEIGHTS))
_TOPICS = (_FACTS,) * 6 + (_SUMS,) * 5 + (_CAUSES,) * 4 + (_PLACES,) * 5


def document(seed: int, index: int) -> str:
    """Document `index` of the endless corpus of a seed: the same text on every machine, in any order."""
    draw = Draw(seed, index)
    n_passages = draw.between(3, 9)
    if draw.chance(_MIXED_SHARE):
        return " ".join(draw.pick(_TOPICS)[0](draw) for _ in range(n_passages))
    passage, ask = draw.pick(_TOPICS)
    if draw.chance(_QUESTIONS_SHARE):
        items = [ask(draw) for _ in range(n_passages)]
        return "\n".join(item.prompt + item.answer for item in items)
    return " ".join(passage(draw) for _ in range(n_passages))
