"""Parquet files, whose reader is written in Rust: it panics where Python would raise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.errors import DataError, T2Error
from t2scaling.foreign.text import parse_json

if TYPE_CHECKING:
    import polars as pl

MOST_CELLS = 1 << 31


def read_parquet(path: str | Path) -> pl.DataFrame:
    """A whole Parquet file as a frame. Raises DataError where it is damaged, or holds more than 2³¹ cells."""
    with guard_polars(f"`{path}` cannot be read as Parquet"):
        return scan_parquet(path).collect()


def scan_parquet(path: str | Path) -> pl.LazyFrame:
    """A lazy frame of a Parquet file, to be collected under `guard_polars`.

    Raises DataError for a file whose directory cannot be read, or claims more than 2³¹ cells: a run-length encoded
    column of that many costs its writer a few bytes, and its reader everything.
    """
    import polars as pl

    with guard_polars(f"`{path}` cannot be read as Parquet"):
        lazy = pl.scan_parquet(path, glob=False)
        rows, columns = lazy.select(pl.len()).collect().item(), len(lazy.collect_schema())
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"`{path}` claims {rows:,} rows of {columns:,} columns, more than is read of one file ({MOST_CELLS:,} "
            "cells). Split it into several files, and check that it is not damaged."
        )
    return lazy


def parquet_json(path: str | Path, key: str) -> Any:
    """The JSON that a Parquet file's metadata holds under `key`, or None. Raises DataError where it is damaged."""
    import polars as pl

    with guard_polars(f"`{path}` cannot be read as Parquet"):
        stored = pl.read_parquet_metadata(path).get(key)
    return None if stored is None else parse_json(stored.encode(), f"`{path}`: the metadata `{key}`")


def check_parquet(paths: Sequence[Path]) -> None:
    """Decode Parquet files in a process of their own, and forget what they hold.

    A damaged page may ask for 2⁶¹ bytes, upon which the reader, written in Rust, ends its process: no `except` helps.
    So another process goes first. Raises DataError for the file at which it died; what it could refuse in words is left
    to the reading proper. Costs the start of a process, a quarter of a second, however many files there are.
    """
    if not paths or not sys.executable:
        return
    size = sum(path.stat().st_size for path in paths)
    command = [sys.executable, "-c", _DECODE, *(str(path.resolve()) for path in paths)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60 + size / 2**20, check=False)
        survived, read = done.returncode == 0, done.stdout.count(b".")
    except subprocess.TimeoutExpired as late:
        survived, read = False, (late.stdout or b"").count(b".")
    if not survived and read < len(paths):
        raise DataError(
            f"`{paths[read]}` cannot be read as Parquet: its reader dies of it. It is damaged: write or copy it again."
        )


# A point for each file that was decoded, or refused in words. The limit is on address space, of which polars maps much.
_DECODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 35, 1 << 35))
import polars as pl
for path in sys.argv[1:]:
    try:
        lazy = pl.scan_parquet(path, glob=False)
        if lazy.select(pl.len()).collect().item() * len(lazy.collect_schema()) < 1 << 31:
            for _ in lazy.collect_batches():
                pass
    except Exception:
        pass
    print(".", end="", flush=True)
"""


@contextmanager
def guard_polars(
    what: str, way_out: str = "It may be damaged or cut off: write or copy it again.", error: type[T2Error] = DataError
) -> Iterator[None]:
    """Turn every failure of polars within the block into `error`: `what`, polars' first line, `way_out`.

    A Rust panic descends from BaseException and passes by `except Exception`; it is caught here.
    """
    import polars as pl

    try:
        yield
    except T2Error:
        raise
    except (FileNotFoundError, PermissionError):
        raise
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
        ArithmeticError,
        MemoryError,
    ) as found:
        lines = str(found).strip().splitlines()
        reason = lines[0].rstrip(".") if lines else type(found).__name__
        raise error(f"{what}: {reason}. {way_out}") from None
