"""Containment and position: where things are, which side they are on, and where they end up.

    level 1   which way back: the opposite of one direction       level 4   two things in two places
    level 2   one thing in one place                              level 5   a thing that was moved
    level 3   a thing in a place in a room: which room            level 6   three things in three places

Held out: the combination of the things, places and people that a story is about. A document has a cast, often of a
single place, so that its sentences come back to the same words and a model learns to look them up.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.testbed.corpus.world.draw import PEOPLE, Draw, Item, as_item, capital, is_held_out

LEVELS = (1, 2, 3, 4, 5, 6)

_THINGS = (
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
)
_PLACES = ("box", "bag", "basket", "drawer", "jar", "chest", "bucket", "pocket", "crate", "tin", "case", "sack")
_ROOMS = ("kitchen", "garden", "bedroom", "hall", "attic", "cellar", "office", "barn", "shop", "school")
_NAMES = tuple(name for name, _, _ in PEOPLE)
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
class _Cast:
    """What a document is about, and the levels that its size allows (as often as they are listed)."""

    things: tuple[str, ...]
    places: tuple[str, ...]
    rooms: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class _Scene:
    """A short story, a question about it, its answer, and the answer as a sentence.

    combination   what the story as a whole is known by when a test asks about it
    within        the combinations of its parts, which are stories of a lower level
    """

    story: str
    question: str
    answer: str
    sentence: str
    combination: tuple[str, ...]
    within: tuple[tuple[str, ...], ...] = ()


_EVERYONE = _Cast(_THINGS, _PLACES, _ROOMS, _NAMES, (1, 2, 2, 3, 3, 4, 4, 5, 6))


def _cast(draw: Draw) -> _Cast:
    """The cast of a document: one place, two, or all of them."""
    size = draw.between(0, 9)
    if size >= 7:
        return _EVERYONE
    if size >= 4:
        things, places, rooms = draw.several(_THINGS, 3), draw.several(_PLACES, 2), draw.several(_ROOMS, 2)
        return _Cast(tuple(things), tuple(places), tuple(rooms), draw.two(_NAMES), (1, 2, 3, 3, 4, 4, 5))
    things = draw.several(_THINGS, 2)
    return _Cast(tuple(things), (draw.pick(_PLACES),), (draw.pick(_ROOMS),), draw.two(_NAMES), (1, 2, 2, 3, 3))


def _sides(draw: Draw, who: _Cast) -> _Scene:
    thing, other = draw.two(who.things)
    side = draw.pick(_SIDES)
    back = _OPPOSITE[side]
    return _Scene(
        f"The {thing} is {_PREPOSITION[side]} the {other}.",
        f"On which side of the {thing} is the {other}?",
        back,
        f"The {other} is {_PREPOSITION[back]} the {thing}.",
        (thing, other, side),
    )


def _put(draw: Draw, name: str, thing: str, place: str) -> str:
    form = draw.between(0, 3)
    if form == 0:
        return f"{name} puts the {thing} in the {place}."
    if form == 1:
        return f"{name} has a {place} with a {thing} in it."
    if form == 2:
        return f"{name} opens the {place}. In the {place} there is a {thing}."
    return f"{name} keeps the {thing} in the {place}."


def _asked(story: str, thing: str, place: str, combination: tuple[str, ...], *within: tuple[str, ...]) -> _Scene:
    return _Scene(story, f"What is the {thing} in?", place, f"The {thing} is in the {place}.", combination, within)


def _one(draw: Draw, who: _Cast) -> _Scene:
    thing, place, name = draw.pick(who.things), draw.pick(who.places), draw.pick(who.names)
    return _asked(_put(draw, name, thing, place), thing, place, (thing, place, name))


def _room(draw: Draw, who: _Cast) -> _Scene:
    thing, place, room = draw.pick(who.things), draw.pick(who.places), draw.pick(who.rooms)
    first, second = _put(draw, draw.pick(who.names), thing, place), f"The {place} is in the {room}."
    story = f"{first} {second}" if draw.chance(0.7) else f"{second} {first}"
    question, sentence = f"Which room is the {thing} in?", f"The {thing} is in the {room}."
    return _Scene(story, question, room, sentence, (thing, place, room))


def _many(draw: Draw, who: _Cast, n: int) -> _Scene:
    things, places = draw.several(who.things, n), draw.several(who.places, n)
    names = [draw.pick(who.names) for _ in range(n)]
    puts = [_put(draw, *words) for words in zip(names, things, places, strict=True)]
    asked = draw.between(0, n - 1)
    # The end of the story, with the question, is a story of fewer things.
    ends = [(*things[i:], *places[i:]) for i in range(1, n - 1)] + [(things[-1], places[-1], names[-1])]
    return _asked(" ".join(puts), things[asked], places[asked], (*things, *places), *ends)


def _moved(draw: Draw, who: _Cast) -> _Scene:
    thing, name = draw.pick(who.things), draw.pick(who.names)
    before, place = draw.two(who.places)
    move = draw.pick(("{n} takes it out and puts it in the {p}.", "Then {n} moves it to the {p}."))
    story = f"{_put(draw, name, thing, before)} {move.format(n=name, p=place)}"
    return _asked(story, thing, place, (thing, before, place))


def _of_level(draw: Draw, who: _Cast, level: int) -> _Scene:
    if level == 1:
        return _sides(draw, who)
    if level == 2:
        return _one(draw, who)
    if level == 3:
        return _room(draw, who)
    if level == 5:
        return _moved(draw, who)
    return _many(draw, who, 2 if level == 4 else 3)


def _scene(draw: Draw, who: _Cast, levels: tuple[int, ...], held_out: bool) -> tuple[_Scene, int]:
    """A scene and its level, one of `levels`, that is held out or has nothing held out in it; draws until it is so."""
    while True:
        level = draw.pick(levels)
        scene = _of_level(draw, who, level)
        if is_held_out(*scene.combination) != held_out:
            continue
        if held_out or not any(is_held_out(*part) for part in scene.within):
            return scene, level


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    scene, _ = _scene(draw, _EVERYONE, (level,), held_out)
    return as_item(scene.question, scene.answer, level, story=scene.story)


def questions(draw: Draw, n: int) -> list[Item]:
    """Questions for the text, all about one cast."""
    who = _cast(draw)
    scenes = [_scene(draw, who, who.levels, held_out=False) for _ in range(n)]
    return [as_item(scene.question, scene.answer, level, story=scene.story) for scene, level in scenes]


def passages(draw: Draw, n: int) -> list[str]:
    """Short stories about where things are, with what follows from them, all about one cast."""
    who = _cast(draw)
    return [_passage(draw, _scene(draw, who, who.levels, held_out=False)[0]) for _ in range(n)]


def _passage(draw: Draw, scene: _Scene) -> str:
    form = draw.between(0, 3)
    if form == 0:
        return f"{scene.story} So {scene.sentence[0].lower()}{scene.sentence[1:]}"
    if form == 1:
        return f"{scene.story} {scene.sentence}"
    if form == 2:
        return f"{scene.story} That means {scene.sentence[0].lower()}{scene.sentence[1:]}"
    return f"{scene.story} {scene.question} {capital(scene.answer)}. {scene.sentence}"
