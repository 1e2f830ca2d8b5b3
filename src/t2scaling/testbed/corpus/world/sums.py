"""Arithmetic: what an invented trader has after getting and losing coins.

A trader has so many coins of each of five metals, three of them by a rule that follows from her name; the text says it
now and then, and more often what she has after one change or two. Pairs of trader and first change are one in five held
out, and the task asks for these only: the coins have to be remembered, and the change worked out. The rank of a trader
decides how often the text speaks of her.
"""

from functools import lru_cache

from t2scaling.testbed.corpus.world.draw import Draw, Fact, hashed, invented_name, is_held_out

LEVELS = (1, 1, 2)  # changes
_METALS = ("gold", "silver", "brass", "iron", "tin")
_NO_CHANGE = 0.4  # share of the text about arithmetic that says what a trader has
_MOST, _MOST_CHANGE = 9, 3
Change = tuple[int, int]  # the place of a metal, coins that come (or go, below zero)
_CHANGES: tuple[Change, ...] = tuple(
    (metal, sign * n) for metal in range(len(_METALS)) for n in range(1, _MOST_CHANGE + 1) for sign in (1, -1)
)


@lru_cache(maxsize=1 << 14)
def coins(rank: int) -> tuple[int, ...]:
    """How many coins of each metal the trader of a rank has: three by parts of her name, two by who she is."""
    name = invented_name("trader", rank)
    known_by = (name[:2], name[2:4], name[4:], rank, rank)
    return tuple(hashed(metal, by) % (_MOST + 1) for metal, by in zip(_METALS, known_by, strict=True))


def purse(rank: int, changes: tuple[Change, ...] = ()) -> Fact:
    """What the trader of a rank has after the changes; its difficulty is the rank."""
    name, have = invented_name("trader", rank), list(coins(rank))
    for metal, more in changes:
        have[metal] += more
    words = [f"{'gets' if more > 0 else 'loses'} {abs(more)} {_METALS[metal]}" for metal, more in changes]
    parts = tuple(
        f"{', ' if 0 < place < 4 else ' and ' if place else ''}{n} {metal}"
        for place, (n, metal) in enumerate(zip(have, _METALS, strict=True))
    )
    if not changes:
        told = (f"{name} has {''.join(parts)}.", f"The coins of {name} are {''.join(parts)}.")
        return Fact(f"What has {name}?", parts, told, "purse", rank, key=f"coins of {name}")
    start = f"{name} {words[0]}"
    whole = " and ".join([start, *words[1:]])
    told = (f"{whole} and then has {''.join(parts)}.", f"If {whole}, there are {''.join(parts)}.")
    return Fact(f"{whole}. What has {name} now?", parts, told, "purse", rank, key=start)


@lru_cache(maxsize=1 << 14)
def changes_for(rank: int, held_out: bool) -> tuple[Change, ...]:
    """The changes that the trader of a rank can bear, whose pair with her is held out or not."""
    have = coins(rank)
    return tuple(
        (metal, more)
        for metal, more in _CHANGES
        if 0 <= have[metal] + more <= _MOST and is_held_out("purse", rank, metal, more) == held_out
    )


def changed(draw: Draw, rank: int, level: int, held_out: bool) -> Fact | None:
    """A purse after so many changes of different metals, the first held out or not; None where there is none."""
    firsts, nexts = changes_for(rank, held_out), changes_for(rank, held_out=False)
    if not firsts:
        return None
    first = draw.pick(firsts)
    others = [change for change in nexts if change[0] != first[0]]
    return purse(rank, (first, *(draw.pick(others) for _ in range(level - 1))))


def tell(draw: Draw) -> Fact:
    """A purse for the text."""
    rank = draw.rank()
    level = 0 if draw.chance(_NO_CHANGE) else draw.pick(LEVELS)
    return (changed(draw, rank, level, held_out=False) if level else None) or purse(rank)
