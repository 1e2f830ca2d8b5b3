"""One process per run folder: an advisory lock that the kernel drops with its process, kill −9 included."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2scaling.errors import T2Error


class RunBusyError(T2Error):
    """Another process is training this run."""


@contextmanager
def run_lock(folder: str | Path, wait: bool = False, wanted: bool = True) -> Iterator[None]:
    """Hold the lock of a run folder for the length of the block.

    wait     wait for another holder instead of raising RunBusyError at once
    wanted   False does nothing: of several processes that share a run, one holds the lock for all
    """
    if not wanted:
        yield
        return
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise RunBusyError(f"`{folder}` is being trained by another process: wait for it, or stop it.") from error
        yield
    finally:
        os.close(handle)
