"""From what stands in a table to typed columns: one strict grammar for each kind of column.

Text is read by `units` (a count may be written `7B` or `1,000`, a likelihood is a plain decimal), columns of another
type are taken only where the type is a number's. What does not fit is refused with the column, the row and the value;
nothing is repaired, rounded or read as something near.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from t2scaling.arrays import Positions
from t2scaling.errors import ArgumentError, DataError, unknown
from t2scaling.observations.schema import DTYPE, Column, Kind
from t2scaling.units import parse_decimal, parse_number, parse_whole


@dataclass(frozen=True)
class Rows:
    """How an error calls the rows of a series: `row 3` of a frame, `line 4` of a file.

    first   number of the first row
    index   for a series drawn from the rows: the row of each value
    """

    noun: str = "row"
    first: int = 1
    index: Positions | None = None

    def at(self, position: int) -> str:
        """The name of the row of the value at `position`."""
        row = position if self.index is None else int(self.index[position])
        return f"{self.noun} {self.first + row}"


FRAME_ROWS = Rows()
_NOUN: dict[Kind, str] = {
    "text": "text",
    "number": "numbers",
    "decimal": "decimal numbers",
    "whole": "whole numbers",
    "flag": "true or false",
    "wholes": "lists of whole numbers",
    "decimals": "lists of numbers",
    "flags": "lists of true or false",
}
_OF_LIST: dict[Kind, Kind] = {"wholes": "whole", "decimals": "decimal", "flags": "flag"}
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def cast(series: pl.Series, column: Column, where: str, rows: Rows = FRAME_ROWS) -> pl.Series:
    """One column in its canonical type.

    where   how an error calls the table
    Raises DataError naming the first value that does not fit: its row, the value, and how it should be written.
    """
    if isinstance(series.dtype, pl.Categorical | pl.Enum) and column.kind != "text":
        series = series.cast(pl.String)
    dtype = series.dtype
    if dtype == pl.Null:
        typed = series.cast(DTYPE[column.kind])
    elif column.kind in _OF_LIST:
        whole = dtype == DTYPE[column.kind] and not series.list.contains(None).any()
        typed = series if whole else _lists(series, column, where, rows)
    elif dtype == pl.String and column.kind != "text":
        typed = _parse(series, column, where, rows)
    elif _fits(dtype, column.kind):
        typed = _FROM[column.kind](series, column, where, rows)
    else:
        raise _wrong_type(series, column, where)
    return typed.alias(column.name)


def _fits(dtype: pl.DataType, kind: Kind) -> bool:
    if kind == "text":
        return not (dtype.is_nested() or dtype in (pl.Binary, pl.Object))
    return dtype.is_numeric() or (kind == "flag" and dtype == pl.Boolean)


def _wrong_type(series: pl.Series, column: Column, where: str) -> DataError:
    value = "" if series.dtype == pl.Object else f" such as {_shown(series.drop_nulls().first())}"
    return DataError(
        f"`{column.name}` of {where} should hold {_NOUN[column.kind]}, but its values are {series.dtype}{value}. "
        "Convert the column, or map another one with --column."
    )


def _refusal(column: Column, where: str, row: str, value: Any, reason: str) -> DataError:
    return DataError(
        f"`{column.name}` of {where} should hold {_NOUN[column.kind]}, but {row} says {_shown(value)}, which {reason}",
        [value],
    )


def _shown(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _text(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    series = series.cast(pl.String)
    if not column.choices:
        return series
    tidy = series.str.strip_chars().str.to_lowercase()
    tidy = tidy.set(tidy == "", None)
    odd = (tidy.is_not_null() & ~tidy.is_in(column.choices)).fill_null(False)
    if odd.any():
        position = odd.arg_max() or 0
        reason = str(unknown(column.name, tidy[position], column.choices)).partition("is not known")[1:]
        raise _refusal(column, where, rows.at(position), series[position], "".join(reason))
    return tidy


def _floats(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    return series.cast(pl.Float64)


def _whole(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    if series.dtype.is_float():
        series = series.fill_nan(None)  # how a dataframe of floats says that a count is missing
    whole = series.cast(pl.Int64, strict=False)
    # A float above 2^53 may not be the number that was meant, and an integer beyond 64 bits is none that is stored.
    lost = series.is_not_null() & (whole.is_null() | (whole.cast(series.dtype) != series))
    if series.dtype.is_float():
        lost = lost | (series.abs() > 2.0**53)
    _refuse_first(lost, series, column, where, rows, parse_whole)
    return whole


def _flag(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    if series.dtype == pl.Boolean:
        return series
    _refuse_first(series.is_not_null() & (series != 0) & (series != 1), series, column, where, rows, None)
    return series.cast(pl.Boolean)


_FROM: dict[Kind, Callable[[pl.Series, Column, str, Rows], pl.Series]] = {
    "text": _text,
    "number": _floats,
    "decimal": _floats,
    "whole": _whole,
    "flag": _flag,
}


def _refuse_first(
    broken: pl.Series, series: pl.Series, column: Column, where: str, rows: Rows, parse: Callable[[Any], Any] | None
) -> None:
    """Raise DataError for the first broken value, with the reason that `parse` gives."""
    broken = broken.fill_null(False)
    if not broken.any():
        return
    position = broken.arg_max() or 0
    value = series[position]
    reason = "is neither: write true or false."
    if parse is not None:
        try:
            parse(value)
            reason = "is beyond 64 bits: write a smaller number."
        except ArgumentError as error:
            reason = _advice(error)
    raise _refusal(column, where, rows.at(position), value, reason)


def _advice(error: ArgumentError) -> str:
    """What is wrong and the way out, without the value that the message begins with."""
    return str(error).partition("` ")[2]


def _parse(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    """Read a text column. Plain numbers are read at once; what else people write, value by value.

    polars takes digits, point, sign and exponent, `inf` and `nan`, and nothing else.
    """
    dtype = DTYPE[column.kind]
    plain = (
        series.str.strip_chars().cast(dtype, strict=False) if column.kind != "flag" else pl.Series([None], dtype=dtype)
    )
    rest = series.is_not_null() & plain.is_null()
    if not rest.any():
        return plain
    read: dict[str, Any] = {}
    for text in series.filter(rest).unique():
        try:
            read[text] = _value(text, column.kind)
        except ArgumentError as error:
            position = (series == text).arg_max() or 0
            raise _refusal(column, where, rows.at(position), text, _advice(error)) from None
    said = series.replace_strict(list(read), list(read.values()), return_dtype=dtype, default=None)
    return said if column.kind == "flag" else plain.zip_with(~rest, said)


def _value(text: str, kind: Kind) -> Any:
    """The value of one cell; None where it is empty."""
    key = text.strip().lower()
    if not key:
        return None
    if kind == "flag":
        if key not in _FLAGS:
            raise ArgumentError(f"`{text}` is neither: write true or false.")
        return _FLAGS[key]
    if kind == "whole":
        if key == "nan":
            return None
        number = parse_whole(key)
        if abs(number) >= 2**63:
            raise ArgumentError(f"`{text}` is beyond 64 bits: write a smaller number.")
        return number
    return parse_decimal(key) if kind == "decimal" else parse_number(key)


def _lists(series: pl.Series, column: Column, where: str, rows: Rows) -> pl.Series:
    """A column of lists: of any list type, or text such as `3;2;1` or `[3, 2, 1]`."""
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        body = text.str.strip_prefix("[").str.strip_suffix("]").str.strip_chars()
        lists = body.str.replace_all(",", ";", literal=True).str.split(";")
        lengths = pl.select(pl.when(body == "").then(0).otherwise(lists.list.len())).to_series()
        missing = text.is_null() | (text == "")
    elif series.dtype.is_nested() and series.dtype != pl.Struct:
        lists = series.arr.to_list() if isinstance(series.dtype, pl.Array) else series
        lengths, missing = lists.list.len(), lists.is_null()
    else:
        raise _wrong_type(series, column, where)
    inner = replace(column, kind=_OF_LIST[column.kind])
    full = (lengths > 0).fill_null(False) & ~missing
    index = np.repeat(np.flatnonzero(full.to_numpy()), lengths.filter(full).to_numpy())
    flat = lists.filter(full).explode() if full.any() else pl.Series([], dtype=pl.Null)
    within = replace(rows, index=index)
    typed = cast(flat, inner, where, within)
    if typed.null_count():
        position = typed.is_null().arg_max() or 0
        raise _refusal(
            column, where, within.at(position), None, "is a gap in the list: fill it, or leave the cell empty."
        )
    of_row = pl.DataFrame({"row": index, "value": typed}, schema_overrides={"row": pl.Int64})
    filled = of_row.group_by("row", maintain_order=True).agg("value")
    every = pl.DataFrame({"row": np.arange(len(series)), "missing": missing}).join(
        filled, on="row", how="left", maintain_order="left"
    )
    empty = pl.lit([], dtype=DTYPE[column.kind])
    return every.select(
        pl.when("missing").then(None).otherwise(pl.col("value").fill_null(empty)).alias("v")
    ).to_series()
