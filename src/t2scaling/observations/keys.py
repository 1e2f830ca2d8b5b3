"""Names as integers: rows are sorted, searched for duplicates and laid out in arrays by integers, not by text.

The four names of a row are categorical columns. polars numbers their values in the order in which it meets them;
`positions` turns these numbers into places on an axis, and `row_keys` four places into one integer per row.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from t2scaling.observations.schema import KEYS

# The order of rows in a canonical file.
ORDER = ("task", "run_id", "stage", "question_id")


def names_of(column: pl.Series) -> list[str]:
    """The distinct values of a categorical or text column, sorted as text."""
    return column.unique().cast(pl.String).sort().to_list()


def positions(column: pl.Series, names: Sequence[str]) -> NDArray[np.int32]:
    """The place of each value among `names`, −1 where it is none of them.

    column   categorical, without nulls
    """
    wanted = pl.Series(names, dtype=pl.String).cast(column.dtype).to_physical().to_numpy()
    held = column.to_physical().to_numpy()
    place = np.full(max(wanted.max(initial=0), held.max(initial=0)) + 1, -1, dtype=np.int32)
    place[wanted] = np.arange(len(names), dtype=np.int32)
    return place[held]


def row_keys(frame: pl.DataFrame) -> NDArray[np.uint64]:
    """An unsigned integer per row, equal for equal names and in the order of (task, run_id, stage, question_id).

    frame   the four key columns, categorical, without nulls
    """
    assert set(ORDER) == set(KEYS)
    key = np.zeros(len(frame), dtype=np.uint64)
    size = 1
    for name in ORDER:
        held, names = frame[name].to_physical().to_numpy(), frame[name].unique()
        size *= max(1, len(names))
        assert size < 2**64, "more names than a 64-bit key can tell apart"
        place = np.zeros(held.max(initial=0) + 1, dtype=np.uint64)
        place[names.to_physical().to_numpy()] = names.cast(pl.String).rank("ordinal").to_numpy() - 1
        key *= np.uint64(len(names))
        key += place[held]
    return key
