"""Handing out jobs: what a job is, which one comes next, and what became of each.

A `Job` names a function and its JSON arguments, so any process on any machine can carry it out. The `Board` knows
which jobs are ready, hands out the longest chain first (so that no long run is left for the end), and records
outcomes. It starts nothing itself: `study.local` drives it with processes on this machine, and another engine may
drive it with anything that can call a function by its name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Job:
    """A unit of work.

    id         unique name, also the name of the log file
    function   "package.module:function", called with `arguments` as keywords; it returns a short note or None,
               and raises `t2scaling.testbed.study.locks.Busy` where another process is at the same work
    arguments  anything that JSON can carry
    after      ids of the jobs that must be done before; where one fails, this job is blocked
    behind     ids of the jobs that must have ended before, whether they succeeded or not
    cost       estimated length in seconds; it orders the jobs and foretells the time that is left
    """

    id: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    cost: float = 0.0


class State(StrEnum):
    """What a job can be."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"


_OPEN = (State.WAITING, State.RUNNING)


@dataclass(frozen=True)
class Outcome:
    """What is known of a job now.

    note      the sentence that the job returned, or its error
    log       where its output went
    started   `time.monotonic()` when it was last handed out
    seconds   how long it took, once it has ended
    attempts  how often it has been handed out
    """

    state: State = State.WAITING
    note: str = ""
    log: str = ""
    started: float = 0.0
    seconds: float = 0.0
    attempts: int = 0


class Board:
    """The jobs of one study and their states; safe to use from several threads.

    retries   how often a job whose worker died is handed out again
    patience  seconds before a job that another process is at is looked at again
    """

    def __init__(self, jobs: Iterable[Job], *, retries: int = 1, patience: float = 2.0) -> None:
        self.jobs = {job.id: job for job in jobs}
        self.retries = retries
        self.patience = patience
        self._outcomes = {name: Outcome() for name in self.jobs}
        self._chain = _chains(self.jobs)
        self._not_before = dict.fromkeys(self.jobs, 0.0)
        self._change = threading.Condition()
        self._closed = False

    def take(self) -> Job | None:
        """The next job, marked as running; waits for one to become ready. None once nothing is left to hand out."""
        with self._change:
            while not self._closed:
                ready, wait = self._ready()
                if ready is not None:
                    old = self._outcomes[ready.id]
                    self._set(ready.id, State.RUNNING, started=time.monotonic(), attempts=old.attempts + 1)
                    return ready
                if not self._active():
                    return None
                self._change.wait(wait)
            return None

    def done(self, name: str, note: str = "", log: str = "") -> None:
        """Record success."""
        self._end(name, State.DONE, note, log)

    def failed(self, name: str, error: str, log: str = "") -> None:
        """Record failure; whatever waits for the job is blocked."""
        self._end(name, State.FAILED, error, log)

    def died(self, name: str, error: str, log: str = "") -> None:
        """The worker went away: hand the job out again, or record failure when that has happened too often."""
        with self._change:
            if self._outcomes[name].attempts <= self.retries:
                self._set(name, State.WAITING, note=f"starting again: {error}", log=log)
                return
        self.failed(name, error, log)

    def postpone(self, name: str) -> None:
        """Another process is at this job: look again later, and do others first."""
        with self._change:
            self._not_before[name] = time.monotonic() + self.patience
            attempts = self._outcomes[name].attempts - 1
            self._set(name, State.WAITING, note="another study is at it", attempts=attempts)

    def close(self) -> None:
        """Hand out nothing more."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def outcomes(self) -> dict[str, Outcome]:
        """A copy of all outcomes by job id."""
        with self._change:
            return dict(self._outcomes)

    def wait(self, seconds: float) -> bool:
        """Wait for a change for at most so long; True while something is waiting or running."""
        with self._change:
            if self._active():
                self._change.wait(seconds)
            return self._active()

    def _active(self) -> bool:
        return any(outcome.state in _OPEN for outcome in self._outcomes.values())

    def _ready(self) -> tuple[Job | None, float | None]:
        """The ready job with the longest chain, or how long to wait for one that was postponed."""
        now, best, wait = time.monotonic(), None, None
        for name, job in self.jobs.items():
            if self._state(name) is not State.WAITING or not self._may_start(job):
                continue
            delay = self._not_before[name] - now
            if delay > 0:
                wait = delay if wait is None else min(wait, delay)
            elif best is None or self._chain[name] > self._chain[best.id]:
                best = job
        return best, wait

    def _may_start(self, job: Job) -> bool:
        done = all(self._state(name) is State.DONE for name in job.after)
        return done and not any(self._state(name) in _OPEN for name in job.behind)

    def _state(self, name: str) -> State:
        return self._outcomes[name].state

    def _end(self, name: str, state: State, note: str, log: str) -> None:
        with self._change:
            seconds = time.monotonic() - self._outcomes[name].started
            self._set(name, state, note=note, log=log, seconds=seconds)
            if state is not State.DONE:
                self._block(name)

    def _block(self, name: str) -> None:
        for other, job in self.jobs.items():
            if name in job.after and self._state(other) is State.WAITING:
                self._set(other, State.BLOCKED, note=f"needs `{name}`, which did not succeed")
                self._block(other)

    def _set(self, name: str, state: State, **changes: Any) -> None:
        self._outcomes[name] = replace(self._outcomes[name], state=state, **changes)
        self._change.notify_all()


def _chains(jobs: dict[str, Job]) -> dict[str, float]:
    """Cost of each job plus that of the costliest chain of jobs that wait for it.

    Raises ValueError for an unknown id, or a circle.
    """
    followers: dict[str, list[str]] = {name: [] for name in jobs}
    for job in jobs.values():
        for before in (*job.after, *job.behind):
            if before not in jobs:
                raise ValueError(f"job `{job.id}` waits for `{before}`, which is not among the jobs.")
            followers[before].append(job.id)
    chain: dict[str, float] = {}
    remaining = dict(jobs)
    while remaining:
        leaves = [name for name in remaining if all(after in chain for after in followers[name])]
        if not leaves:
            raise ValueError(f"jobs wait for each other in a circle: {', '.join(sorted(remaining))}.")
        for name in leaves:
            chain[name] = jobs[name].cost + max((chain[after] for after in followers[name]), default=0.0)
            del remaining[name]
    return chain
