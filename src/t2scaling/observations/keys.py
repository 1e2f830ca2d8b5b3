"""One integer per row in place of its four names: integers are sorted, and searched for duplicates, much faster."""

from __future__ import annotations

import polars as pl

from t2scaling.observations.schema import KEYS

# The order of rows in a canonical file.
ORDER = ("task", "run_id", "stage", "question_id")


def row_keys(frame: pl.DataFrame) -> pl.Series:
    """An unsigned integer per row, equal for equal names and in the order of (task, run_id, stage, question_id).

    frame   the four key columns, as text; a row in which one is null has no key
    """
    assert set(ORDER) == set(KEYS)
    key = pl.lit(0, pl.UInt64)
    codes = []
    for name in ORDER:
        names = frame[name].drop_nulls().unique().sort()
        codes.append(frame[name].cast(pl.Enum(names)).to_physical().cast(pl.UInt64).alias(name))
        key = key * len(names) + pl.col(name)
    return pl.DataFrame(codes).select(key.alias("key")).to_series()
