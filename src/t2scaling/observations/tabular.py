"""Tables as they stand in a file or in memory: CSV, Parquet, JSONL, and dataframes of any library.

Each becomes a `Sheet`, which hands out its rows as polars frames of bounded size; nothing here knows what a column
means. Everything that can be wrong with a file ends in one DataError that names it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from t2scaling.errors import DataError
from t2scaling.foreign import guard_polars, parquet_json, read_jsonl_rows, scan_parquet, short
from t2scaling.observations.casts import Rows
from t2scaling.observations.csv_file import scan_csv
from t2scaling.observations.schema import METADATA_KEY

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
BATCH = 250_000  # rows in memory at a time
Batches = Iterator[tuple[pl.DataFrame, Rows]]


@dataclass(frozen=True)
class Sheet:
    """A table, some rows at a time.

    where     how an error calls it
    format    csv, parquet, jsonl or frame
    columns   names of its columns
    batches   called with the names of wanted columns: frames of these, in order, with the names of their rows
    notes     remarks on the file
    stated    conventions that the file states beside its columns
    """

    where: str
    format: str
    columns: tuple[str, ...]
    batches: Callable[[Sequence[str]], Batches]
    notes: list[str] = field(default_factory=list)
    stated: Mapping[str, str] = field(default_factory=dict)


def open_sheet(path: Path) -> Sheet:
    """The table in a CSV, Parquet or JSONL file.

    Raises DataError for a suffix that is none of them, and for a file that cannot be read, with the line where there
    are lines; what is wrong further down is raised when the rows are taken.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise DataError(
            f"`{path}` is no table that can be read: its name should end in {', '.join(SUFFIXES)}. "
            "Logs are read from the folder that holds them, or from a .eval file."
        )
    if path.stat().st_size == 0:
        raise DataError(f"`{path}` is empty (0 bytes). Was it written to the end?")
    if kind == "jsonl":
        return _jsonl_sheet(path)
    notes: list[str] = []
    stated: dict[str, str] = {}
    rows = Rows()
    what = f"`{path}` cannot be read as {'CSV' if kind == 'csv' else 'Parquet'}"
    with guard_polars(what):
        if kind == "csv":
            lazy, rows, notes = scan_csv(path)
        else:
            lazy, stated = scan_parquet(path), read_conventions(path)
        columns = tuple(lazy.collect_schema().names())
    return Sheet(f"`{path}`", kind, columns, lambda names: _of_lazy(lazy, names, rows, what), notes, stated)


def _of_lazy(lazy: pl.LazyFrame, names: Sequence[str], rows: Rows, what: str, count: bool = False) -> Batches:
    """Batches of a query. `count` asks for the number of its rows too: where a thread of polars panics, batches lack
    rows, and no error is raised.
    """
    start = 0
    with guard_polars(what):
        for frame in lazy.select(names).collect_batches(chunk_size=BATCH, maintain_order=True):
            yield from _filled(frame, Rows(rows.noun, rows.first + start))
            start += len(frame)
        if count and start != lazy.select(pl.len()).collect().item():
            raise DataError(f"{what}: some of its rows do not come. Collect it first to see why.")


def _filled(frame: pl.DataFrame, rows: Rows) -> Batches:
    """The frame without the rows that hold nothing at all, as blank lines of a CSV do."""
    full = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if full.all():
        yield frame, rows
    else:
        yield frame.filter(full), Rows(rows.noun, rows.first, np.flatnonzero(full.to_numpy()))


def _jsonl_sheet(path: Path) -> Sheet:
    columns: dict[str, None] = {}
    held: list[tuple[int, dict[str, Any]]] = []
    # Any row may have a key of its own, so the names are known when all of it was read once.
    for number, row in read_jsonl_rows(path):
        columns.update(dict.fromkeys(row))
        if len(held) <= BATCH:
            held.append((number, row))
    if not held:
        raise DataError(f"`{path}` has no rows: there is nothing to read.")

    def batches(names: Sequence[str]) -> Batches:
        lines = iter(held) if len(held) <= BATCH else read_jsonl_rows(path)
        while block := list(islice(lines, BATCH)):
            numbers = np.array([number for number, _ in block])
            frame = pl.DataFrame([series_of([row.get(name) for _, row in block]).alias(name) for name in names])
            yield frame, Rows("line", 0, numbers)

    return Sheet(f"`{path}`", "jsonl", tuple(columns), batches)


def read_conventions(path: str | Path) -> dict[str, str]:
    """Conventions stored in a Parquet file's metadata; empty where it says nothing.

    Raises DataError where they are no object of texts, as this package writes them.
    """
    found = parquet_json(path, METADATA_KEY)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise DataError(
            f"`{path}`: the metadata `{METADATA_KEY}` is {short(found)}, no object of texts. Write the file again, or "
            "leave the metadata out and say the units with --nll-unit."
        )
    return found


def sheet_of(data: Any, where: str = "the table") -> Sheet:
    """A polars, pandas or Arrow table, a dict of lists, or a list of dicts. Raises DataError for anything else."""
    if isinstance(data, Sheet):
        return data
    if isinstance(data, pl.LazyFrame):
        lazy = data
        with guard_polars(f"{where} cannot be read", "Collect it first to see why."):
            names = tuple(lazy.collect_schema().names())
        return Sheet(
            where, "frame", names, lambda wanted: _of_lazy(lazy, wanted, Rows(), f"{where} cannot be read", True)
        )
    frame = from_any(data)

    def batches(names: Sequence[str]) -> Batches:
        wanted = frame.select(names)
        for start in range(0, max(1, len(frame)), BATCH):
            yield wanted[start : start + BATCH], Rows("row", 1 + start)

    return Sheet(where, "frame", tuple(frame.columns), batches)


def from_any(data: Any) -> pl.DataFrame:
    """A polars frame from a polars, pandas or Arrow table, a dict of lists, or a list of dicts.

    Raises DataError for anything else.
    """
    if isinstance(data, pl.DataFrame):
        return data
    with guard_polars(
        f"this {type(data).__name__} cannot be read as a table", "Give a dataframe or a dict of columns."
    ):
        if isinstance(data, Mapping):
            return pl.DataFrame({str(name): column_of(values) for name, values in data.items()})
        if isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
            names = dict.fromkeys(name for row in data for name in row)
            return pl.DataFrame({str(name): series_of([row.get(name) for row in data]) for name in names})
        if hasattr(data, "__arrow_c_stream__"):
            return _from_arrow(data)
    raise DataError(
        f"a {type(data).__name__} is no table: give a path, a polars, pandas or Arrow table, or a dict of columns."
    )


def _from_arrow(data: Any) -> pl.DataFrame:
    try:
        return pl.DataFrame(data)
    except ImportError:  # pandas hands itself over with the help of pyarrow, which need not be there
        # NaN is how a dataframe without pyarrow says that a cell is empty.
        columns = data.to_dict("list").items()
        return pl.DataFrame({str(name): series_of([None if v != v else v for v in cells]) for name, cells in columns})


def column_of(values: Any) -> pl.Series:
    """A column given as a series, an array, or any sequence of Python values."""
    if isinstance(values, pl.Series | np.ndarray) or hasattr(values, "__arrow_c_stream__"):
        return pl.Series(values=values)
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(f"a column should be a list of values, not {type(values).__name__}")
    return series_of(list(values))


def series_of(values: list[Any]) -> pl.Series:
    """A series of Python values of which none is changed: what polars would take for something near becomes text,
    which the grammar of its column then judges (`true` among numbers, 2.5 among whole ones, a list among texts).
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        exact = all(abs(value) <= 2**53 for value in values if type(value) is int)
        return pl.Series(values, dtype=pl.Float64, strict=False) if exact else _as_text(values)
    if kinds == {int}:
        within = all(value is None or -(2**63) <= value < 2**63 for value in values)
        return pl.Series(values, dtype=pl.Int64) if within else _as_text(values)
    if kinds & {list, tuple, dict} or (len(kinds) > 1 and not any(kind.__module__ != "builtins" for kind in kinds)):
        return _as_text(values)
    return pl.Series(values)


def _as_text(values: list[Any]) -> pl.Series:
    write = partial(json.dumps, ensure_ascii=False, default=str)
    texts = [value if value is None or isinstance(value, str) else write(value) for value in values]
    return pl.Series(texts, dtype=pl.String)
