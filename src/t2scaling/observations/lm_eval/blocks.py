"""Samples files in blocks: bounded memory, and the line of whatever is broken.

polars parses a block of lines with a fixed schema, which skips the bulk of each row (documents, prompts, hashes)
faster than `json.loads` reads it. Where polars refuses a block, the lines are parsed one by one, which either finds
the line to blame or copes with what polars does not take (a bare NaN). Blocks that polars would misread, or not
survive, take that way too: deep nesting, half a surrogate pair, a key that may stand twice.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from t2scaling.arrays import Positions
from t2scaling.errors import DataError
from t2scaling.foreign import parse_json_line, short, validate
from t2scaling.foreign.text import DEEPEST, HALF_PAIR, MOST_BYTES

BLOCK_BYTES = 8 << 20
Schema = Mapping[str, Any]
_NO_OPENER = bytes(set(range(256)) - set(b"[{\n"))
_COLON = int.from_bytes(b'":', "little")
NO_SAMPLE = "Log with --log_samples, or read other tables with --format table."


class FirstRow(BaseModel):
    """The first row of a samples file, off which the kind of the log is read; metrics stand beside these keys."""

    model_config = ConfigDict(extra="allow")

    doc_id: Any
    resps: list[list[Any]] = Field(min_length=1)
    filtered_resps: list[Any] | None = None
    filter: str | None = None
    metrics: list[str] = []
    arguments: Any = None

    @property
    def values(self) -> Mapping[str, Any]:
        """The other keys: metrics by name, and what else a task writes."""
        return self.model_extra or {}


def first_row(path: Path, filter: str | None = None) -> FirstRow:
    """The first row of a samples file, or of one of its filters. Raises DataError where there is none."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MOST_BYTES + 1):
            number += 1
            if not line.strip() or (filter is not None and json.dumps(filter).encode() not in line):
                continue
            row = parse_json_line(line, path, number)
            if filter in (None, row.get("filter")):
                _check_sample(row, path, number)
                return validate(FirstRow, row, f"`{path}`, line {number}", way_out=NO_SAMPLE)
    if filter is not None:
        raise DataError(f"`{path}` has no row of filter `{filter}`, though its task lists it. Was the file cut off?")
    raise DataError(f"`{path}` holds no rows: the task was logged empty. Run it again, or leave the file out.")


def _check_sample(row: Mapping[str, Any], path: Path, number: int) -> None:
    for name in ("doc_id", "resps"):
        if row.get(name) is None:
            raise DataError(
                f"`{path}`, line {number} has no `{name}`: it is no sample that lm-evaluation-harness logged. "
                + NO_SAMPLE
            )


class SamplesFile:
    """One pass over a samples file with a polars schema.

    schema  column → polars type; columns beyond it are not read, and columns that a row lacks are null
    """

    def __init__(self, path: Path, schema: Schema, block_bytes: int = BLOCK_BYTES) -> None:
        self.path, self.schema, self.block_bytes = path, schema, block_bytes
        self._keys = {name: json.dumps(name, ensure_ascii=False).encode() for name in schema}
        text, inner, self._as_text = r'"[^"\\\x00-\x1f]*"', schema["resps"], True
        while isinstance(inner, pl.List):
            text, inner = rf"\[(?:{text}(?:, {text})*)?\]", inner.inner
        self._strings = f"^{text}$"

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Frames of the blocks, in order. Raises DataError naming file and line for a row that is not as it should be.

        Blocks are parsed side by side in threads (polars lets go of the interpreter lock), a few ahead of the reader.
        """
        threads, line = min(8, pl.thread_pool_size()), 1
        ahead: deque[tuple[bytes, Future[tuple[pl.DataFrame | None, int]]]] = deque()
        with ThreadPoolExecutor(threads) as pool, self.path.open("rb") as file:
            while (block := file.read(self.block_bytes)) or ahead:
                if block:
                    block += file.readline(MOST_BYTES + 1)
                    ahead.append((block, pool.submit(self._parse, block)))
                if len(ahead) > threads or not block:
                    block, job = ahead.popleft()
                    frame, lines = job.result()
                    yield self._parse_lines(block, line) if frame is None else frame
                    line += lines

    def _parse(self, block: bytes) -> tuple[pl.DataFrame | None, int]:
        """The block by polars, or None where it reads what Python would not, or does not survive; and its lines."""
        openers = block.translate(None, _NO_OPENER).split(b"\n")
        lines = len(openers) - 1
        if max(map(len, openers)) > DEEPEST or HALF_PAIR.search(block):  # overflows its stack; half a pair becomes NUL
            return None, lines
        places = _places(block, self._keys)
        lists = np.frombuffer(block, np.uint8).take(places["resps"] + 3, mode="clip") == ord("[")  # after `": `
        try:
            frame = self._read(block, bool(lists.all()))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None, lines
        twice = max(map(len, places.values())) > len(frame)  # of equal keys in a row it takes the first
        return None if twice or frame["doc_id"].null_count() or frame["resps"].null_count() else frame, lines

    def _read(self, block: bytes, lists: bool) -> pl.DataFrame:
        """The block by polars, which makes a series of every list in a row: half of all its time.

        So responses that are lists are read as text, in which strings without a backslash are told from all else.
        """
        if lists and self._as_text:
            frame = pl.read_ndjson(block, schema={**self.schema, "resps": pl.String})
            if frame["resps"].str.contains(self._strings).all():
                return frame.with_columns(pl.col("resps").str.json_decode(self.schema["resps"]))
            self._as_text = False  # the next blocks will have such responses too
        return pl.read_ndjson(block, schema=dict(self.schema))

    def _parse_lines(self, block: bytes, first_line: int) -> pl.DataFrame:
        rows = []
        *whole, last = block.split(b"\n")
        for number, line in enumerate([*(line + b"\n" for line in whole), last], first_line):
            row = parse_json_line(line, self.path, number)
            if row:
                _check_sample(row, self.path, number)
                rows.append({name: self._conform(row.get(name), name, number) for name in self.schema})
        return pl.DataFrame(rows, schema=dict(self.schema))

    def _conform(self, value: Any, name: str, number: int) -> Any:
        """`value` with the nesting and the text leaves that the schema asks for."""
        try:
            return _shape(value, self.schema[name])
        except TypeError:
            raise DataError(
                f"`{self.path}`, line {number}: `{name}` is {short(value)}, which is not how rows of this "
                "task's type look. Was the file put together from several tasks?"
            ) from None


def _places(block: bytes, keys: Mapping[str, bytes]) -> dict[str, Positions]:
    """Where each key, in its quotes, stands before a colon: its last bytes. A long one is known by its two ends."""
    pairs = (np.frombuffer(block, "<u2", (len(block) - odd) // 2, odd) for odd in (0, 1))
    ends = np.concatenate([np.flatnonzero(pair == _COLON) * 2 + odd for odd, pair in enumerate(pairs)])
    if ends.min(initial=7) < 7:  # the block begins with a key that is too short to be looked up
        return dict.fromkeys(keys, ends)
    words = np.ndarray(max(0, len(block) - 7), "<u8", block, strides=(1,))  # the eight bytes from each place on
    last, found = words[ends - 7], {}
    for name, key in keys.items():
        spare = np.uint64(8 * max(0, 8 - len(key)))
        found[name] = ends[last >> spare == int.from_bytes(key[-8:], "little")]
        if len(key) > 8:
            first = words.take(found[name] + 1 - len(key), mode="clip")
            found[name] = found[name][first == int.from_bytes(key[:8], "little")]
    return found


def _shape(value: Any, dtype: Any) -> Any:
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        if not isinstance(value, list):
            raise TypeError
        return [_shape(item, dtype.inner) for item in value]
    if isinstance(dtype, pl.Struct):
        if not isinstance(value, dict):
            raise TypeError
        return {field.name: _shape(value.get(field.name), field.dtype) for field in dtype.fields}
    return value if isinstance(value, str) else json.dumps(value)
