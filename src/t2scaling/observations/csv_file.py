"""CSV files: what makes one readable, checked before polars reads it.

polars fills a line that is too short with nothing, takes the first of two columns of one name, unpacks whatever is
compressed, and cannot know that a file was cut off. A table read so would be wrong without a word, so all of this is
looked at first: in one pass over the bytes where no field is quoted, with Python's csv module where one is.
"""

import csv
from codecs import getincrementaldecoder
from pathlib import Path

import polars as pl

from t2scaling.errors import DataError
from t2scaling.foreign import short
from t2scaling.observations.casts import Rows

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"x\x01", b"x\x9c", b"x\xda")
_BLOCK = 1 << 24
_TAIL = 1 << 16  # bytes at the end by which a cut is recognised
_ALIKE = 10  # rows whose last number has the same decimals, from which a shorter one is a cut


def scan_csv(path: Path) -> tuple[pl.LazyFrame, Rows, list[str]]:
    """A lazy frame of text columns, how its rows are called, and remarks. Raises DataError naming the line."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    header = _check_dialect(path, separator)
    rows = _check_fields(path, separator, len(header))
    notes = _check_end(path, separator)
    # Text first: the schema knows better than the first hundred rows what a column is.
    return pl.scan_csv(path, separator=separator, infer_schema=False, glob=False), rows, notes


def _check_dialect(path: Path, separator: str) -> list[str]:
    """The names of the columns. Refused is what a spreadsheet or an archiver may write and no reader of CSV could tell
    from one odd column: UTF-16, semicolons, line ends of old Macs, compressed text; and a name that stands twice.
    """
    with path.open("rb") as file:
        first = file.readline(2**16)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"`{path}` is UTF-16 text: save it as UTF-8.")
    if first.startswith(_COMPRESSED):
        raise DataError(f"`{path}` is compressed: unpack it first.")
    if b"\r" in first.rstrip(b"\r\n"):
        raise DataError(f"`{path}` ends its lines with a carriage return alone: save it with line feeds.")
    other = max(b";", b"\t", b",", key=first.count)
    if separator.encode() not in first and other in first:
        named = {b";": "semicolons", b"\t": "tabs", b",": "commas"}[other]
        wanted = "tabs between columns" if separator == "\t" else "commas between columns"
        raise DataError(f"`{path}` separates its columns by {named}: save it with {wanted} and a point in decimals.")
    try:
        header = next(csv.reader([first.decode("utf-8-sig")], delimiter=separator), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"`{path}`, line 1 cannot be read as CSV: {error}. Save it as UTF-8 text.") from None
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise DataError(f"`{path}` has two columns {short(twice[0])}: rename or remove one of them.")
    return header


def _check_fields(path: Path, separator: str, width: int) -> Rows:
    """Every line has as many fields as the header. polars refuses more, so counting separators tells of less."""
    lines = separators = quotes = returns = 0
    last = b"\n"
    text = getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                text.decode(block)
            except UnicodeDecodeError as error:
                line = lines + error.object.count(b"\n", 0, error.start) + 1
                raise DataError(f"`{path}`, line {line} is no CSV in UTF-8: save it as UTF-8 text.") from None
            lines += block.count(b"\n")
            # Alone it is part of a field to polars and ends a line to others.
            returns += block.count(b"\r") - block.count(b"\r\n") - (last == b"\r" and block[:1] == b"\n")
            separators += block.count(separator.encode())
            quotes += block.count(b'"')
            last = block[-1:]
    lines += last != b"\n"
    if not quotes and not returns and separators == lines * (width - 1):
        return Rows("line", 2)
    return _check_line_by_line(path, separator, width)


def _check_line_by_line(path: Path, separator: str, width: int) -> Rows:
    count = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, delimiter=separator, strict=True)
            for row in lines:
                count += 1
                if row and len(row) != width:
                    raise DataError(
                        f"`{path}`, line {lines.line_num} has {len(row)} field{'s' * (len(row) != 1)}, the header has "
                        f"{width}.{_cut(path)} Write or copy it again, as UTF-8 text with one line per row."
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"`{path}` cannot be read as CSV after line {lines.line_num}: {error}.{_cut(path)} Write or copy it again, "
            "as UTF-8 text with one line per row."
        ) from None
    return Rows("line", 2) if count == lines.line_num else Rows("row", 1)


def _cut(path: Path) -> str:
    return "" if _tail(path).endswith((b"\n", b"\r")) else " The file ends within a line: it is truncated."


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read()


def _check_end(path: Path, separator: str) -> list[str]:
    """A last line without a line end may have lost digits of its last number: refused where it is shorter than those
    of the lines before it, which are all alike, or ends in a point; else remarked upon.
    """
    tail = _tail(path)
    if tail.endswith((b"\n", b"\r")):
        return []
    *before, last = (line.rpartition(separator.encode())[2].strip() for line in tail.splitlines()[1:])
    decimals = {len(number.partition(b".")[2]) for number in before}
    if last.endswith(b".") or (
        len(before) >= _ALIKE and len(decimals) == 1 and len(last.partition(b".")[2]) < decimals.pop()
    ):
        raise DataError(
            f"`{path}` ends within its last line, at {short(last.decode(errors='replace'))}: it is truncated. Write or "
            "copy it again, or end the line if it is whole."
        )
    return [
        f"the last line of `{path}` has no line end: if the file was cut off, its last cell may be too "
        f"({short(last.decode(errors='replace'))})."
    ]
