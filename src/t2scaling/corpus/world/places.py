"""Containment and position: where things are, which side they are on, and where they end up.

    level 1   which way back: the opposite of one direction       level 4   two things in two places
    level 2   one thing in one place                              level 5   a thing that was moved
    level 3   a thing in a place in a room: which room            level 6   three things in three places

Held out: the (thing, place) or (thing, thing) pair that the question is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.corpus.world.draw import PEOPLE, Draw, Item, as_item, capital, is_held_out

LEVELS = (1, 2, 3, 4, 5, 6)
TEXT_WEIGHTS = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6)

_THINGS = [
    "key",
    "ball",
    "cup",
    "book",
    "pen",
    "coin",
    "ring",
    "hat",
    "shoe",
    "lamp",
    "map",
    "letter",
    "spoon",
    "doll",
    "bell",
    "stone",
]
_PLACES = ["box", "bag", "basket", "drawer", "jar", "chest", "bucket", "pocket", "crate", "tin", "case", "sack"]
_ROOMS = ["kitchen", "garden", "bedroom", "hall", "attic", "cellar", "office", "barn", "shop", "school"]
_OPPOSITE = {
    "left": "right",
    "right": "left",
    "north": "south",
    "south": "north",
    "east": "west",
    "west": "east",
    "above": "below",
    "below": "above",
}
_SIDES = tuple(_OPPOSITE)
_PREPOSITION = {
    "left": "to the left of",
    "right": "to the right of",
    "north": "north of",
    "south": "south of",
    "east": "east of",
    "west": "west of",
    "above": "above",
    "below": "below",
}


@dataclass(frozen=True)
class _Scene:
    """A short story, a question about it, its answer, and the answer as a sentence."""

    story: str
    question: str
    answer: str
    sentence: str


def _pair(draw: Draw, firsts: list[str], seconds: list[str], held_out: bool) -> tuple[str, str]:
    """Two different words, one from each list, whose pair is held out or not."""
    while True:
        first, second = draw.pick(firsts), draw.pick(seconds)
        if first != second and is_held_out(first, second) == held_out:
            return first, second


def _sides(draw: Draw, held_out: bool) -> _Scene:
    thing, other = _pair(draw, _THINGS, _THINGS, held_out)
    side = draw.pick(_SIDES)
    back = _OPPOSITE[side]
    return _Scene(
        f"The {thing} is {_PREPOSITION[side]} the {other}.",
        f"On which side of the {thing} is the {other}?",
        back,
        f"The {other} is {_PREPOSITION[back]} the {thing}.",
    )


def _one(draw: Draw, held_out: bool) -> _Scene:
    thing, place = _pair(draw, _THINGS, _PLACES, held_out)
    return _asked(_put(draw, thing, place), thing, place)


def _put(draw: Draw, thing: str, place: str) -> str:
    form = draw.between(0, 3)
    if form == 0:
        return f"{draw.pick(PEOPLE)[0]} puts the {thing} in the {place}."
    if form == 1:
        return f"There is a {place} with a {thing} in it."
    return f"The {thing} is in the {place}."


def _asked(story: str, thing: str, place: str) -> _Scene:
    return _Scene(story, f"What is the {thing} in?", place, f"The {thing} is in the {place}.")


def _room(draw: Draw, held_out: bool) -> _Scene:
    thing, room = _pair(draw, _THINGS, _ROOMS, held_out)
    place = _pair(draw, [thing], _PLACES, False)[1]
    first, second = _put(draw, thing, place), f"The {place} is in the {room}."
    story = f"{first} {second}" if draw.chance(0.7) else f"{second} {first}"
    return _Scene(story, f"Which room is the {thing} in?", room, f"The {thing} is in the {room}.")


def _many(draw: Draw, n: int, held_out: bool) -> _Scene:
    thing, place = _pair(draw, _THINGS, _PLACES, held_out)
    while True:
        things, places = draw.several(_THINGS, n - 1), draw.several(_PLACES, n - 1)
        free = thing not in things and place not in places
        if free and not any(is_held_out(*pair) for pair in zip(things, places, strict=True)):
            break
    puts = [_put(draw, *pair) for pair in [(thing, place), *zip(things, places, strict=True)]]
    return _asked(" ".join(draw.several(puts, n)), thing, place)


def _moved(draw: Draw, held_out: bool) -> _Scene:
    thing, place = _pair(draw, _THINGS, _PLACES, held_out)
    before = place
    while before == place:
        before = _pair(draw, [thing], _PLACES, False)[1]
    name = draw.pick(PEOPLE)[0]
    form = draw.between(0, 1)
    start = f"{name} puts the {thing} in the {before}." if form else f"The {thing} is in the {before}."
    move = f"{name} takes it out and puts it in the {place}." if form else f"Then {name} moves it to the {place}."
    return _asked(f"{start} {move}", thing, place)


def _scene(draw: Draw, level: int, held_out: bool) -> _Scene:
    if level == 1:
        return _sides(draw, held_out)
    if level == 2:
        return _one(draw, held_out)
    if level == 3:
        return _room(draw, held_out)
    if level == 5:
        return _moved(draw, held_out)
    return _many(draw, 2 if level == 4 else 3, held_out)


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    scene = _scene(draw, level, held_out)
    return as_item(scene.question, scene.answer, level, story=scene.story)


def passage(draw: Draw) -> str:
    """A short story about where things are, with what follows from it."""
    scene = _scene(draw, draw.pick(TEXT_WEIGHTS), held_out=False)
    form = draw.between(0, 3)
    if form == 0:
        return f"{scene.story} So {scene.sentence[0].lower()}{scene.sentence[1:]}"
    if form == 1:
        return f"{scene.story} {scene.sentence}"
    if form == 2:
        return f"{scene.story} That means {scene.sentence[0].lower()}{scene.sentence[1:]}"
    return f"{scene.story} {scene.question} {capital(scene.answer)}. {scene.sentence}"
