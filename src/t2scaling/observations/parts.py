"""Parts of a table, from one file or one set of logs each, and how they become one.

A part holds canonical columns that may still lack facts about its runs. `combine` stacks parts, settles what their
numbers mean, and lays likelihoods and counts of the same question side by side in one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.casts import cast
from t2scaling.observations.checks import check_duplicates
from t2scaling.observations.facts import HELPERS
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import BY_NAME, CONVENTIONS, KEYS, Column, rename

COUNTS = ("n_samples", "n_correct")
# Columns in which a table may state a convention for itself, and the convention's name.
STATEMENTS = {"nll_unit": "nll", "n_params_convention": "n_params"}


@dataclass(frozen=True)
class Part:
    """Rows of one origin: canonical columns (and the helpers step, tokens_per_step), typed, not yet checked.

    where        how an error calls it
    conventions  what it states about its numbers; nothing for what it leaves open
    unused       columns of the file that are not canonical
    from_log     True for the log of a harness, whose columns are not the user's to name
    """

    where: str
    frame: pl.DataFrame
    conventions: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    from_log: bool = False


def part_from_table(
    frame: pl.DataFrame,
    where: str,
    stated: Mapping[str, str],
    columns: Mapping[str, str] | None,
    report: ReportBuilder,
) -> Part:
    """A part from a table as it stands in a file: columns renamed and typed, the rest left out and reported.

    columns  canonical name → name in the table, where they differ
    """
    frame = rename(frame, columns or {}, where)
    conventions = {**stated, **_statements(frame, where)}
    known = [name for name in frame.columns if name in BY_NAME or name in HELPERS]
    unused = [name for name in frame.columns if name not in known and name not in STATEMENTS]
    if unused:
        more = f" and {len(unused) - 6} more" if len(unused) > 6 else ""
        report.notes.append(f"columns of {where} that are not used: {', '.join(unused[:6])}{more}.")
    typed = [cast(frame[name], BY_NAME[name], where) for name in known if name in BY_NAME]
    helpers = [cast(frame[name], Column(name, "run", "number", ""), where) for name in known if name in HELPERS]
    return Part(where, pl.DataFrame([*typed, *helpers]), conventions, tuple(unused))


def _statements(frame: pl.DataFrame, where: str) -> dict[str, str]:
    """Conventions that the table states in a column, the same in every row."""
    found = {}
    for column, name in STATEMENTS.items():
        if column not in frame.columns:
            continue
        values = frame[column].cast(pl.String).drop_nulls().unique().sort().to_list()
        if len(values) > 1:
            raise DataError(
                f"`{column}` of {where} has {len(values)} values ({', '.join(values[:4])}): mixed units cannot be "
                "compared. Convert the rows to one of them, or read them as two tables."
            )
        if values:
            found[name] = values[0]
    return found


def combine(
    parts: Sequence[Part], overrides: Mapping[str, str], report: ReportBuilder
) -> tuple[pl.DataFrame, dict[str, str]]:
    """One frame and its conventions. Raises DataError where parts give likelihoods in different units."""
    conventions = _agree(parts, overrides, report)
    frame = pl.concat([part.frame for part in parts], how="diagonal") if len(parts) > 1 else parts[0].frame
    return side_by_side(frame, parts[0].where if len(parts) == 1 else f"the {len(parts)} files together"), conventions


def _agree(parts: Sequence[Part], overrides: Mapping[str, str], report: ReportBuilder) -> dict[str, str]:
    meant = dict(overrides)
    with_nll = [part for part in parts if "nll" in part.frame.columns]
    names = {name for part in parts for name in part.conventions} | set(CONVENTIONS)
    for name in sorted(names - set(meant)):
        speakers = with_nll if name == "nll" else parts
        values = list(dict.fromkeys(part.conventions.get(name, CONVENTIONS.get(name, "")) for part in speakers))
        if len(values) == 1:
            meant[name] = values[0]
        elif name == "nll" and values:
            first = {
                value: next(p.where for p in with_nll if p.conventions.get("nll", "sum") == value) for value in values
            }
            raise DataError(
                "the files give nll in mixed units: "
                + ", ".join(f"{unit} in {where}" for unit, where in first.items())
                + ". Import them one by one, or say the unit of all with --nll-unit."
            )
        elif name == "n_params":
            meant[name] = "mixed: " + ", ".join(values)
            report.notes.append(f"n_params is counted in several ways ({', '.join(values)}): compare runs with care.")
    if with_nll and not any("nll" in part.conventions for part in with_nll) and "nll" not in overrides:
        report.notes.append(
            "no unit is stated for nll: taken as the sum over the answer's tokens (--nll-unit mean_per_token if not)."
        )
    return {**CONVENTIONS, **meant}


def side_by_side(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Join rows that hold only nll with rows that hold only counts, where they are about the same question."""
    if not {"nll", *COUNTS} <= set(frame.columns):
        return frame
    likely = pl.col("nll").is_not_null() & pl.col("n_samples").is_null()
    counted = pl.col("nll").is_null() & pl.col("n_samples").is_not_null()
    keys = [name for name in KEYS if name in frame.columns]
    scored, sampled = frame.filter(likely), frame.filter(counted)
    both = scored.select(keys).join(sampled.select(keys), on=keys, how="semi", nulls_equal=True)
    if both.is_empty():
        return frame
    for rows in (scored, sampled):
        check_duplicates(rows if "stage" in keys else rows.with_columns(stage=pl.lit("base")), where)
    others = [name for name in frame.columns if name not in keys]
    joined = scored.join(sampled, on=keys, how="full", coalesce=True, nulls_equal=True, suffix=" of samples")
    joined = joined.select(*keys, *(pl.coalesce(name, f"{name} of samples").alias(name) for name in others))
    return pl.concat([frame.filter(~(likely | counted).fill_null(False)), joined.select(frame.columns)])
