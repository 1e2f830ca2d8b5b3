"""One holder at a time: advisory file locks that vanish with the process that holds them.

A job takes the lock of its id before it looks whether its artefact is there. A second study on the same folder
finds the lock taken, does other jobs first, and comes back: nothing is done twice, and a killed holder
(kill −9 included) leaves no lock behind, since the kernel drops `flock` locks with their process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(RuntimeError):
    """Another process holds the lock; come back later."""


@contextmanager
def lock(path: str | Path) -> Iterator[None]:
    """Hold the lock file `path` for the length of the block. Raises `Busy` at once where another process holds it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"`{path}` is held by another process.") from error
        yield
    finally:
        os.close(handle)
