"""Asking a process to stop: SIGTERM, or SIGUSR2 (which submitit has Slurm send before a time limit), sets a flag, and
work that takes long looks at it where it can end cleanly.
"""

import signal
from types import FrameType

from t2scaling.errors import T2Error


class StopRequested(T2Error):
    """The process was asked to end; what is done so far is saved."""

    exit_code = 0


_asked = False


def listen() -> None:
    """Set the flag on SIGTERM and SIGUSR2 from now on; the second SIGTERM ends the process as usual."""
    signal.signal(signal.SIGTERM, _ask)
    if hasattr(signal, "SIGUSR2"):
        signal.signal(signal.SIGUSR2, _ask)


def _ask(number: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def asked() -> bool:
    """Whether the process was asked to end."""
    return _asked


def raise_if_asked() -> None:
    """Raise StopRequested where the process was asked to end."""
    raise_if(_asked)


def raise_if(asked: bool) -> None:
    """Raise StopRequested where any process of a run was asked to end."""
    if asked:
        raise StopRequested("asked to stop: what is done is saved, start again to go on.")
