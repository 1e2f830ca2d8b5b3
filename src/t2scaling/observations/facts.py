"""Facts about runs, gathered from wherever logs mention them, one value per run and column.

Besides the canonical run columns a log may tell the step of a checkpoint and the tokens per step, from which a
manifest or the log itself makes D; these two are `HELPERS` and never reach the canonical table.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.foreign import short
from t2scaling.observations.checks import MOST
from t2scaling.observations.schema import BY_NAME, DTYPE, RUN_COLUMNS
from t2scaling.units import parse_number, parse_whole

HELPERS = ("step", "tokens_per_step")
FACTS = ("stage", *RUN_COLUMNS, *HELPERS)
# How people write them in `--metadata`; the canonical names are accepted too.
SYNONYMS = {"train_tokens": "n_tokens"}


def facts_from_metadata(metadata: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """The run facts among a log's free metadata; other keys are somebody else's."""
    found: dict[str, Any] = {}
    for key, value in (metadata or {}).items():
        name = SYNONYMS.get(key, key)
        if name in FACTS and value is not None:
            found[name] = typed(name, value, where)
    return found


def typed(name: str, value: Any, where: str) -> Any:
    """`value` in the type of fact `name`. Raises DataError naming the fact, the value and the place."""
    kind = "number" if name in HELPERS else BY_NAME[name].kind
    choices = () if name in HELPERS else BY_NAME[name].choices
    try:
        if kind == "text":
            text = str(value).strip().lower() if choices else str(value)
            if choices and text not in choices:
                raise ValueError
            return text
        if kind == "flag":
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if kind == "whole" and abs(parse_whole(value)) >= 2**63:
            raise ValueError
        number = parse_whole(value) if kind == "whole" else parse_number(value)
        if kind == "number" and not (0 < number <= MOST or (name == "step" and number == 0)):
            raise ValueError
        return number
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        wanted = {"flag": "true or false", "whole": "a whole number", "number": "a number above 0 like 7B or 2e12"}
        said = wanted.get(kind, f"one of {', '.join(choices)}")
        raise DataError(f"`{name}` in {where} is {short(value)}; it should be {said}.") from None


class RunFacts:
    """What is known of each run so far. Two different values of one fact are an error, not a choice."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[Any, str]]] = {}

    def add(self, run_id: str, facts: Mapping[str, Any], where: str) -> None:
        """Record facts of a run as read from `where`. Raises DataError where they contradict what is known."""
        known = self._known.setdefault(run_id, {})
        for name, value in facts.items():
            if name in known and known[name][0] != value:
                before, source = known[name]
                raise DataError(
                    f"run `{run_id}` has two values of `{name}`: {before} in {source} and {value} in {where}. "
                    "Put the logs of different checkpoints into folders of their own, or correct the metadata.",
                    [run_id],
                )
            known[name] = (value, where)

    def get(self, run_id: str, name: str) -> Any:
        """The value of one fact, or None."""
        return self._known.get(run_id, {}).get(name, (None,))[0]

    def frame(self) -> pl.DataFrame:
        """One row per run, with a column for every fact that is known of some run."""
        runs = list(self._known)
        names = [name for name in FACTS if any(name in known for known in self._known.values())]
        columns = [pl.Series("run_id", runs, pl.String)]
        for name in names:
            dtype = pl.Float64 if name in HELPERS else DTYPE[BY_NAME[name].kind]
            columns.append(pl.Series(name, [self.get(run, name) for run in runs], dtype))
        return pl.DataFrame(columns)
