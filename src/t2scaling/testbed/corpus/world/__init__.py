"""The built-in world: what the procedural corpus talks about, and what the four generated tasks ask.

    draw       a seeded stream of choices, names, and the rule for what is held out
    facts      real facts and any number of invented ones, ranked by a Zipf-like frequency
    sums       arithmetic of one to several steps
    causes     cause and effect
    places     containment and position
    text       documents made of all four

Each of the four topics has `passages(draw, n)`, pieces of running text, and `questions(draw, n)`, for the text. The
last three have `ask(draw, level, held_out)` for the tasks: the text never uses a held-out combination, and a test asks
only about held-out ones. Facts are the exception, since recall needs the fact to be in the text.
"""

from t2scaling.testbed.corpus.world import causes, facts, places, sums
from t2scaling.testbed.corpus.world.draw import Draw, Item, is_held_out
from t2scaling.testbed.corpus.world.text import document

__all__ = ["Draw", "Item", "causes", "document", "facts", "is_held_out", "places", "sums"]
