"""What a strategy is, the registry, and how one is written: `oracle`, `verifier:tpr=.9,fpr=.05`."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError, require, unknown
from t2scaling.strategies.success import Success
from t2scaling.units import parse_number


@runtime_checkable
class Strategy(Protocol):
    """One way to use k samples. A frozen dataclass whose fields are its settings.

    name     in the registry and in files
    label    for people, such as "pass@k" or "majority@k"
    rising   whether more samples never hurt; where False a plan may draw fewer than it can afford
    """

    name: ClassVar[str]
    rising: ClassVar[bool]

    @property
    def label(self) -> str: ...

    def value(self, success: Success, k: ArrayLike) -> Array:
        """Expected value at k ≥ 1 (real) over a distribution of success, of the shape that both broadcast to.

        Raises ArgumentError where a distribution of success is not enough (votes need the wrong answers too).
        """

    def from_counts(self, n: ArrayLike, c: ArrayLike, k: ArrayLike, **more: Any) -> Array:
        """Unbiased value per question from n samples, c right: shape of n and c, then that of k; NaN where k > n.

        more   what else was measured: `wrong_counts`, `scores`, `correct`
        """


STRATEGIES: dict[str, type[Any]] = {}
Registered = TypeVar("Registered", bound=Strategy)


def register(cls: type[Registered]) -> type[Registered]:
    """List a strategy under its name; a decorator."""
    STRATEGIES[cls.name] = cls
    return cls


def parse(text: str | Strategy) -> Strategy:
    """The strategy written as NAME or NAME:setting=value,…; a strategy is handed back as it is.

    >>> parse("oracle").label
    'pass@k'

    Raises ArgumentError naming what is not known.
    """
    if not isinstance(text, str):
        require(isinstance(text, Strategy), "strategy", text, f"be one of {', '.join(STRATEGIES)}")
        return text
    name, _, settings = text.strip().partition(":")
    if name not in STRATEGIES:
        raise unknown("strategy", name, STRATEGIES)
    cls = STRATEGIES[name]
    readers = {field.name: _reader(str(field.type)) for field in fields(cls)}
    given: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in settings.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in readers:
            able = f"it takes {', '.join(readers)}" if readers else "it takes no settings"
            raise ArgumentError(f"`strategy` = {text}: {name} has no setting {key!r}; {able}.")
        if not equals or key in given:
            raise ArgumentError(f"`strategy` = {text}: write each setting once, as {key}=NUMBER.")
        given[key] = readers[key](value)
    try:
        strategy: Strategy = cls(**given)
    except TypeError as error:
        raise ArgumentError(
            f"`strategy` = {text}: {name} needs {', '.join(readers)}, written {name}:NAME=NUMBER."
        ) from error
    return strategy


def _reader(annotation: str) -> Callable[[str], Any]:
    """How a setting is read: text where the field is text, else a number."""
    return str if annotation.startswith("str") else parse_number
