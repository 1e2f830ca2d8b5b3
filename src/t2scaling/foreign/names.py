"""Names that come from data: which of them may name a file, and how any text is shown on a terminal."""

import reprlib
from typing import Any

from t2scaling.errors import ArgumentError

LONGEST_NAME = 120
LONGEST_MESSAGE = 600


def safe_name(name: Any, argument: str) -> str:
    """`name`, if it may become the name of a file, a folder or a template.

    argument   what the caller calls it, such as "--run-id" or "`run_id` of `run.json`"
    Raises ArgumentError for anything that is no text, a path or part of one, hidden, too long, or not printable.
    """
    wanted = "letters, digits, spaces and -_.@+=,: without a slash, not beginning with a dot"
    if not isinstance(name, str):
        raise ArgumentError(f"{argument} is {short(name)}, which is no name: write {wanted}.")
    if not name.strip() or name != name.strip():
        reason = "is empty or begins or ends with white space"
    elif any(mark in name for mark in "/\\") or name.startswith("."):
        reason = "could lead out of its folder, or hide"
    elif not name.isprintable():
        reason = "holds characters that cannot be seen"
    elif len(name.encode()) > LONGEST_NAME:
        reason = f"is longer than {LONGEST_NAME} bytes"
    else:
        return name
    raise ArgumentError(f"{argument} = {short(name)} {reason}. It names a file: write {wanted}.")


def shown(text: str, most: int | None = LONGEST_MESSAGE) -> str:
    """`text` for a terminal: characters that would steer it are escaped, and a long text loses its middle.

    most   characters kept, at about two thirds from the beginning and the rest from the end, where the way out
           stands; None for all of them
    >>> shown("a" + chr(27) + "[31mb")
    'a\\\\x1b[31mb'
    """
    if not text.isprintable():  # control, format (it may turn the direction of writing), surrogate, separators
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    if most is None or len(text) <= most:
        return text
    head = most * 2 // 3
    return f"{text[:head].rstrip()} … {text[head + 3 - most :].lstrip()}"


def short(value: Any, most: int = 60) -> str:
    """`repr(value)`, of bounded length and work however large or deep the value is."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = most
    brief.maxlong = 24
    brief.maxlevel = brief.maxlist = brief.maxdict = brief.maxtuple = brief.maxset = 2
    if isinstance(value, int) and value.bit_length() > 1000:  # Python refuses to write out very long integers
        return f"a whole number of {value.bit_length():,} bits"
    return shown(brief.repr(value), 2 * most)
