"""Jobs that do next to nothing, for workers that tests start."""

from __future__ import annotations

import os
import time
from pathlib import Path

from t2scaling.artefacts import write_text
from t2scaling.errors import SuiteError


def write(path: str, seconds: float = 0.0, journal: str | None = None) -> str:
    """Make the artefact after a while; note in the journal who began and ended when."""
    _note(journal, f"begin {Path(path).name}")
    time.sleep(seconds)
    write_text(path, "x")
    _note(journal, f"end {Path(path).name}")
    print("said", Path(path).name)
    return "written"


def fail(message: str) -> None:
    raise ValueError(message)


def refuse(message: str) -> None:
    raise SuiteError(message)


def die(path: str, times: int) -> None:
    """Be killed so many times, and then make the artefact."""
    count = Path(f"{path}.deaths")
    count.parent.mkdir(parents=True, exist_ok=True)
    died = len(count.read_text()) if count.exists() else 0
    if died < times:
        count.write_text("x" * (died + 1))
        os.kill(os.getpid(), 9)
    write_text(path, "x")


def environment(path: str) -> None:
    write_text(path, f"{os.environ['OMP_NUM_THREADS']} {os.environ['CUDA_VISIBLE_DEVICES']!r}")


def _note(journal: str | None, text: str) -> None:
    if journal is not None:
        handle = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{time.time():.6f} {os.getpid()} {text}\n".encode())
        os.close(handle)
