"""Arithmetic of one to several steps with small whole numbers, bare or as a story.

    level 1   somebody asks for a sum up to 9               level 4   one step, numbers up to 20, a new pair
    level 2   a story of one step, numbers up to 9          level 5   a new pair up to 99, the second up to 9
    level 3   a story of two steps, numbers up to 9         level 6   three steps, numbers up to 20, the last pair new

Held out at levels 1 to 3: who asks for which sum, and the goods and numbers of a story, while the text has the sums
themselves. From level 4 on: the last step, a pair of operands with its operation that the text never has in any form.
Sums within 9 are never new.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.corpus.world.draw import PEOPLE, Draw, Item, as_item, is_held_out

LEVELS = (1, 2, 3, 4, 5, 6)
_STEPS = {1: 1, 2: 1, 3: 2, 4: 1, 5: 1, 6: 3}
_LIMIT = {1: 9, 2: 9, 3: 9, 4: 20, 5: 99, 6: 20}
_TEXT_LEVELS = (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 5, 6)

_WORD = {"+": "plus", "-": "minus"}
_GOODS = ("apple", "coin", "book", "egg", "card", "nut", "cup", "bell", "shell", "stone")
_GAINS = ("finds {n} more", "buys {n} more", "gets {n} more")
_LOSSES = ("loses {n}", "sells {n}", "gives away {n}")


@dataclass(frozen=True)
class _Step:
    """`left operation right = result`."""

    left: int
    operation: str
    right: int
    result: int


def _step(draw: Draw, left: int, limit: int, right_limit: int) -> _Step:
    """A step from `left` whose numbers lie in 0 … `limit`, the right one in 1 … `right_limit`."""
    if left == 0 or (left < limit and draw.chance(0.5)):
        right = draw.between(1, min(limit - left, right_limit))
        return _Step(left, "+", right, left + right)
    right = draw.between(1, min(left, right_limit))
    return _Step(left, "-", right, left - right)


def _chain(draw: Draw, level: int) -> list[_Step]:
    """The steps of a level, each from the result before."""
    limit, right_limit = _LIMIT[level], 9 if level == 5 else _LIMIT[level]
    chain = [_step(draw, draw.between(1, limit), limit, right_limit)]
    while len(chain) < _STEPS[level]:
        chain.append(_step(draw, chain[-1].result, limit, right_limit))
    return chain


def _is_new(step: _Step) -> bool:
    """Whether a step is kept out of all text."""
    beyond_nine = max(step.left, step.right, step.result) > 9
    return beyond_nine and is_held_out(step.left, step.operation, step.right)


def _sum(draw: Draw, level: int, held_out: bool) -> tuple[list[_Step], str, tuple[str, str, str]]:
    """Steps, goods and person of a level, held out or not."""
    while True:
        chain, goods, person = _chain(draw, level), draw.pick(_GOODS), draw.pick(PEOPLE)
        *earlier, last = [_is_new(step) for step in chain]
        about = person[0] if level == 1 else goods
        story = is_held_out(about, chain[0].left, *(f"{step.operation}{step.right}" for step in chain))
        wanted = (last == held_out) if level > 3 else (not last and story == held_out)
        if wanted and not any(earlier):
            return chain, goods, person


def _whole(chain: list[_Step]) -> str:
    return f"{chain[0].left}" + "".join(f" {_WORD[step.operation]} {step.right}" for step in chain)


def _some(n: int, goods: str) -> str:
    return f"{n} {goods}" if n == 1 else f"{n} {goods}s"


def _happening(draw: Draw, step: _Step) -> str:
    return draw.pick(_GAINS if step.operation == "+" else _LOSSES).format(n=step.right)


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    chain, goods, (name, pronoun, _) = _sum(draw, level, held_out)
    answer = str(chain[-1].result)
    if level == 1:
        return as_item(f"{name} asks: what is {_whole(chain)}?", answer, level)
    if level > 3 and draw.chance(0.5):
        return as_item(f"What is {_whole(chain)}?", answer, level)
    story = f"{name} has {_some(chain[0].left, goods)}."
    for step in chain:
        story += f" {pronoun.capitalize()} {_happening(draw, step)}."
    return as_item(f"{story} How many {goods}s does {name} have now?", answer, level)


def questions(draw: Draw, n: int) -> list[Item]:
    """Questions for the text."""
    return [ask(draw, draw.pick(_TEXT_LEVELS), held_out=False) for _ in range(n)]


def passages(draw: Draw, n: int) -> list[str]:
    """Worked sums, in words, in signs or as stories, every step written out."""
    return [_passage(draw, draw.pick(_TEXT_LEVELS)) for _ in range(n)]


def _passage(draw: Draw, level: int) -> str:
    chain, goods, person = _sum(draw, level, held_out=False)
    form = draw.between(0, 3)
    if form == 0:
        return " ".join(f"{s.left} {s.operation} {s.right} = {s.result}." for s in chain)
    if form == 1:
        return _worked(chain)
    if form == 2:
        whole = _whole(chain)
        worked = _worked(chain)
        return f"What is {whole}? {worked}" + (f" So {whole} is {chain[-1].result}." if len(chain) > 1 else "")
    return _story(draw, chain, goods, person)


def _worked(chain: list[_Step]) -> str:
    return " ".join(f"{s.left} {_WORD[s.operation]} {s.right} is {s.result}." for s in chain)


def _story(draw: Draw, chain: list[_Step], goods: str, person: tuple[str, str, str]) -> str:
    name, pronoun, _ = person
    text = f"{name} has {_some(chain[0].left, goods)}."
    for step in chain:
        text += f" {pronoun.capitalize()} {_happening(draw, step)}."
        if draw.chance(0.6):
            text += f" {step.left} {_WORD[step.operation]} {step.right} is {step.result}."
        text += f" Now {name} has {_some(step.result, goods)}."
    return text
