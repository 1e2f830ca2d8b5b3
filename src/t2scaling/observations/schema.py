"""The canonical columns, declared once: name, type, whose property it is, what it means.

One row of a canonical table is one question of one task asked of one run (a checkpoint at one stage). Readers turn
what they find into these columns, `checks` holds a table to them, and `table.Observations` splits them into the
frame of runs and the frame of outcomes. Units: parameters and tokens are counts, likelihoods are in nats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import polars as pl

from t2scaling.errors import DataError
from t2scaling.units import parse_number

Level = Literal["key", "run", "outcome"]
Kind = Literal["text", "number", "whole", "flag"]
DTYPE = {"text": pl.String, "number": pl.Float64, "whole": pl.Int64, "flag": pl.Boolean}


@dataclass(frozen=True)
class Column:
    """One canonical column.

    level     "key" names the row, "run" is constant within a run and stage, "outcome" belongs to the question
    kind      text, number (float), whole (integer) or flag (true or false)
    required  False where a table may lack it
    """

    name: str
    level: Level
    kind: Kind
    meaning: str
    required: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("run_id", "key", "text", "name of the checkpoint", True),
    Column("stage", "key", "text", "base, ft or sft; base where nothing is said"),
    Column("task", "key", "text", "name of the task", True),
    Column("question_id", "key", "text", "name or number of the question within the task", True),
    Column("n_params", "run", "number", "parameters N, counted as the conventions say", True),
    Column("n_tokens", "run", "number", "training tokens D", True),
    Column("train_flops", "run", "number", "training FLOPs; 6·N·D where nothing is said"),
    Column("family", "run", "text", "name of the model family"),
    Column("seed", "run", "whole", "seed of the training run"),
    Column("unique_tokens", "run", "number", "distinct training tokens, where the text was repeated"),
    Column("overtrained", "run", "flag", "true for a run that the suite marks as overtrained"),
    Column("nll", "outcome", "number", "−log probability of the correct answer, nats, summed over its tokens"),
    Column("n_samples", "outcome", "whole", "samples drawn and graded"),
    Column("n_correct", "outcome", "whole", "samples graded correct"),
    Column("nll_tokens", "outcome", "whole", "tokens of the correct answer"),
    Column("prompt_tokens", "outcome", "number", "tokens of the prompt"),
    Column("completion_tokens", "outcome", "number", "mean tokens of a sampled answer"),
)
BY_NAME = {column.name: column for column in COLUMNS}
KEYS = tuple(column.name for column in COLUMNS if column.level == "key")
RUN_KEYS = ("run_id", "stage")
RUN_COLUMNS = tuple(column.name for column in COLUMNS if column.level == "run")
OUTCOME_COLUMNS = tuple(column.name for column in COLUMNS if column.level == "outcome")

# What the numbers mean, stored with the table. The values are those of a file that says nothing.
CONVENTIONS = {"n_params": "unstated", "nll": "sum"}
NLL_UNITS = ("sum", "mean_per_token")


def canonical(frame: pl.DataFrame, columns: Mapping[str, str] | None = None, where: str = "the table") -> pl.DataFrame:
    """Rename, select and cast to the canonical columns, in their declared order.

    columns  canonical name → name in `frame`, where they differ
    where    how an error calls the table
    Columns beyond the schema are left out; `stage` is filled with "base". Raises DataError for a missing column,
    a value that is no number, and a number that should be whole.
    """
    frame = rename(frame, columns or {}, where)
    require_columns(frame.columns, where)
    known = [column for column in COLUMNS if column.name in frame.columns]
    frame = frame.select(cast(frame[column.name], column, where) for column in known)
    if "stage" not in frame.columns:
        return frame.insert_column(1, pl.lit("base").alias("stage"))
    return frame.with_columns(pl.col("stage").fill_null("base"))


def rename(frame: pl.DataFrame, columns: Mapping[str, str], where: str) -> pl.DataFrame:
    """Give columns their canonical names; a column that already bears such a name makes way."""
    for name, source in columns.items():
        if name not in BY_NAME:
            raise DataError(f"`{name}` is no column of a table of observations{nearest(name, BY_NAME)}.")
        if source not in frame.columns:
            raise DataError(f"{where} has no column `{source}` to take as `{name}`{nearest(source, frame.columns)}.")
    taken = [name for name, source in columns.items() if name in frame.columns and name != source]
    frame = frame.drop(taken)
    return frame.rename({source: name for name, source in columns.items()})


def require_columns(present: Iterable[str], where: str) -> None:
    """Raise DataError unless the required columns, and one kind of outcome, are there."""
    have = set(present)
    missing = [column.name for column in COLUMNS if column.required and column.name not in have]
    if "nll" not in have and not {"n_samples", "n_correct"} <= have:
        halves = [name for name in ("n_samples", "n_correct") if name not in have]
        missing.append(" + ".join(halves) if len(halves) == 1 else "nll (or n_samples + n_correct)")
    if not missing:
        return
    spare = sorted(have - set(BY_NAME))
    hints = "".join(nearest(name, spare) for name in missing)
    raise DataError(
        f"{where} lacks the column{'s' * (len(missing) > 1)} {', '.join(f'`{name}`' for name in missing)}{hints}. "
        f"It has {', '.join(sorted(have)) or 'none'}. Rename them, map them with --column NAME=THEIRS, or attach "
        "n_params and n_tokens with a --runs manifest.",
        missing,
    )


def nearest(name: str, candidates: Iterable[str]) -> str:
    """` (did you mean `x`?)` for the candidate that `name` is probably a misspelling of, else nothing."""
    found = get_close_matches(name, list(candidates), n=1, cutoff=0.7)
    return f" (did you mean `{found[0]}`?)" if found else ""


def cast(series: pl.Series, column: Column, where: str) -> pl.Series:
    """One column in its canonical type. Raises DataError naming the first value that does not fit."""
    if column.kind == "text":
        return series.cast(pl.String)
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        series = _parse(series, column, where)
    if column.kind == "flag":
        return _strict(series, pl.Boolean, column, where)
    numbers = _strict(series, pl.Float64, column, where) if column.kind == "number" else _whole(series, column, where)
    return numbers.alias(column.name)


def _whole(series: pl.Series, column: Column, where: str) -> pl.Series:
    if series.dtype.is_float():
        series = series.fill_nan(None)  # how a dataframe of floats says that a count is missing
        broken = series.filter(series.is_not_null() & ~(series == series.floor()))
        if len(broken):
            raise DataError(f"`{column.name}` of {where} must be whole numbers, but one is {broken[0]}.")
    return _strict(series, pl.Int64, column, where)


def _strict(series: pl.Series, dtype: type[pl.DataType], column: Column, where: str) -> pl.Series:
    try:
        return series.cast(dtype)
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError):
        raise DataError(
            f"`{column.name}` of {where} should hold {_NOUN[column.kind]}, but its values are {series.dtype} "
            f"such as {series.drop_nulls().first()!r}."
        ) from None


_NOUN = {"number": "numbers", "whole": "whole numbers", "flag": "true or false", "text": "text"}
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _parse(series: pl.Series, column: Column, where: str) -> pl.Series:
    """Read a text column: `7B` and `2e9` are numbers, an empty cell is missing."""
    found: dict[str, float | bool | None] = {}
    for text in series.drop_nulls().unique():
        key = text.strip().lower()
        try:
            found[text] = None if not key else _FLAGS[key] if column.kind == "flag" else parse_number(key)
        except (ValueError, KeyError):
            if key in ("nan", "inf", "-inf", "infinity", "-infinity"):
                found[text] = float(key)
                continue
            row = (series == text).arg_max()
            raise DataError(
                f"`{column.name}` of {where} should hold {_NOUN[column.kind]}, but row {(row or 0) + 1} says {text!r}.",
                [text],
            ) from None
    dtype = pl.Boolean if column.kind == "flag" else pl.Float64
    return series.replace_strict(list(found), list(found.values()), return_dtype=dtype, default=None)
