"""Cause and effect: what people feel and do, and what things of a material do when something happens to them.

    level 1   an event and what a person felt          held out: (person, event)
    level 2   what happened to a thing of the house    held out: (thing, event)
    level 3   an event and what the person did next, by way of the feeling      held out: the event
    level 4   what happened to an invented thing, by way of its material        held out: (thing, event)

Feelings, and the doings that follow from them, are in the text one step at a time, so that level 3 asks for a link
that the text never states for the event; in the same way the text states an invented thing's material.
"""

from __future__ import annotations

from t2scaling.testbed.corpus.world.draw import PEOPLE, Draw, Item, as_item, capital, is_held_out, with_article
from t2scaling.testbed.corpus.world.facts import invented_thing

LEVELS = (1, 2, 3, 4)
_TEXT_LEVELS = (1, 1, 1, 2, 2, 2, 2, 3, 3, 4)

# Event, with {his} for the pronoun → feeling.
_EVENTS = (
    ("lost {his} dog", "sad"),
    ("said goodbye to a friend", "sad"),
    ("heard the bad news", "sad"),
    ("won the race", "happy"),
    ("got a present", "happy"),
    ("met an old friend", "happy"),
    ("saw a snake", "afraid"),
    ("heard a noise in the dark", "afraid"),
    ("met a bear", "afraid"),
    ("had no food all day", "hungry"),
    ("missed dinner", "hungry"),
    ("came home without lunch", "hungry"),
    ("drank no water", "thirsty"),
    ("walked through the desert", "thirsty"),
    ("ate salty fish", "thirsty"),
    ("ran for an hour", "tired"),
    ("worked all night", "tired"),
    ("carried heavy bags", "tired"),
    ("stood in the snow", "cold"),
    ("forgot {his} coat in winter", "cold"),
    ("fell into the icy lake", "cold"),
    ("was told a lie", "angry"),
    ("was robbed by a thief", "angry"),
    ("was blamed for nothing", "angry"),
    ("broke {his} leg", "hurt"),
    ("cut {his} hand", "hurt"),
    ("fell from a horse", "hurt"),
    ("waited for hours", "bored"),
    ("had nothing to do", "bored"),
    ("heard a long speech", "bored"),
)
# Feeling → what the person did next.
_DOINGS = {
    "sad": "cried",
    "happy": "smiled",
    "afraid": "hid",
    "hungry": "ate",
    "thirsty": "drank",
    "tired": "slept",
    "cold": "shivered",
    "angry": "shouted",
    "hurt": "screamed",
    "bored": "yawned",
}
# Material → things of the house.
_THINGS = {
    "glass": ["vase", "bottle", "mirror", "window", "bulb"],
    "wood": ["chair", "ladder", "bench", "fence", "table"],
    "rubber": ["ball", "tyre", "boot", "glove", "hose"],
    "iron": ["nail", "chain", "hook", "pan", "gate"],
    "paper": ["letter", "kite", "map", "book", "poster"],
    "wax": ["candle", "seal", "crayon"],
    "clay": ["pot", "mug", "tile", "bowl", "jug"],
    "ice": ["icicle", "snowball", "cube"],
    "wool": ["scarf", "sock", "blanket", "hat", "coat"],
}
# Happening → effect by material.
_HAPPENINGS = {
    "fell on the stones": {
        "glass": "broke", "clay": "broke", "ice": "broke", "rubber": "bounced", "iron": "clanged", "wood": "clattered",
    },
    "was put in the fire": {
        "wood": "burned", "paper": "burned", "wool": "burned", "wax": "melted", "ice": "melted", "iron": "glowed",
        "clay": "hardened", "rubber": "smoked",
    },
    "was thrown into the lake": {
        "wood": "floated", "ice": "floated", "wax": "floated", "rubber": "floated", "iron": "sank", "glass": "sank",
        "clay": "sank", "wool": "sank",
    },
    "was hit with a hammer": {
        "glass": "broke", "clay": "broke", "ice": "broke", "wood": "split", "iron": "clanged", "wax": "split",
        "rubber": "bounced",
    },
    "stood in the rain for a year": {
        "iron": "rusted", "wood": "rotted", "paper": "rotted", "wool": "rotted", "rubber": "cracked",
    },
    "lay in the hot sun": {
        "ice": "melted", "wax": "melted", "paper": "faded", "wool": "faded", "clay": "hardened",
    },
}  # fmt: skip
_MADE = tuple((thing, material) for material, things in _THINGS.items() for thing in things)
_BY_MATERIAL = {
    material: tuple((event, effects[material]) for event, effects in _HAPPENINGS.items() if material in effects)
    for material in _THINGS
}
_TIMES = ("", "", "Today ", "Yesterday ", "One day ", "Last week ", "This morning ", "At noon ")
_LOOKS = ("", "", "old ", "new ", "small ", "big ", "nice ", "pretty ")
_THING_OFFSET, _THING_EXPONENT = 10.0, 1.6


def _person_event(draw: Draw, held_out: bool) -> tuple[str, str, str, str]:
    """Name, pronoun, event and feeling of a (person, event) pair that is held out or not."""
    while True:
        name, pronoun, possessive = draw.pick(PEOPLE)
        event, feeling = draw.pick(_EVENTS)
        if is_held_out(name, event) == held_out:
            return name, pronoun, event.format(his=possessive), feeling


def _person_doing(draw: Draw, held_out: bool) -> tuple[str, str, str, str]:
    """Name, pronoun, event and feeling of an event whose consequence in deeds is held out or not."""
    while True:
        name, pronoun, possessive = draw.pick(PEOPLE)
        event, feeling = draw.pick(_EVENTS)
        if is_held_out("doing", event) == held_out:
            return name, pronoun, event.format(his=possessive), feeling


def _thing_happening(draw: Draw, invented: bool, held_out: bool) -> tuple[str, str, str, str]:
    """Thing, material, happening and effect of a (thing, happening) pair that is held out or not."""
    while True:
        if invented:
            thing, material = invented_thing(draw.rank(_THING_OFFSET, _THING_EXPONENT))
        else:
            thing, material = draw.pick(_MADE)
        event, effect = draw.pick(_BY_MATERIAL[material])
        if is_held_out(thing, event) == held_out:
            return thing, material, event, effect


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    when = draw.pick(_TIMES)
    if level == 1:
        name, _, event, feeling = _person_event(draw, held_out)
        return as_item(f"{when}{name} {event}. How did {name} feel?", feeling, level)
    if level == 3:
        name, pronoun, event, feeling = _person_doing(draw, held_out)
        return as_item(f"{when}{name} {event}. What did {pronoun} do next?", _DOINGS[feeling], level)
    thing, _, event, effect = _thing_happening(draw, level == 4, held_out)
    thing = draw.pick(_LOOKS) + thing
    return as_item(capital(f"{when}the {thing} {event}. What did it do?"), effect, level)


def questions(draw: Draw, n: int) -> list[Item]:
    """Questions for the text."""
    return [ask(draw, draw.pick(_TEXT_LEVELS), held_out=False) for _ in range(n)]


def passages(draw: Draw, n: int) -> list[str]:
    """Causes with their effects, each in one or two sentences."""
    return [_passage(draw, draw.pick(_TEXT_LEVELS)) for _ in range(n)]


def _passage(draw: Draw, level: int) -> str:
    if level == 1:
        return _feeling(draw)
    if level == 3:
        return _doing(draw)
    return _happening(draw, invented=level == 4)


def _feeling(draw: Draw) -> str:
    name, pronoun, event, feeling = _person_event(draw, held_out=False)
    form = draw.between(0, 5)
    if form == 0:
        return f"{draw.pick(_TIMES)}{name} {event}, so {pronoun} felt {feeling}."
    if form == 1:
        return f"{name} felt {feeling} because {pronoun} {event}."
    if form == 2:
        return f"{draw.pick(_TIMES)}{name} {event}. As a result {name} felt {feeling}."
    if form == 3:
        return f"Why did {name} feel {feeling}? It was because {pronoun} {event}."
    if form == 4:
        return f"When {name} {event}, {pronoun} felt {feeling}."
    return f"{name} {event}. That made {name} {feeling}."


def _doing(draw: Draw) -> str:
    form = draw.between(0, 5)
    if form <= 2:
        name, pronoun, _ = draw.pick(PEOPLE)
        feeling, doing = draw.pick(tuple(_DOINGS.items()))
        if form == 0:
            return f"{name} felt {feeling}, so {pronoun} {doing}."
        return f"{name} {doing} because {pronoun} felt {feeling}."
    name, pronoun, event, feeling = _person_doing(draw, held_out=False)
    doing = _DOINGS[feeling]
    if form == 3:
        return f"{draw.pick(_TIMES)}{name} {event}. Then {pronoun} {doing}."
    if form == 4:
        return f"{name} {event} and so {pronoun} {doing}."
    return f"{name} {event}. What did {pronoun} do next? {capital(pronoun)} {doing}."


def _happening(draw: Draw, invented: bool) -> str:
    thing, material, event, effect = _thing_happening(draw, invented, held_out=False)
    form = draw.between(0, 7)
    if form < 4:
        thing = draw.pick(_LOOKS) + thing
    if form == 0:
        return capital(f"{draw.pick(_TIMES)}the {thing} {event}, so it {effect}.")
    if form == 1:
        return capital(f"{draw.pick(_TIMES)}the {thing} {effect} because it {event}.")
    if form == 2:
        return f"The {thing} {event}. As a result it {effect}."
    if form == 3:
        return f"Why did it happen that the {thing} {effect}? It {event}."
    if form == 4:
        return f"The {thing} is made of {material}. When it {event}, it {effect}."
    if form == 5:
        return f"{capital(with_article(thing))} is made of {material}."
    if form == 6:
        return f"Things made of {material} are like this: when one {event}, it {effect}."
    return f"When the {thing} {event}, it {effect}."
