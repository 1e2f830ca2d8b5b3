"""Workers as processes of this machine. One that dies is replaced, until the folder says that a job killed too many."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2scaling.testbed.study.starters.places import Place

_LOOK = 0.2  # seconds between looks at the workers
_GRACE = 20.0  # seconds that workers have to save their work when the study is interrupted


def start(folder: Path, places: list[Place], options: dict[str, Any], watch: Callable[[], object]) -> None:
    """Run one worker per place until each has found nothing left to do.

    options   lifetime: of a lease in seconds
    """
    lifetime = float(options["lifetime"]) if "lifetime" in options else None
    log = folder / "logs" / "workers.log"
    log.parent.mkdir(parents=True, exist_ok=True)

    def begin(place: Place) -> subprocess.Popen[bytes]:
        # Its own session: Ctrl-C reaches the study alone, which then asks its workers to end.
        with log.open("ab") as file:
            return subprocess.Popen(
                place.command(folder, lifetime),
                env={**os.environ, **place.environment()},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    running = [(place, begin(place)) for place in places]
    looked = 0.0
    try:
        while running:
            running = [
                (place, process if process.poll() is None else begin(place))
                for place, process in running
                if process.poll() != 0
            ]
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                watch()
            time.sleep(_LOOK)
    finally:
        _end([process for _, process in running])


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask the workers to save and end; those that do not are ended."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + _GRACE
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
