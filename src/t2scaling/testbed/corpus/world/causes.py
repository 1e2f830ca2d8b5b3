"""Cause and effect: what an invented substance does when something is done to it.

What is done decides the sound, the substance decides the colour and the smell. Pairs of substance and event are one in
five held out, and the task asks for these only: what the text says of a substance at other events has to be put
together with what other substances do at this one. The rank of a substance decides how often the text speaks of it.
"""

from functools import lru_cache

from t2scaling.testbed.corpus.world.draw import Draw, Fact, hashed, invented_name, is_held_out, listed

_EVENTS = listed(
    "heated cooled shaken dropped burned washed dried crushed frozen melted bent painted buried boiled salted struck "
    "spun squeezed soaked lit ground rolled pressed stirred cut twisted split scraped weighed filled lifted kicked"
)
_SOUNDS = listed(
    "hums rings hisses cracks sings buzzes rattles clicks groans roars squeaks ticks thuds booms chimes sighs wails "
    "howls chirps purrs snaps rustles clangs drones whines pops barks growls moans beeps yells coughs"
)
_COLOURS = listed(
    "red blue green black white yellow brown grey pink purple orange gold silver amber ivory violet teal navy olive "
    "beige copper bronze pearl ruby lemon cream coral lilac jade rust sand wine"
)
_SMELLS = listed(
    "mint rose smoke honey salt tar hay milk fish bread cheese soap wax mud rain pine apple plum grass coal oil tea "
    "cake pepper onion nuts leather wool straw moss glue ink"
)


def effect(rank: int, event: str) -> Fact:
    """What the substance of a rank does at an event."""
    name = invented_name("substance", rank)
    sound, colour = _SOUNDS[_EVENTS.index(event)], _COLOURS[hashed("colour", rank) % len(_COLOURS)]
    smell = _SMELLS[hashed("smell", rank) % len(_SMELLS)]
    cause = f"{name} is {event}"
    told = (
        f"When {cause}, it {sound}, turns {colour} and smells of {smell}.",
        f"If {cause}, it {sound}, turns {colour} and smells of {smell}.",
    )
    parts = (f"it {sound}", f", turns {colour}", f" and smells of {smell}")
    return Fact(f"What happens when {cause}?", parts, told, "effect", rank, key=cause)


@lru_cache(maxsize=1 << 14)
def events_for(rank: int, held_out: bool) -> tuple[str, ...]:
    """The events whose pair with the substance of a rank is held out or not."""
    return tuple(event for event in _EVENTS if is_held_out("effect", rank, event) == held_out)


def tell(draw: Draw) -> Fact:
    """An effect for the text."""
    rank = draw.rank()
    return effect(rank, draw.pick(events_for(rank, held_out=False)))
