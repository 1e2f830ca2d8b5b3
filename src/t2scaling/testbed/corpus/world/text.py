"""Documents: a handful of facts of one topic or of several, as statements or as questions with their answers.

Half of the documents of a topic are in question-and-answer form, so that a base model knows the form of the tasks. A
document says nothing twice, and has eight facts or more, so that no two documents are the same.
"""

from t2scaling.testbed.corpus.world import causes, facts, places, sums
from t2scaling.testbed.corpus.world.draw import Draw, Fact

TOPICS = {"knowledge": facts, "arithmetic": sums, "causal": causes, "spatial": places}
_QUESTIONS_SHARE = 0.5
_MIXED_SHARE = 0.1
_FACTS = (8, 14)


def document(seed: int, index: int) -> str:
    """Document `index` of the endless corpus of a seed: the same text on every machine, in any order."""
    draw = Draw(seed, index)
    topics = tuple(TOPICS.values())
    mixed, topic = draw.chance(_MIXED_SHARE), draw.pick(topics)
    said: dict[str, Fact] = {}
    wanted = draw.between(*_FACTS)
    while len(said) < wanted:
        fact = (draw.pick(topics) if mixed else topic).tell(draw)
        said.setdefault(fact.key, fact)
    if draw.chance(_QUESTIONS_SHARE):
        return "\n".join(fact.prompt + fact.answer for fact in said.values())
    return " ".join(draw.pick(fact.statements) for fact in said.values())
