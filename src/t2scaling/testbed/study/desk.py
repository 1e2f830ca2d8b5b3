"""The folder as the scheduler: what each job's files say of it, and the lease that a worker takes before it begins.

    jobs.json              the jobs, as the study wrote them down for its workers
    locks/<job>.lease      held by the worker that is at it
    attempts/<job>.json    how often a worker has begun it; gone once it has ended in an orderly way
    failed/<job>.json      it failed, and why; it is not begun again until this file is gone
    logs/<job>.log         what it printed

A job is done when its last file stands, so any number of workers on any machines that see the folder may share it.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import RootModel

from t2scaling.artefacts import write_json
from t2scaling.errors import SuiteError
from t2scaling.foreign import read_json, validate
from t2scaling.testbed import lease


@dataclass(frozen=True)
class Job:
    """A unit of work.

    id         unique name, also of its files
    function   "package.module:function", called with `arguments` as keywords; it returns a short note or None
    arguments  anything that JSON can carry
    makes      paths of its artefacts: it is done when all of them stand
    after      ids of jobs that must be done before; where one fails, this one is blocked
    behind     ids of jobs that must have ended before, whether they succeeded or not
    cost       estimated length in seconds; it orders the jobs and foretells the time that is left
    gpus       GPUs that it needs
    """

    id: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    makes: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    cost: float = 0.0
    gpus: int = 0

    @property
    def done(self) -> bool:
        """Whether all its artefacts stand."""
        return all(os.path.exists(path) for path in self.makes)


CRASHED, LOST = 70, 75  # exit codes of a worker; see worker.py
_JOBS = RootModel[list[Job]]


class State(StrEnum):
    """What a job can be."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"


OPEN = (State.WAITING, State.RUNNING)


@dataclass(frozen=True)
class Status:
    """What the files say of a job now.

    note      where it runs, or why it failed
    since     when it was begun, seconds since the epoch; 0 where it is not running
    """

    state: State
    note: str = ""
    since: float = 0.0


class Desk:
    """The state of a study's jobs, in its folder.

    lifetime  of a lease in seconds
    retries   how often a job whose worker died is begun again
    """

    def __init__(self, root: str | Path, lifetime: float = lease.LIFETIME, retries: int = 2) -> None:
        self.root, self.lifetime, self.retries = Path(root), lifetime, retries

    def write_jobs(self, jobs: Sequence[Job]) -> None:
        """Write the jobs down for workers."""
        write_json(self.root / "jobs.json", [asdict(job) for job in jobs])

    def jobs(self) -> list[Job]:
        """The jobs as they were written down. Raises SuiteError where there are none."""
        path = self.root / "jobs.json"
        if not path.is_file():
            raise SuiteError(
                f"`{self.root}` holds no jobs.json: give the folder of a study that `t2 study FILE` began."
            )
        return validate(_JOBS, read_json(path), str(path)).root

    def lock(self, job: str) -> Path:
        return self.root / "locks" / f"{job}.lease"

    def log(self, job: str) -> Path:
        return self.root / "logs" / f"{job}.log"

    def _failed(self, job: str) -> Path:
        return self.root / "failed" / f"{job}.json"

    def _attempts(self, job: str) -> Path:
        return self.root / "attempts" / f"{job}.json"

    def begin(self, job: str) -> int:
        """Count an attempt, and return how many there were."""
        count = int(_read(self._attempts(job)).get("attempts", 0)) + 1
        write_json(self._attempts(job), {"attempts": count, "host": socket.gethostname(), "begun": time.time()})
        return count

    def ended(self, job: str) -> None:
        """Forget the attempts: the job has ended in an orderly way."""
        self._attempts(job).unlink(missing_ok=True)

    def fail(self, job: str, error: str) -> None:
        """Record a failure."""
        write_json(self._failed(job), {"error": error, "log": str(self.log(job)), "host": socket.gethostname()})
        self.ended(job)

    def retry(self) -> int:
        """Let every failed job be begun again; returns how many."""
        files = list((self.root / "failed").glob("**/*.json"))
        for path in files:
            path.unlink(missing_ok=True)
        return len(files)

    def survey(self, jobs: Sequence[Job], done: set[str] | None = None) -> dict[str, Status]:
        """The state of every job, from files alone.

        done   ids known to be done, which are not looked at again; grows
        """
        known = set() if done is None else done
        known |= {job.id for job in jobs if job.id not in known and job.done}
        failed = _names(self.root / "failed", ".json")
        leased = _names(self.root / "locks", ".lease")
        found: dict[str, Status] = {}
        for job in jobs:
            if job.id in known:
                found[job.id] = Status(State.DONE)
            elif job.id in failed:
                found[job.id] = Status(State.FAILED, str(_read(self._failed(job.id)).get("error", "")))
            elif job.id in leased and (by := lease.holder(self.lock(job.id))) is not None:
                begun = float(_read(self._attempts(job.id)).get("begun", 0.0))
                found[job.id] = Status(State.RUNNING, f"on {by[0]}, process {by[1]}", begun)
            else:
                found[job.id] = Status(State.WAITING)
        _block(jobs, found)
        return found


def _block(jobs: Sequence[Job], found: dict[str, Status]) -> None:
    """Mark what waits for a job that failed."""
    changed = True
    while changed:
        changed = False
        for job in jobs:
            if found[job.id].state is not State.WAITING:
                continue
            for name in job.after:
                if found[name].state in (State.FAILED, State.BLOCKED):
                    found[job.id] = Status(State.BLOCKED, f"needs `{name}`, which did not succeed")
                    changed = True
                    break


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """The jobs in the order in which workers take them: the longest chain first."""
    jobs = list(jobs)
    length = chains(jobs)
    return sorted(jobs, key=lambda job: -length[job.id])


def ready(order: Iterable[Job], found: dict[str, Status], gpus: int) -> Iterator[Job]:
    """What a worker with so many GPUs may begin now, in the order of `order`."""
    for job in order:
        if found[job.id].state is State.WAITING and job.gpus <= gpus and _may_begin(job, found):
            yield job


def _may_begin(job: Job, found: dict[str, Status]) -> bool:
    """Whether all that must come before has ended."""
    done = all(found[name].state is State.DONE for name in job.after)
    return done and not any(found[name].state in OPEN for name in job.behind)


def chains(jobs: Iterable[Job]) -> dict[str, float]:
    """Cost of each job plus that of the costliest chain of jobs that wait for it.

    Raises SuiteError for an unknown id, or a circle.
    """
    by_id = {job.id: job for job in jobs}
    followers: dict[str, list[str]] = {name: [] for name in by_id}
    for job in by_id.values():
        for before in (*job.after, *job.behind):
            if before not in by_id:
                raise SuiteError(f"job `{job.id}` waits for `{before}`, which is not among the jobs.")
            followers[before].append(job.id)
    waiting = {name: len(by_id[name].after) + len(by_id[name].behind) for name in by_id}
    order = [name for name, count in waiting.items() if not count]
    for name in order:
        for follower in followers[name]:
            waiting[follower] -= 1
            if not waiting[follower]:
                order.append(follower)
    if len(order) < len(by_id):
        circle = ", ".join(sorted(set(by_id) - set(order)))
        raise SuiteError(f"jobs wait for each other in a circle: {circle}.")
    chain: dict[str, float] = {}
    for name in reversed(order):
        chain[name] = by_id[name].cost + max((chain[after] for after in followers[name]), default=0.0)
    return chain


def _names(folder: Path, ending: str) -> set[str]:
    """Ids of the jobs that have a file here; ids may hold folders."""
    return {
        str(path.relative_to(folder))[: -len(ending)]
        for path in (folder.rglob(f"*{ending}") if folder.is_dir() else ())
        if not path.name.startswith(".")
    }


def _read(path: Path) -> dict[str, Any]:
    """What a small file says; nothing where it is not there (another worker may have just removed it)."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
