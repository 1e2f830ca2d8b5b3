"""One process per run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2scaling.testbed.lease import BusyError, held


@contextmanager
def run_lock(folder: str | Path, wait: bool = False, wanted: bool = True) -> Iterator[None]:
    """Hold the lease of a run folder for the length of the block.

    wait     wait for another holder instead of raising BusyError at once
    wanted   False does nothing: of several processes that share a run, one holds it for all
    """
    if not wanted:
        yield
        return
    try:
        with held(Path(folder) / ".lease", wait=wait):
            yield
    except BusyError as error:
        raise BusyError(f"`{folder}` is being trained by another process: wait for it, or stop it.") from error
