"""The built-in world: what the procedural corpus talks about, and what the four generated tasks ask.

    draw     a seeded stream of choices, names, `Fact`, and the rule for what is held out
    facts    knowledge of invented people
    sums     products that are remembered, sums that are worked out
    causes   what an invented substance does at an event
    places   roads between invented towns, and walks
    text     documents made of all four

Answers are open: names, numbers of five digits, three words or more, so that a guess which knows only the form of a
question is right in at most one of 10,000 (`tasks.generated` measures it). What is to be remembered has Zipf-like
frequencies, so that models of every size know some of it. `tell(draw)` of a topic gives a fact for the text, which
never says what is held out; a test asks for held-out combinations, but for knowledge and products, which the text has
to state.
"""

from t2scaling.testbed.corpus.world import causes, facts, places, sums
from t2scaling.testbed.corpus.world.draw import Draw, Fact, is_held_out
from t2scaling.testbed.corpus.world.text import document

__all__ = ["Draw", "Fact", "causes", "document", "facts", "is_held_out", "places", "sums"]
