"""Which column of a table is which: by its canonical name, by a usual other one, or as the user says.

People call a run `model`, N `params`, a task `benchmark`. Such a name is taken where the table has no column of the
canonical name and no second candidate, and the report says so; between two candidates the user has to choose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.facts import HELPERS
from t2scaling.observations.schema import BY_NAME, STATEMENTS, nearest

# Canonical column → names it usually has elsewhere, in lower case with _ between words; single letters as they are.
ALIASES: dict[str, tuple[str, ...]] = {
    "run_id": ("run", "run_name", "checkpoint", "model", "model_name", "model_id"),
    "task": ("benchmark", "dataset", "eval", "task_name"),
    "question_id": ("question", "doc_id", "problem", "problem_id", "item", "item_id", "example_id"),
    "n_params": ("N", "params", "parameters", "num_params", "n_parameters", "num_parameters", "model_size"),
    "n_tokens": ("D", "tokens", "train_tokens", "training_tokens", "num_tokens", "tokens_seen"),
    "train_flops": ("training_flops", "C"),
    "nll": ("loss", "neg_log_likelihood", "negative_log_likelihood"),
    "n_samples": ("n", "samples", "num_samples", "attempts"),
    "n_correct": ("c", "correct", "num_correct", "successes"),
}
# Columns that are read under another name only together: `n` alone may be anything.
TOGETHER = ("n_samples", "n_correct")


@dataclass(frozen=True)
class Naming:
    """What the columns of a table are.

    columns  canonical name (or helper, or statement) → name in the table
    unused   columns of the table that are none of them
    notes    which usual names were taken
    task     name of the task, for a table without such a column
    """

    columns: Mapping[str, str]
    unused: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    task: str | None = None

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The named columns of a frame, under their canonical names."""
        named = frame.select(pl.col(theirs).alias(name) for name, theirs in self.columns.items())
        return named if self.task is None else named.with_columns(pl.lit(self.task).alias("task"))


def name_columns(
    present: Sequence[str], given: Mapping[str, str] | None = None, where: str = "the table", task: str | None = None
) -> Naming:
    """Find the canonical columns among those present.

    given  canonical name → name in the table, as the user says
    task   name of the task, used where the table has no column for it
    Raises DataError for a name in `given` that is not known or not there, and where several columns could be one that
    is required.
    """
    found = dict(given or {})
    for name, theirs in found.items():
        if name not in BY_NAME and name not in HELPERS:
            raise DataError(f"`{name}` is no column of a table of observations{nearest(name, BY_NAME)}.")
        if theirs not in present:
            raise DataError(f"{where} has no column `{theirs}` to take as `{name}`{nearest(theirs, present)}.")
    # `correct` beside `scores` is the list of samples that are right, not their number.
    own = [*BY_NAME, *HELPERS, *STATEMENTS]
    for name in own:
        if name in present and name not in found and not (name == "correct" and "scores" not in present):
            found[name] = name
    taken = _usual(present, found, where)
    columns = {**found, **taken}
    unused = tuple(name for name in present if name not in columns.values())
    said = ", ".join(f"`{theirs}` as {name}" for name, theirs in taken.items())
    notes = [f"columns of {where} were read by their usual names: {said}."] if taken else []
    return Naming(columns, unused, notes, None if "task" in columns else task)


def _usual(present: Sequence[str], found: Mapping[str, str], where: str) -> dict[str, str]:
    """Canonical columns that are not found, under a usual name."""
    free = [name for name in present if name not in found.values()]
    candidates = {
        name: [theirs for theirs in free if plain(theirs) in (name, *ALIASES.get(name, ()))]
        for name in BY_NAME
        if name not in found and name != "correct"
    }
    if not all(candidates.get(name) or name in found for name in TOGETHER):
        candidates = {name: names for name, names in candidates.items() if name not in TOGETHER}
    if all(name in found for name in TOGETHER):
        candidates.pop("nll", None)  # a table of counts may have a loss that is something else
    taken = {}
    for name, names in candidates.items():
        if len(names) > 1 and BY_NAME[name].required:
            raise DataError(
                f"{where} has several columns that could be `{name}`: {', '.join(f'`{one}`' for one in names)}. Say "
                f"which: --column {name}={names[0]}."
            )
        if len(names) == 1:
            taken[name] = names[0]
    return taken


def plain(name: str) -> str:
    """A column's name as `ALIASES` writes names."""
    return name.strip() if len(name.strip()) == 1 else name.strip().lower().replace(" ", "_").replace("-", "_")
