"""How a study stands, from its files alone: what is done, running where, failed why, and how long it will take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2scaling.testbed.study.desk import OPEN, Desk, Job, State, Status

MOST_NOTES = 50


@dataclass(frozen=True)
class Overview:
    """The jobs of a study and what its files say of them.

    begun_with   ids that were done when the watch began: they tell nothing of the pace
    since        when the watch began, seconds since the epoch
    """

    jobs: Sequence[Job]
    found: dict[str, Status]
    begun_with: frozenset[str] = frozenset()
    since: float = 0.0

    @property
    def counts(self) -> Counter[State]:
        """How many jobs are in which state."""
        return Counter(status.state for status in self.found.values())

    @property
    def active(self) -> bool:
        """Whether something is waiting or running."""
        return any(status.state in OPEN for status in self.found.values())

    @property
    def seconds_left(self) -> float | None:
        """Expected seconds to the end, at the pace since the watch began or the jobs' own estimate; None where idle."""
        busy = self.counts[State.RUNNING]
        if not busy:
            return None
        now, cost = time.time(), {job.id: job.cost for job in self.jobs}
        left = sum(cost[name] for name, status in self.found.items() if status.state in OPEN)
        running = [(name, status) for name, status in self.found.items() if status.state is State.RUNNING]
        left -= sum(min(now - status.since, cost[name]) for name, status in running if status.since)
        ended = sum(cost[n] for n, s in self.found.items() if s.state is State.DONE and n not in self.begun_with)
        pace = (now - self.since) * busy / ended if ended and self.since else 1.0
        return max(left, 0.0) * pace / busy

    def beside(self, other: Overview) -> Overview:
        """Both together."""
        return Overview((*self.jobs, *other.jobs), {**self.found, **other.found}, self.begun_with | other.begun_with)

    def failed(self) -> dict[str, Status]:
        """The jobs that failed, or were blocked by one that did."""
        return {name: status for name, status in self.found.items() if status.state in (State.FAILED, State.BLOCKED)}

    def headline(self) -> str:
        """`12 waiting · 2 running · 30 done · about 4 min 10 s left`."""
        parts = [f"{self.counts[state]} {state}" for state in State if self.counts[state]]
        left = self.seconds_left
        return " · ".join([*parts, f"about {duration(left)} left"] if left else parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        told = [
            {"job": name, "state": status.state, "note": status.note}
            for name, status in self.found.items()
            if status.state in (State.RUNNING, State.FAILED, State.BLOCKED)
        ]
        return {
            "counts": {state.value: self.counts[state] for state in State},
            "seconds_left": self.seconds_left,
            "jobs": told,
        }


def overview(folder: str | Path) -> Overview:
    """How the study in a folder stands now. Raises SuiteError where there is none."""
    desk = Desk(folder)
    jobs = desk.jobs()
    return Overview(jobs, desk.survey(jobs))


def duration(seconds: float) -> str:
    """Seconds as people say them: 3.2 s, 4 min 10 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    return f"{minutes} min {int(seconds) % 60} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
