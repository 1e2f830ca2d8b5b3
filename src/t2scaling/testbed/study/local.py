"""Carrying out a board's jobs on this machine: long-lived worker processes, each with one thread or one GPU.

One thread of the study looks after each worker: it takes a job from the board, writes it to the worker's stdin and
waits for the answer. Where the worker dies (out of memory, kill −9) the job goes back to the board and a new worker
takes the place of the old.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from t2scaling.testbed.study.runner import Board, Job, Outcome

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Slot:
    """A place for one worker.

    threads   threads that its libraries may use
    gpu       the value of CUDA_VISIBLE_DEVICES, "" for none
    """

    threads: int = 1
    gpu: str = ""

    def environment(self) -> dict[str, str]:
        """The worker's environment: libraries read their thread count when they load."""
        threads = dict.fromkeys(_THREADS, str(self.threads))
        quiet = {"TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **threads, **quiet, "CUDA_VISIBLE_DEVICES": self.gpu}


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """Names of the CUDA devices that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    if shutil.which("nvidia-smi") is None and not Path("/proc/driver/nvidia").exists():
        return []
    import torch

    count = torch.cuda.device_count()
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return visible[:count] if visible else [str(index) for index in range(count)]


def slots(jobs: int | None = None, device: str = "auto") -> list[Slot]:
    """The workers for this machine: one per GPU, or one per core with one thread each.

    jobs     how many workers instead; more than there are GPUs share them in turn
    device   "auto", "cpu" or "cuda"
    Raises ValueError where `device` is "cuda" and no GPU is to be had.
    """
    devices = gpus() if device != "cpu" else []
    if device == "cuda" and not devices:
        raise ValueError("`device` = 'cuda', but no CUDA device is visible here: use `device: auto` or `device: cpu`.")
    if devices:
        return [Slot(max(1, cores() // len(devices)), devices[i % len(devices)]) for i in range(jobs or len(devices))]
    return [Slot() for _ in range(jobs or cores())]


def run_jobs(
    board: Board, places: list[Slot], log_dir: str | Path, watch: Callable[[Board], None] | None = None
) -> dict[str, Outcome]:
    """Carry out all jobs of a board; returns every job's outcome. An interrupt ends the workers before it is raised.

    watch   called again and again, at least once a second while jobs run and once at the end, to show the state
    """
    log_dir = Path(log_dir).absolute()
    log_dir.mkdir(parents=True, exist_ok=True)
    keepers = [_Keeper(board, slot, log_dir) for slot in places[: max(1, len(board.jobs))]]
    for keeper in keepers:
        keeper.start()
    try:
        while board.wait(1.0):
            if watch:
                watch(board)
    finally:
        board.close()
        for keeper in keepers:
            keeper.stop()
        for keeper in keepers:
            keeper.join()
    if watch:
        watch(board)
    return board.outcomes()


class _Keeper(threading.Thread):
    """Looks after one worker: starts it, feeds it, replaces it."""

    def __init__(self, board: Board, slot: Slot, log_dir: Path) -> None:
        super().__init__(daemon=True)
        self.board, self.slot, self.log_dir = board, slot, log_dir
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._guard = threading.Lock()

    def run(self) -> None:
        while (job := self.board.take()) is not None:
            self._carry_out(job)

    def stop(self) -> None:
        """End the worker, in the middle of a job if need be."""
        with self._guard:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def _carry_out(self, job: Job) -> None:
        log = self.log_dir / f"{job.id}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        process = self._worker()
        if process is None:
            return
        answer = _ask(process, job, log)
        if answer is None:
            code = process.wait()
            self._forget()
            report = self.board.died if code < 0 else self.board.failed
            report(job.id, _epitaph(code), str(log))
        elif answer["state"] == "busy":
            self.board.postpone(job.id)
        elif answer["state"] == "done":
            self.board.done(job.id, answer["note"], str(log))
        else:
            if answer["state"] == "crashed":
                process.wait()
                self._forget()
            self.board.failed(job.id, answer["note"], str(log))

    def _worker(self) -> subprocess.Popen[str] | None:
        """The living worker, started where there is none; None once this keeper is stopped."""
        with self._guard:
            if self._stopped:
                return None
            if self._process is None or self._process.poll() is not None:
                self._forget()
                # Its own session: Ctrl-C reaches the study alone, which then ends its workers.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "t2scaling.testbed.study.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=self.slot.environment(),
                    text=True,
                    start_new_session=True,
                )
            return self._process

    def _forget(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self._process is not None:
            self._process.wait()
            self._forget()


def _ask(process: subprocess.Popen[str], job: Job, log: Path) -> dict[str, str] | None:
    """Send a job to a worker and wait for its answer; None where the worker ended without one."""
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"id": job.id, "function": job.function, "arguments": job.arguments, "log": str(log)}
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return None
    line = process.stdout.readline()
    return json.loads(line) if line.endswith("\n") else None


def _epitaph(code: int) -> str:
    if code >= 0:
        return f"the worker process ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = "; the system may have been out of memory: lower `jobs`" if code == -signal.SIGKILL else ""
    return f"the worker process was ended by {name}{hint}"
