"""Grading sampled responses against the target of their question: exact, numeric, or a function of the user's.

A scorer takes two text series of equal length, one response and its target per row, and returns a boolean series.
"""

import ast
from collections.abc import Callable

import polars as pl

from t2scaling.errors import DataError
from t2scaling.foreign import load_function
from t2scaling.observations.schema import nearest

Scorer = Callable[[pl.Series, pl.Series], pl.Series]
# What Python's str.strip takes for white space: four separators more than polars does.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
LONGEST_ANSWER = 80
_NUMBER = r"-?\$?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def exact(responses: pl.Series, targets: pl.Series) -> pl.Series:
    """A response that equals the target, white space at both ends aside.

    A target that is the text of a list, as harnesses write several accepted answers, is met by any of its items.
    """
    given, wanted = responses.str.strip_chars(WHITE_SPACE), targets.str.strip_chars(WHITE_SPACE)
    met = (given == wanted).fill_null(False)
    listed = wanted.str.starts_with("[") & wanted.str.ends_with("]")
    if not listed.any():
        return met
    accepted = {text: _items(text) for text in wanted.filter(listed).unique()}
    any_of = [text in accepted.get(target, ()) for text, target in zip(given, wanted, strict=True)]
    return met | pl.Series(any_of, dtype=pl.Boolean)


def _items(text: str) -> tuple[str, ...]:
    try:
        value = ast.literal_eval(text) if len(text) < 10_000 else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ()
    return tuple(str(item).strip() for item in value) if isinstance(value, list) else ()


def numeric(responses: pl.Series, targets: pl.Series) -> pl.Series:
    """The last number of the response equals the last number of the target, to one part in 10⁹.

    Thousands separators and a dollar sign are ignored, so `#### 1,234` is met by `… so it is $1234.00.`
    """
    given, wanted = _last_number(responses), _last_number(targets)
    close = (given - wanted).abs() <= 1e-9 * wanted.abs()
    return close.fill_null(False)


def _last_number(texts: pl.Series) -> pl.Series:
    found = texts.str.extract_all(_NUMBER).list.last()
    return found.str.replace_all(r"[$,]", "").cast(pl.Float64, strict=False)


def answers(scorer: str, responses: pl.Series) -> pl.Series:
    """The answer that each response comes down to, by which equal ones are counted; null where there is none.

    scorer  exact: the response itself; numeric: its last number; for a function of the user's nothing is known
    An answer longer than 80 characters is prose, and `[invalid]` is what the harness' filters write for no answer.
    """
    if scorer == "numeric":
        return _last_number(responses).cast(pl.String)
    if scorer != "exact":
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(responses))
    texts = responses.str.strip_chars(WHITE_SPACE)
    readable = texts.str.len_chars().is_between(1, LONGEST_ANSWER) & (texts != "[invalid]")
    return texts.set(~readable.fill_null(False), None)


def user_function(name: str) -> Scorer:
    """The scorer that calls `module:function` (or `file.py:function`) as function(response, target) → truth value.

    Raises DataError where there is no such module or function. What the function itself raises is its own.
    """
    function = load_function(name, "--score")

    def grade(responses: pl.Series, targets: pl.Series) -> pl.Series:
        pairs = zip(responses, targets, strict=True)
        return pl.Series([bool(function(response, target)) for response, target in pairs], dtype=pl.Boolean)

    return grade


def find_scorer(name: str) -> Scorer:
    """The scorer called `exact`, `numeric` or `module:function`. Raises DataError for any other name."""
    named: dict[str, Scorer] = {"exact": exact, "numeric": numeric}
    if name in named:
        return named[name]
    if ":" in name:
        return user_function(name)
    raise DataError(f"`{name}` is no way of scoring{nearest(name, named)}: it is exact, numeric or module:function.")
