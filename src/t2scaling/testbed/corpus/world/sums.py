"""Arithmetic of one to several steps with small whole numbers, bare or as a story.

    level 1   one step, numbers up to 9, asked bare         level 4   one step, numbers up to 20, bare or a story
    level 2   one step, numbers up to 9, a story            level 5   one step, up to 99 with up to 9, bare or a story
    level 3   two steps, numbers up to 9, a story           level 6   three steps, numbers up to 20, bare or a story

Held out: who asks for which sum, and which goods have which numbers in a story, while the text has the sums themselves.
At level 5 the sum is new as well: a pair of operands, with its operation, that the text has in no form.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.testbed.corpus.world.draw import PEOPLE, Draw, Item, as_item, is_held_out

LEVELS = (1, 2, 3, 4, 5, 6)
_STEPS = {1: 1, 2: 1, 3: 2, 4: 1, 5: 1, 6: 3}
_LIMIT = {1: 9, 2: 9, 3: 9, 4: 20, 5: 99, 6: 20}
_TEXT_LEVELS = (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6)

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


@dataclass(frozen=True)
class _Sum:
    """Steps, each from the result before; who asks or owns the goods; whether it is asked bare or told as a story."""

    level: int
    steps: list[_Step]
    person: tuple[str, str, str]
    goods: str
    bare: bool


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
    return step.left > 20 and is_held_out(step.left, step.operation, step.right)


def _is_kept(drawn: _Sum, held_out: bool) -> bool:
    """Whether a sum belongs on the asked side of what is held out."""
    about = drawn.person[0] if drawn.bare else drawn.goods
    numbers = [f"{step.operation}{step.right}" for step in drawn.steps]
    new = _is_new(drawn.steps[-1])
    if is_held_out(about, drawn.steps[0].left, *numbers) != held_out:
        return False
    return new == (held_out and drawn.level == 5)


def _draw_sum(draw: Draw, level: int, held_out: bool) -> _Sum:
    while True:
        bare = level == 1 or (level >= 4 and draw.chance(0.5))
        drawn = _Sum(level, _chain(draw, level), draw.pick(PEOPLE), draw.pick(_GOODS), bare)
        if _is_kept(drawn, held_out):
            return drawn


def _whole(steps: list[_Step]) -> str:
    return f"{steps[0].left}" + "".join(f" {_WORD[step.operation]} {step.right}" for step in steps)


def _some(n: int, goods: str) -> str:
    return f"{n} {goods}" if n == 1 else f"{n} {goods}s"


def _happening(draw: Draw, step: _Step) -> str:
    return draw.pick(_GAINS if step.operation == "+" else _LOSSES).format(n=step.right)


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    drawn = _draw_sum(draw, level, held_out)
    name, pronoun, _ = drawn.person
    answer = str(drawn.steps[-1].result)
    if drawn.bare:
        return as_item(f"{name} asks: what is {_whole(drawn.steps)}?", answer, level)
    story = f"{name} has {_some(drawn.steps[0].left, drawn.goods)}."
    for step in drawn.steps:
        story += f" {pronoun.capitalize()} {_happening(draw, step)}."
    return as_item(f"{story} How many {drawn.goods}s does {name} have now?", answer, level)


def questions(draw: Draw, n: int) -> list[Item]:
    """Questions for the text."""
    return [ask(draw, draw.pick(_TEXT_LEVELS), held_out=False) for _ in range(n)]


def passages(draw: Draw, n: int) -> list[str]:
    """Worked sums, in words, in signs or as stories, every step written out."""
    return [_passage(draw, draw.pick(_TEXT_LEVELS)) for _ in range(n)]


def _passage(draw: Draw, level: int) -> str:
    drawn = _draw_sum(draw, level, held_out=False)
    if not drawn.bare:
        return _story(draw, drawn)
    form = draw.between(0, 2)
    if form == 0:
        return " ".join(f"{s.left} {s.operation} {s.right} = {s.result}." for s in drawn.steps)
    if form == 1:
        return _worked(drawn.steps)
    whole, result = _whole(drawn.steps), drawn.steps[-1].result
    end = f" So {whole} is {result}." if len(drawn.steps) > 1 else ""
    return f"What is {whole}? {_worked(drawn.steps)}{end}"


def _worked(steps: list[_Step]) -> str:
    return " ".join(f"{s.left} {_WORD[s.operation]} {s.right} is {s.result}." for s in steps)


def _story(draw: Draw, drawn: _Sum) -> str:
    name, pronoun, _ = drawn.person
    text = f"{name} has {_some(drawn.steps[0].left, drawn.goods)}."
    for step in drawn.steps:
        text += f" {pronoun.capitalize()} {_happening(draw, step)}."
        if draw.chance(0.6):
            text += f" {step.left} {_WORD[step.operation]} {step.right} is {step.result}."
        text += f" Now {name} has {_some(step.result, drawn.goods)}."
    return text
