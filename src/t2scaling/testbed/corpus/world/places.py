"""Roads between invented towns.

A road leads by two places that every road out of the first town has, the second of them by a rule that follows from the
town's name, and by one that every road into the second town has.
Pairs of towns are one in five held out, and the task asks for these only. The rank of a town decides how often the text
speaks of it.
"""

from t2scaling.testbed.corpus.world.draw import Draw, Fact, hashed, invented_name, is_held_out, listed

_PAST = listed(
    "mill inn well tower barn oak farm pond school shop fort shed tomb jail den hut tent mine kiln shrine stall bank "
    "dock kitchen nest hive tree post wheel bell cross stone"
)
_OVER = listed(
    "hill moor bridge river ridge marsh stream heath dike ditch field meadow plain rocks sands snow ice brook canal "
    "dam pass peak lawn wall fence stile rails ford cliff dune bog lake"
)
_THROUGH = listed(
    "gate wood arch tunnel cave valley gorge hedge yard door park court street lane crowd maze reeds corn vines mist "
    "shade ruins camp fair thorns pines ferns grove square hall alley fog"
)


def road(start: int, end: int) -> Fact:
    """The road between the towns of two ranks; its difficulty is the larger rank."""
    here, there = invented_name("town", start), invented_name("town", end)
    past, over = _PAST[hashed("past", start) % len(_PAST)], _OVER[hashed("over", here[:2]) % len(_OVER)]
    through = _THROUGH[hashed("through", end) % len(_THROUGH)]
    pair = f"from {here} to {there}"
    way = (f"past the {past}", f", over the {over}", f" and through the {through}")
    told = (f"The way {pair} goes {''.join(way)}.", f"People go {pair} {''.join(way)}.")
    return Fact(f"Which way leads {pair}?", way, told, "road", max(start, end), key=pair)


def is_road_held_out(start: int, end: int) -> bool:
    """Whether the road between the towns of two ranks is kept for the tests."""
    return is_held_out("road", start, end)


def tell(draw: Draw) -> Fact:
    """A road for the text."""
    while True:
        start, end = draw.rank(), draw.rank()
        if start != end and not is_road_held_out(start, end):
            return road(start, end)
