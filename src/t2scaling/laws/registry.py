"""The laws there are, by name. A law from outside the package joins by `register`."""

from typing import TypeVar

from t2scaling.errors import unknown
from t2scaling.laws.base import Law

LAWS: dict[str, type[Law]] = {}
AnyClass = TypeVar("AnyClass", bound=type[Law])


def register(cls: AnyClass) -> AnyClass:
    """Make a law known to `fit`, fit.json and the command under its `name`; works as a decorator."""
    LAWS[cls.name] = cls
    return cls


def law_class(name: str) -> type[Law]:
    """The law of that name. Raises ArgumentError with the nearest name for one that is not known.

    >>> law_class("loss").formula
    '−log pass@k = E + A·N^−α + B·D^−β + G·k^−γ'
    """
    if name not in LAWS:
        raise unknown("law", name, LAWS)
    return LAWS[name]
