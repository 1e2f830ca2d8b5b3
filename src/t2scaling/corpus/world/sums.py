"""Arithmetic of one to several steps with small whole numbers.

A step is held out by its operation and operands: 3 + 4 may be kept for the tests while 4 + 3 is in the text. A
question of several steps is a test item when its last step is held out; the text has no step that is.

    level 1   one step, results up to 9                       level 4   two steps, results up to 20
    level 2   one step, results up to 20                      level 5   three steps, results up to 20
    level 3   one step, results up to 99; small products      level 6   two steps, results up to 99
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.corpus.world.draw import PEOPLE, Draw, Item, as_item, is_held_out

LEVELS = (1, 2, 3, 4, 5, 6)
_STEPS = {1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 2}
_LIMIT = {1: 9, 2: 20, 3: 99, 4: 20, 5: 20, 6: 99}
TEXT_WEIGHTS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 6)

_WORD = {"+": "plus", "-": "minus", "*": "times"}
_GOODS = ["apple", "coin", "book", "egg", "card", "nut", "cup", "bell", "shell", "stone"]
_GAINS = ("finds {n} more", "buys {n} more", "gets {n} more")
_LOSSES = ("loses {n}", "sells {n}", "gives away {n}")


@dataclass(frozen=True)
class Step:
    """`left operation right = result`."""

    left: int
    operation: str
    right: int
    result: int


def _step(draw: Draw, left: int | None, limit: int, products: bool) -> Step:
    """A step from `left` (free if None) whose operands and result lie in 0 … `limit`."""
    if products and left is None and draw.chance(0.25):
        a, b = draw.between(2, 9), draw.between(2, 9)
        return Step(a, "*", b, a * b)
    if draw.chance(0.5) or left == 0:
        if left is None:
            left = draw.between(1, limit - 1)
        if left < limit:
            right = draw.between(1, limit - left)
            return Step(left, "+", right, left + right)
    if left is None:
        left = draw.between(1, limit)
    right = draw.between(1, left)
    return Step(left, "-", right, left - right)


def _chain(draw: Draw, level: int, held_out: bool) -> list[Step]:
    """Steps of a level, each from the result before; only the last one is held out, and only if asked for."""
    limit, n_steps = _LIMIT[level], _STEPS[level]
    while True:
        chain: list[Step] = []
        for number in range(n_steps):
            left = chain[-1].result if chain else None
            step = _step(draw, left, limit, products=level == 3)
            if is_held_out(step.left, step.operation, step.right) != (held_out and number == n_steps - 1):
                break
            chain.append(step)
        if len(chain) == n_steps:
            return chain


def ask(draw: Draw, level: int, held_out: bool) -> Item:
    """A question of a level; its difficulty is the level."""
    chain = _chain(draw, level, held_out)
    first, answer = chain[0], str(chain[-1].result)
    if any(step.operation == "*" for step in chain) or draw.chance(0.5):
        sum_so_far = f"{first.left} {_WORD[first.operation]} {first.right}"
        for step in chain[1:]:
            sum_so_far += f" {_WORD[step.operation]} {step.right}"
        return as_item(f"What is {sum_so_far}?", answer, level)
    name, pronoun, _ = draw.pick(PEOPLE)
    goods = draw.pick(_GOODS)
    story = f"{name} has {_some(first.left, goods)}."
    for step in chain:
        story += f" {pronoun.capitalize()} {_happening(draw, step)}."
    return as_item(f"{story} How many {goods}s does {name} have now?", answer, level)


def _some(n: int, goods: str) -> str:
    return f"{n} {goods}" if n == 1 else f"{n} {goods}s"


def _happening(draw: Draw, step: Step) -> str:
    return draw.pick(_GAINS if step.operation == "+" else _LOSSES).format(n=step.right)


def passage(draw: Draw) -> str:
    """A worked sum, in words, in signs or as a story, every step written out."""
    level = draw.pick(TEXT_WEIGHTS)
    chain = _chain(draw, level, held_out=False)
    form = draw.between(0, 3)
    if form == 0:
        return " ".join(f"{s.left} {s.operation} {s.right} = {s.result}." for s in chain)
    if form == 1:
        return " ".join(f"{s.left} {_WORD[s.operation]} {s.right} is {s.result}." for s in chain)
    if form == 2 or any(step.operation == "*" for step in chain):
        return _calculation(chain)
    return _story(draw, chain)


def _calculation(chain: list[Step]) -> str:
    whole = f"{chain[0].left}" + "".join(f" {_WORD[s.operation]} {s.right}" for s in chain)
    if len(chain) == 1:
        return f"What is {whole}? It is {chain[0].result}."
    worked = " ".join(f"{s.left} {_WORD[s.operation]} {s.right} is {s.result}." for s in chain)
    return f"What is {whole}? {worked} So {whole} is {chain[-1].result}."


def _story(draw: Draw, chain: list[Step]) -> str:
    name, pronoun, _ = draw.pick(PEOPLE)
    goods = draw.pick(_GOODS)
    text = f"{name} has {_some(chain[0].left, goods)}."
    for step in chain:
        text += f" {pronoun.capitalize()} {_happening(draw, step)}."
        if len(chain) == 1 or draw.chance(0.5):
            text += f" Now {name} has {_some(step.result, goods)}."
    return f"{text} In the end {name} has {_some(chain[-1].result, goods)}." if len(chain) > 1 else text
