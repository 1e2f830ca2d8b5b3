"""Leases: one holder at a time, on any file system that many machines see.

A lease is a file with its holder's name and a lifetime that the holder keeps extending; it is made by link(2), which is
atomic on NFS too (flufl.lock). Where the holder falls silent the lease runs out and another takes it over: after
lifetime + 10 s in general, at once where the holder was a process of this machine that is gone. A holder that finds
its lease taken (it was stopped, or cut off) must not write: `check` says so, and every artefact is checked before its
rename.

What the file system must promise: atomic link and rename, and modification times that all machines agree on within the
10 s of slack (`clock_skew` measures it).
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flufl.lock import Lock, LockState, NotLockedError, TimeOutError

from t2scaling import artefacts
from t2scaling.errors import T2Error

LIFETIME = 90.0
SLACK = 10.0  # seconds past its end that a silent holder is left (flufl.lock's own CLOCK_SLOP)
_LOG = logging.getLogger("flufl.lock")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


class BusyError(T2Error):
    """Somebody else holds the lease."""


class LeaseLostError(T2Error):
    """The lease ran out and may be another's: nothing more may be written."""

    exit_code = 75


class Lease:
    """A held lease; made by `take`."""

    def __init__(self, lock: Lock, lifetime: float, on_lost: Callable[[], object] | None) -> None:
        self._lock, self._on_lost = lock, on_lost
        self._ended, self._lost = threading.Event(), threading.Event()
        self._beat = threading.Thread(target=self._keep, args=(lifetime / 3,), daemon=True)
        self._beat.start()

    def check(self) -> None:
        """Raise LeaseLostError unless the lease is still ours; extends it."""
        if self._lost.is_set() or not self._extend():
            raise LeaseLostError(f"the lease `{self._lock.lockfile}` was taken over: another worker has this work now.")

    def release(self) -> None:
        """Give the lease back; nothing happens where it is lost."""
        self._ended.set()
        with contextlib.suppress(NotLockedError, OSError):
            self._lock.unlock()

    def _keep(self, every: float) -> None:
        while not self._ended.wait(every):
            if not self._extend():
                if self._on_lost is not None and not self._ended.is_set():
                    self._on_lost()
                return

    def _extend(self) -> bool:
        try:
            self._lock.refresh()
        except NotLockedError:
            self._lost.set()
        except OSError:  # the file system is away: the lease runs on until it ends
            pass
        return not self._lost.is_set()


def take(path: str | Path, lifetime: float = LIFETIME, on_lost: Callable[[], object] | None = None) -> Lease | None:
    """The lease of this path, or None where another holds it. Never waits.

    on_lost   called from the heartbeat's thread when the lease is gone
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = Lock(str(path), lifetime=int(max(lifetime, 1)))
    if path.exists():
        if not expired(lock):
            return None
        _clear(path)
    try:
        lock.lock(timeout=0)
    except TimeOutError:
        return None
    return Lease(lock, lifetime, on_lost)


def holder(path: str | Path) -> tuple[str, int] | None:
    """(machine, process) that holds a lease which has not run out; None where it is free."""
    lock = Lock(str(path))
    with contextlib.suppress(NotLockedError, OSError):
        machine, process, _ = lock.details
        if not expired(lock):
            return machine, process
    return None


def expired(lock: Lock) -> bool:
    """Whether the holder is gone: silent for too long, or a process of this machine that has ended."""
    try:
        state = lock.state
        silent = (datetime.now() - lock.expiration).total_seconds()
    except OSError:
        return False
    return state is LockState.stale or silent > SLACK


def _clear(path: Path) -> None:
    """Take away a lease that has run out; put it back where another was quicker and made a new one."""
    try:
        before = path.read_text()
        grave = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.{time.monotonic_ns()}")
        path.rename(grave)
    except OSError:
        return
    if grave.read_text() != before:
        with contextlib.suppress(OSError):
            os.link(grave, path)
    else:
        Path(before).unlink(missing_ok=True)
    grave.unlink()


@contextmanager
def held(
    path: str | Path, *, lifetime: float = LIFETIME, wait: bool = False, on_lost: Callable[[], object] | None = None
) -> Iterator[Lease]:
    """Hold a lease for the length of the block; artefacts written in it are refused once it is lost.

    wait   wait for another holder instead of raising BusyError at once
    """
    while (lease := take(path, lifetime, on_lost)) is None:
        if not wait:
            raise BusyError(f"`{path}` is held by another process: wait for it, or stop it.")
        time.sleep(0.2)
    artefacts.guards.append(lease.check)
    try:
        yield lease
    finally:
        artefacts.guards.remove(lease.check)
        lease.release()


def clock_skew(folder: str | Path) -> float:
    """Seconds that this machine's clock is ahead of the file system's."""
    probe = Path(folder) / f".clock.{os.getpid()}.{threading.get_ident()}"
    now = time.time()
    probe.touch()
    try:
        return now - probe.stat().st_mtime
    finally:
        probe.unlink()
