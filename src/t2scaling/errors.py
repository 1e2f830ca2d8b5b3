"""The errors that t2scaling raises on purpose.

Every message names the argument as the caller typed it, the value, and a way out. Arguments that are impossible
by themselves (k < 1, a negative budget) are `ArgumentError`, which is a `ValueError` too; the other classes are for
what goes wrong with data, suites, fits and missing prerequisites. The command prints any of them as one paragraph
without a traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class T2Error(Exception):
    """Base of every error below; catch this to catch them all."""

    exit_code = 2


class ArgumentError(T2Error, ValueError):
    """An argument that is impossible by itself: k < 1, a negative budget, a name that is not known."""


class DataError(T2Error, ValueError):
    """Measurements that cannot be used: missing columns, c > n, duplicate rows, an unreadable file.

    rows   the offending rows or keys where they are known (a short list, never the whole table)
    """

    def __init__(self, message: str, rows: list[Any] | None = None) -> None:
        super().__init__(message)
        self.rows = rows or []


class MissingColumns(DataError):
    """A table without columns that it needs.

    what     the message without its way out
    options  those of the command that say where the columns are, such as "--column n_params=size"
    """

    def __init__(self, what: str, options: str, columns: list[str]) -> None:
        super().__init__(f"{what} Say where they are: {options}.", columns)
        self.what, self.options = what, options


class SuiteError(T2Error, ValueError):
    """A suite, recipe or study file that cannot be carried out as written."""


class FitError(T2Error):
    """A fit that found no usable law.

    best   the best attempt, where there is one, so that a caller may look at it
    """

    exit_code = 1

    def __init__(self, message: str, best: Any = None) -> None:
        super().__init__(message)
        self.best = best


class PrerequisiteError(T2Error):
    """Something that has to be installed or made first: an extra, a dataset, a checkpoint."""


def require(holds: bool, argument: str, value: object, rule: str) -> None:
    """Raise ArgumentError saying that the argument must keep the `rule`, such as "be above zero", unless it holds."""
    if not holds:
        raise ArgumentError(f"`{argument}` = {value!r} must {rule}.")


def unknown(argument: str, value: object, known: Iterable[str]) -> ArgumentError:
    """The error for a value that is none of the `known` names, with the nearest of them."""
    names = list(known)
    near = get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return ArgumentError(f"`{argument}` = {value!r} is not known{hint}: use one of {', '.join(names)}.")
