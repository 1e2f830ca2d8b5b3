"""Reading tables that already have the canonical columns: CSV, Parquet, JSONL, and dataframes of any library.

Everything here returns a polars frame as it stands in the file; `schema.canonical` makes sense of its columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import DataError

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


def read_table(path: Path) -> tuple[pl.DataFrame, str]:
    """The frame of a CSV, Parquet or JSONL file, and the name of its format.

    Raises DataError for a suffix that is none of them, and for a file that cannot be read, with the line where
    there are lines.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise DataError(
            f"`{path}` is no table that can be read: its name should end in {', '.join(SUFFIXES)}. "
            "Logs are read from the folder that holds them, or from a .eval file."
        )
    if path.stat().st_size == 0:
        raise DataError(f"`{path}` is empty (0 bytes). Was it written to the end?")
    reader = {"csv": _read_csv, "parquet": _read_parquet, "jsonl": read_jsonl}[kind]
    return reader(path), kind


def _read_csv(path: Path) -> pl.DataFrame:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    _check_dialect(path, separator)
    try:
        # Text first: the schema knows better than the first hundred rows what a column is.
        return pl.read_csv(path, separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataError(
            f"`{path}` cannot be read as CSV{_csv_line(path, separator)}: {_first(error)}. Write or copy it again, as "
            "UTF-8 text with one line per row."
        ) from None


def _check_dialect(path: Path, separator: str) -> None:
    """Refuse what a spreadsheet may write and no reader of CSV could tell from one odd column: UTF-16, semicolons."""
    with path.open("rb") as file:
        header = file.readline(2**16)
    if header.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"`{path}` is UTF-16 text: save it as UTF-8.")
    other = max(b";", b"\t", b",", key=header.count)
    if separator.encode() not in header and other in header:
        named = {b";": "semicolons", b"\t": "tabs", b",": "commas"}[other]
        wanted = "tabs" if separator == "\t" else "commas, with a point in decimals (or with tabs, as .tsv)"
        raise DataError(f"`{path}` separates its columns by {named}: save it with {wanted}.")


def _csv_line(path: Path, separator: str) -> str:
    """`, line 7` for the first line with another number of fields than the header."""
    import csv

    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file, delimiter=separator)
            width = len(next(lines, []))
            for row in lines:
                if row and len(row) != width:
                    return f", line {lines.line_num} ({len(row)} fields, the header has {width})"
    except (UnicodeDecodeError, csv.Error) as error:
        return f" ({error})"
    return ""


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"`{path}` cannot be read as Parquet: {_first(error)}. It may be truncated; write or copy it again."
        ) from None


def read_jsonl(path: Path) -> pl.DataFrame:
    """A JSONL file as a frame. Raises DataError naming the file and the line that is not one JSON object."""
    try:
        return pl.read_ndjson(path, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        # Line by line either finds the line to blame, or copes with the bare NaN that Python writes.
        with path.open("rb") as file:
            rows = [check_json_line(line, path, number) for number, line in enumerate(file, 1)]
    try:
        return pl.DataFrame([row for row in rows if row], infer_schema_length=None, strict=False)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise DataError(f"`{path}` is JSONL, but its rows make no table: {_first(error)}.") from None


def check_json_line(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """One line of JSONL as a dict (empty for a blank line). Raises DataError naming file and line otherwise."""
    if not line.strip():
        return {}
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        cut = "" if line.endswith(b"\n") else " The file ends in the middle of it: it is truncated."
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise DataError(f"`{path}`, line {number} is not JSON ({reason}).{cut} Write or copy the file again.") from None
    if not isinstance(row, dict):
        raise DataError(f"`{path}`, line {number} is JSON but no object: every line should be one row in {{…}}.")
    return row


def from_any(data: Any) -> pl.DataFrame:
    """A polars frame from a polars, pandas or Arrow table, a dict of lists, or a list of dicts.

    Raises DataError for anything else.
    """
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    try:
        if isinstance(data, Mapping):
            return pl.DataFrame(dict(data), strict=False)
        if isinstance(data, list):
            return pl.DataFrame(data, infer_schema_length=None)
        if hasattr(data, "__arrow_c_stream__"):
            return _from_arrow(data)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError(f"this {type(data).__name__} cannot be read as a table: {_first(error)}") from None
    raise DataError(
        f"a {type(data).__name__} is no table: give a path, a polars, pandas or Arrow table, or a dict of columns."
    )


def _from_arrow(data: Any) -> pl.DataFrame:
    try:
        return pl.DataFrame(data)
    except ImportError:  # pandas hands itself over with the help of pyarrow, which need not be there
        return pl.DataFrame(data.to_dict("list"), strict=False)


def _first(error: Exception) -> str:
    """The first line of a message; the rest of polars' messages advises on polars."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
