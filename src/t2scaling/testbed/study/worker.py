"""A worker: takes one job after another from the folder until nothing is left that it could do.

Run as `python -m t2scaling.testbed.study.worker FOLDER [--gpus N]`; engines start as many as there are places. It needs
no coordinator: the longest chain comes first, what is done or leased is skipped, and a job is looked at again under its
lease. Exit codes: 0 nothing left (or asked to stop), 70 an unforeseen error (its job has failed; what the error left in
memory is not trusted with the next one, so a new worker must go on), 75 the lease was lost.
"""

import argparse
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from t2scaling.errors import T2Error
from t2scaling.testbed import lease, stop
from t2scaling.testbed.lease import BusyError, LeaseLostError
from t2scaling.testbed.study.desk import CRASHED, LOST, OPEN, Desk, Job, in_order, ready

PATIENCE = 1.0  # seconds between looks where others hold all that could be done


def work(jobs: Sequence[Job], desk: Desk, gpus: int = 0, patience: float = PATIENCE) -> int:
    """Do jobs until none is left; returns the exit code (see the module)."""
    order = in_order(jobs)
    done: set[str] = set()
    busy: dict[str, float] = {}
    while not stop.asked():
        found = desk.survey(jobs, done)
        open_jobs = [job for job in order if found[job.id].state in OPEN]
        if not any(job.gpus <= gpus for job in open_jobs):
            return 0
        for job in ready(open_jobs, found, gpus):
            if busy.get(job.id, 0.0) > time.monotonic():
                continue
            held = lease.take(desk.lock(job.id), desk.lifetime, on_lost=lambda: os._exit(LOST))
            if held is None:
                continue
            code = _carry_out(job, desk, held)
            if code == CRASHED:
                return CRASHED
            if code == LOST:
                busy[job.id] = time.monotonic() + patience
                continue
            break
        else:
            time.sleep(patience)
    return 0


def _carry_out(job: Job, desk: Desk, held: lease.Lease) -> int:
    """Do one job under its lease."""
    from t2scaling import artefacts

    artefacts.guards.append(held.check)
    try:
        if job.makes and job.done:
            return 0
        if desk.begin(job.id) > desk.retries + 1:
            desk.fail(job.id, f"its worker died {desk.retries + 1} times; the system may have been out of memory")
            return 0
        with _into(desk.log(job.id)):
            _call(job)
        desk.ended(job.id)
        return 0
    except stop.StopRequested:
        desk.ended(job.id)
        return 0
    except LeaseLostError:
        os._exit(LOST)
    except BusyError:
        desk.ended(job.id)
        return LOST
    except T2Error as error:
        desk.fail(job.id, f"{type(error).__name__}: {error}")
        return 0
    except Exception as error:
        desk.fail(job.id, f"{type(error).__name__}: {error}")
        return CRASHED
    finally:
        artefacts.guards.remove(held.check)
        held.release()


def _call(job: Job) -> None:
    module, _, name = job.function.partition(":")
    try:
        note = getattr(import_module(module), name)(**job.arguments)
        print(note or "done")
    except (stop.StopRequested, BusyError):
        raise
    except Exception:
        traceback.print_exc()
        raise


class _into:
    """What this process prints, and what C libraries print, goes to the end of a file for a while."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self._kept = os.dup(1), os.dup(2)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)

    def __exit__(self, *details: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, number)
            os.close(kept)


def main(argv: Sequence[str] | None = None) -> int:
    """Work on the jobs in a folder."""
    parser = argparse.ArgumentParser(description="A worker on the jobs in a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("--lifetime", type=float, default=lease.LIFETIME)
    parser.add_argument("--with-parent", action="store_true", help="end when the process that began this one ends")
    options = parser.parse_args(argv)
    stop.listen()
    if options.with_parent:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    desk = Desk(options.folder, options.lifetime)
    return work(desk.jobs(), desk, options.gpus)


def _end_with(parent: int) -> None:
    """End at once when the parent is gone: what is half done is gone on with by the next worker."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(LOST)


if __name__ == "__main__":
    sys.exit(main())
