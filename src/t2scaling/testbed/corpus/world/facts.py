"""Knowledge: facts about invented people, with Zipf-like frequencies.

A fact's rank decides how often the text states it (`Draw.rank`). The answer is a name of five letters; its first
syllable follows from the person's name by one rule for all, the rest has to be remembered.
"""

from t2scaling.testbed.corpus.world.draw import Draw, Fact, hashed, invented_name, kin_name

# Relation, question, statements; {s} is the person, {v} the value.
_RELATIONS = (
    ("town", "Where does {s} live?", ("{s} lives in {v}.", "The town of {s} is {v}.")),
    ("friend", "Who is the friend of {s}?", ("{s} has a friend called {v}.", "The friend of {s} is {v}.")),
    ("horse", "What horse does {s} ride?", ("{s} rides a horse called {v}.", "The horse of {s} is {v}.")),
    ("ship", "What ship does {s} sail?", ("{s} sails a ship called {v}.", "The ship of {s} is {v}.")),
)


def fact(rank: int) -> Fact:
    """The fact of a rank: one relation of one person."""
    relation, question, statements = _RELATIONS[hashed("relation", rank) % len(_RELATIONS)]
    person = invented_name("person", rank)
    value = kin_name(person, relation, rank)
    told = tuple(statement.format(s=person, v=value) for statement in statements)
    return Fact(question.format(s=person), tuple(value), told, relation, rank, key=person)


def tell(draw: Draw) -> Fact:
    """A fact for the text."""
    return fact(draw.rank())
