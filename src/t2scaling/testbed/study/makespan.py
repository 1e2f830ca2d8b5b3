"""How long a suite takes on many GPUs: the workers' own order of jobs, played through with preemptions.

A worker takes the first job that `desk.ready` gives it. Where it is preempted without notice the job goes back to its
last checkpoint, another worker may take it when its lease has run out, and a new worker comes after `RETURN` seconds.
Start times of engines and the making of the corpus are not counted.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t2scaling.costs import Price
from t2scaling.costs.gpus import gpu
from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.lease import LIFETIME, SLACK
from t2scaling.testbed.study.config import StudyConfig
from t2scaling.testbed.study.desk import Job, State, Status, chains, in_order, ready
from t2scaling.testbed.study.jobs import Study, make_jobs, train_seconds
from t2scaling.testbed.study.layout import Layout
from t2scaling.testbed.suite import suite_cost
from t2scaling.testbed.suite.training import decay_steps

if TYPE_CHECKING:
    from t2scaling.testbed.suite import Cell, Suite

RETURN = 300.0  # seconds until a preempted worker is replaced


@dataclass(frozen=True)
class Makespan:
    """From the start of the first job to the end of the last.

    seconds        that it takes
    gpu_hours      that jobs had GPUs for, what was lost included
    lost_hours     GPU-hours of work done twice
    preemptions    workers lost at a job
    chain_seconds  the longest chain of jobs: no number of GPUs is faster
    even_seconds   all work shared out evenly
    """

    seconds: float
    gpu_hours: float
    lost_hours: float
    preemptions: int
    chain_seconds: float
    even_seconds: float

    @property
    def bound_seconds(self) -> float:
        """No schedule is shorter."""
        return max(self.chain_seconds, self.even_seconds)


def simulate(
    jobs: Sequence[Job],
    workers: Sequence[int],
    life: Callable[[int], float] = lambda gpus: math.inf,
    checkpoint: float = 60.0,
) -> Makespan:
    """Play the jobs through.

    workers     GPUs of each; 0 counts as one device
    life        called with a worker's GPUs when it begins a job: seconds until it is preempted
    checkpoint  seconds of work between checkpoints of a job
    Raises SuiteError where a job needs more GPUs than any worker has.
    """
    order, left = in_order(jobs), {job.id: job.cost for job in jobs}
    found = {job.id: Status(State.WAITING) for job in jobs}
    idle, events, number = list(workers), list[tuple[float, int, Callable[[], None]]](), count()
    now = end = used = lost = 0.0
    preemptions = 0

    def at(when: float, what: Callable[[], None]) -> None:
        heapq.heappush(events, (when, next(number), what))

    def begin(job: Job, gpus: int) -> None:
        nonlocal used, lost, preemptions
        found[job.id] = Status(State.RUNNING)
        ran = min(left[job.id], life(gpus))
        used += ran * max(gpus, 1)
        if ran == left[job.id]:
            at(now + ran, lambda: done(job, gpus))
            return
        before = job.cost - left[job.id]
        kept = max(before, (before + ran) // checkpoint * checkpoint)
        left[job.id] = job.cost - kept
        lost += (before + ran - kept) * max(gpus, 1)
        preemptions += 1
        at(now + ran + LIFETIME + SLACK, lambda: found.update({job.id: Status(State.WAITING)}))
        at(now + ran + RETURN, lambda: idle.append(gpus))

    def done(job: Job, gpus: int) -> None:
        nonlocal end
        found[job.id], end = Status(State.DONE), now
        idle.append(gpus)

    while True:
        for gpus in list(idle):
            job = next(ready(order, found, gpus), None)
            if job is not None:
                idle.remove(gpus)
                begin(job, gpus)
        if not events:
            break
        now = events[0][0]
        while events and events[0][0] == now:
            heapq.heappop(events)[2]()
    waiting = [job for job in order if found[job.id].state is not State.DONE]
    if waiting:
        raise SuiteError(
            f"`{waiting[0].id}` needs {waiting[0].gpus} GPUs of one worker, the largest has {max(workers)}."
        )
    even = sum(job.cost * max(job.gpus, 1) for job in jobs) / sum(max(gpus, 1) for gpus in workers)
    longest = max(chains(jobs).values(), default=0.0)
    return Makespan(end, used / 3600, lost / 3600, preemptions, longest, even)


def suite_makespan(suite: Suite, price: Price, gpus: int, preemptions: float = 0.0, seed: int = 0) -> Makespan:
    """A suite's training and measuring on `gpus` devices of `price`.

    preemptions  per GPU-hour
    """
    if gpus < 1:
        raise ArgumentError(f"`gpus` = {gpus}: a suite needs at least 1.")
    config = StudyConfig(suite={"recipe": suite.name}, gpu_memory=gpu(price.gpu).memory)  # type: ignore[arg-type]
    jobs = _on(price, Study(config, suite, Layout(Path(suite.name))))
    each = max(1, *(job.gpus for job in jobs))
    if each > gpus:
        raise ArgumentError(f"`gpus` = {gpus}: the largest run needs {each}.")
    most = 3600 / (each * suite.training.checkpoint_seconds)
    if not 0 <= preemptions <= most:
        raise ArgumentError(
            f"`preemptions` = {preemptions:g}: give a rate per GPU-hour from 0 to {most:g}; beyond it a worker is lost "
            f"before the next checkpoint ({suite.training.checkpoint_seconds:g} s)."
        )
    rng = np.random.default_rng(seed)

    def life(held: int) -> float:
        return float(rng.exponential(3600 / (preemptions * held))) if preemptions else math.inf

    return simulate(jobs, [each] * (gpus // each), life, suite.training.checkpoint_seconds)


def _on(price: Price, study: Study) -> list[Job]:
    """The jobs with their lengths on GPUs; a cell that goes on from another's trunk trains only what is new."""
    suite = study.suite
    shared = _shared_tokens(suite)
    pace: dict[str, float] = {}
    begun: dict[str, float] = {}
    for cell in suite.cells:
        seconds = suite_cost(replace(suite, cells=(cell,)), price).hours * 3600 / max(study.gpus(cell), 1)
        pace[cell.run_id] = seconds / train_seconds(suite, cell)
        begun[cell.run_id] = seconds * shared.get(cell.run_id, 0.0) / cell.n_tokens

    def on_gpu(job: Job) -> Job:
        run_id: Any = job.arguments.get("run_id")
        return replace(job, cost=job.cost * pace.get(run_id, 1.0) - begun.get(job.id, 0.0))

    return [on_gpu(job) for job in make_jobs(study)]


def _shared_tokens(suite: Suite) -> dict[str, float]:
    """Tokens of a cell's trunk that a shorter cell of the same size has trained (wsd)."""
    if suite.training.schedule != "wsd":
        return {}
    last: dict[Any, float] = {}
    shared = {}
    for cell in sorted(suite.cells, key=lambda cell: cell.n_tokens):
        key = cell.shape, cell.seed
        shared[cell.run_id] = last.get(key, 0.0)
        last[key] = _branch_tokens(suite, cell)
    return shared


def _branch_tokens(suite: Suite, cell: Cell) -> float:
    steps = suite.steps(cell)
    return cell.n_tokens * (1 - decay_steps(steps, suite.training) / steps)
