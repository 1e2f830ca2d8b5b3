"""One process per run folder."""

import shutil
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
            _sweep(Path(folder))
            yield
    except BusyError as error:
        raise BusyError(f"`{folder}` is being trained by another process: wait for it, or stop it.") from error


def _sweep(folder: Path) -> None:
    """Take away what holders that were killed had not finished writing."""
    for path in (*folder.glob(".*.tmp"), *folder.glob("checkpoints/.*.tmp")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
