"""Documents: a handful of passages of one topic or of several, or questions with their answers.

About a third of the documents of a topic are in question-and-answer form, as parts of the web are, so that a base model
knows the form of the tasks.
"""

from __future__ import annotations

from t2scaling.testbed.corpus.world import causes, facts, places, sums
from t2scaling.testbed.corpus.world.draw import Draw

_QUESTIONS_SHARE = 0.35
_MIXED_SHARE = 0.1
_TOPICS = (facts, sums, causes, places)


def document(seed: int, index: int) -> str:
    """Document `index` of the endless corpus of a seed: the same text on every machine, in any order."""
    draw = Draw(seed, index)
    n = draw.between(3, 9)
    if draw.chance(_MIXED_SHARE):
        return " ".join(draw.pick(_TOPICS).passages(draw, 1)[0] for _ in range(n))
    topic = draw.pick(_TOPICS)
    if draw.chance(_QUESTIONS_SHARE):
        return "\n".join(item.prompt + item.answer for item in topic.questions(draw, n))
    return " ".join(topic.passages(draw, n))
