"""Samples files in blocks: bounded memory, and the line of whatever is broken.

polars parses a block of lines with a fixed schema, which skips the bulk of each row (documents, prompts, hashes)
faster than `json.loads` reads it. Where polars refuses a block, the lines are parsed one by one, which either finds
the line to blame or copes with what polars does not take (a bare NaN).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.tabular import check_json_line

BLOCK_BYTES = 4 << 20
Schema = Mapping[str, Any]


def first_row(path: Path) -> dict[str, Any]:
    """The first row of a samples file. Raises DataError where there is none."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                return check_json_line(line, path, number)
    raise DataError(f"`{path}` holds no rows: the task was logged empty. Run it again, or leave the file out.")


class SamplesFile:
    """One pass over a samples file with a polars schema.

    schema  column → polars type; columns beyond it are not read, and columns that a row lacks are null
    """

    def __init__(self, path: Path, schema: Schema, block_bytes: int = BLOCK_BYTES) -> None:
        self.path, self.schema, self.block_bytes = path, schema, block_bytes

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Frames of the blocks, in order. Raises DataError naming file and line for a row that is not as it should be.

        Blocks are parsed side by side in threads (polars lets go of the interpreter lock), a few ahead of the reader.
        """
        threads = min(8, pl.thread_pool_size())
        ahead: deque[Future[pl.DataFrame]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            for block, line in self._blocks():
                ahead.append(pool.submit(self._parse, block, line))
                if len(ahead) > threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Blocks of whole lines, each with the number of its first."""
        line = 1
        with self.path.open("rb") as file:
            while block := file.read(self.block_bytes):
                block += file.readline()
                if not block.isspace():
                    yield block, line
                line += block.count(b"\n")

    def _parse(self, block: bytes, first_line: int) -> pl.DataFrame:
        try:
            frame = pl.read_ndjson(block, schema=dict(self.schema))
        except pl.exceptions.PolarsError:
            return self._parse_lines(block, first_line)
        if frame["doc_id"].null_count() or frame["resps"].null_count():
            return self._parse_lines(block, first_line)
        return frame

    def _parse_lines(self, block: bytes, first_line: int) -> pl.DataFrame:
        rows = []
        for number, line in enumerate(block.split(b"\n"), first_line):
            end = b"\n" if number - first_line < block.count(b"\n") else b""
            row = check_json_line(line + end, self.path, number)
            if row:
                rows.append({name: self._conform(row.get(name), name, number) for name in self.schema})
        return pl.DataFrame(rows, schema=dict(self.schema))

    def _conform(self, value: Any, name: str, number: int) -> Any:
        """`value` with the nesting and the text leaves that the schema asks for."""
        if value is None and name in ("doc_id", "resps"):
            raise DataError(
                f"`{self.path}`, line {number} has no `{name}`: it is no sample that lm-evaluation-harness logged. "
                "Log with --log_samples, or read other tables with --format table."
            )
        try:
            return _shape(value, self.schema[name])
        except TypeError:
            raise DataError(
                f"`{self.path}`, line {number}: `{name}` is {json.dumps(value)[:80]}, which is not how rows of this "
                "task's type look. Was the file put together from several tasks?"
            ) from None


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
