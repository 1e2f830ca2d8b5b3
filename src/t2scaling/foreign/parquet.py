"""Parquet files, whose reader is written in Rust: it panics where Python would raise."""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
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


def check_parquet(path: Path) -> None:
    """Decode a Parquet file in another process, and forget what it holds.

    A damaged page may ask for 2⁶¹ bytes, upon which the reader, written in Rust, ends its process: no `except` helps.
    Or a thread panics, and batches come without its rows and without an error. So another process goes first; it is
    started once and stays. Raises DataError where it dies of the file, gets other rows than the file says, or decodes
    less than a megabyte a second; what it can refuse in words is left to the reading proper.
    """
    if not _DECODER.survives(path, 60 + path.stat().st_size / 2**20):
        raise DataError(
            f"`{path}` cannot be read as Parquet: its reader dies of it. It is damaged: write or copy it again."
        )


# The limit is on address space, of which polars maps much more than it uses.
_DECODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 35, 1 << 35))
import polars as pl
for line in sys.stdin:
    try:
        lazy = pl.scan_parquet(line[:-1], glob=False)
        rows = lazy.select(pl.len()).collect().item()
        if rows * len(lazy.collect_schema()) < 1 << 31 and sum(map(len, lazy.collect_batches())) != rows:
            sys.exit("a thread of the reader has panicked, and its rows are gone without an error")
    except Exception:
        pass
    print(flush=True)
"""


class _Decoder:
    """A process that decodes Parquet files, one line of its input each, and answers with a line."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._turn = Lock()

    def survives(self, path: Path, seconds: float) -> bool:
        """Whether it is still there after the file."""
        name = str(path.resolve())
        if not sys.executable or "\n" in name:
            return True
        with self._turn:
            if self._process is None or self._owner != os.getpid():  # a fork must not share the pipes
                self._start()
            assert self._process is not None
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                self._process.stdin.write(os.fsencode(name) + b"\n")
                self._process.stdin.flush()
                answered, _, _ = select.select([self._process.stdout], [], [], seconds)
                alive = bool(answered) and self._process.stdout.readline() == b"\n"
            except BrokenPipeError:
                alive = False
            if not alive:
                self.stop()
            return alive

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _DECODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._owner = os.getpid()

    def stop(self) -> None:
        """End the process, if this one started it."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()


_DECODER = _Decoder()
atexit.register(_DECODER.stop)


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
        TypeError,
        ArithmeticError,
        MemoryError,
    ) as found:
        lines = str(found).strip().splitlines()
        reason = lines[0].rstrip(".") if lines else type(found).__name__
        raise error(f"{what}: {reason}. {way_out}") from None
