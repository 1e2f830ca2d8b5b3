"""Trials in processes of their own, under a limit of memory and of time.

A worker reads `kind seed` lines and answers each with one line of JSON. The parent gives it one trial at a time, and
ends it where a trial takes more than ten seconds of processor time (or five minutes of anything) or dies of memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 10.0  # of processor time; five minutes of wall time catch what sleeps
MOST_MEMORY = 2 << 30
ADDRESS_SPACE = 4 << 30  # beyond what the libraries have mapped: a guard against what would take the machine down


class Worker:
    """One process, and the trial that it is busy with."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared
        self.busy: tuple[str, int] | None = None
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(self.shared)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.answers, self.requests = self.process.stdout, self.process.stdin
        self.answers.readline()  # it says when its imports are done

    def give(self, kind: str, seed: int) -> None:
        """Begin a trial."""
        self.busy, self.since, self.cpu = (kind, seed), time.monotonic(), self._processor_time()
        self.requests.write(f"{kind} {seed}\n")
        self.requests.flush()

    def answer(self) -> dict[str, Any]:
        """The answer that has come, or `memory` where the process has died."""
        assert self.busy is not None
        line = self.answers.readline()
        kind, seed = self.busy
        self.busy = None
        if line:
            return {"kind": kind, "seed": seed, **json.loads(line)}
        code = self.close()
        self._start()
        return {"kind": kind, "seed": seed, "outcome": "memory", "message": f"the process died ({code})"}

    def late(self) -> bool:
        """Whether the trial has had its time."""
        return self._processor_time() - self.cpu > SECONDS or time.monotonic() - self.since > 30 * SECONDS

    def give_up(self) -> dict[str, Any]:
        """End a trial that takes too long."""
        assert self.busy is not None
        kind, seed = self.busy
        self.busy = None
        self.process.kill()
        self.close()
        self._start()
        return {"kind": kind, "seed": seed, "outcome": "hung", "message": f"over {SECONDS:g} s"}

    def close(self) -> int:
        """Let the process end, and return its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self.requests.close()
        self.answers.close()
        return self.process.wait()

    def _processor_time(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attack(trials: Iterable[tuple[str, int]], shared: Path, processes: int = 2) -> Iterator[dict[str, Any]]:
    """The outcomes of trials, as they come in."""
    waiting = iter(trials)
    workers = [Worker(shared) for _ in range(processes)]
    try:
        for worker in workers:
            _next(worker, waiting)
        while busy := [worker for worker in workers if worker.busy]:
            ready, _, _ = select.select([worker.answers for worker in busy], [], [], 0.5)
            for worker in busy:
                if worker.answers in ready:
                    yield worker.answer()
                elif worker.late():
                    yield worker.give_up()
                else:
                    continue
                _next(worker, waiting)
    finally:
        for worker in workers:
            worker.close()


def _next(worker: Worker, waiting: Iterator[tuple[str, int]]) -> None:
    for kind, seed in waiting:
        worker.give(kind, seed)
        return


def _serve(shared: Path) -> None:
    """A worker: answers on the real stdout, while everything else that would be printed goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import polars  # noqa: F401  (before the limit, which counts what libraries map)
    import settings
    import trials

    if (shared / "checkpoint").is_dir():  # these are slow to import, which is no trial's fault
        import torch  # noqa: F401
        import transformers.models.qwen3.modeling_qwen3  # noqa: F401

    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (mapped + ADDRESS_SPACE, resource.RLIM_INFINITY))
    answers.write("ready\n")
    for line in sys.stdin:
        kind, seed = line.rsplit(None, 1)
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
        work = Path(tempfile.mkdtemp(prefix="attack-"))
        try:
            found = settings.run(int(seed), shared) if kind == "settings" else trials.run(kind, int(seed), shared, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        if int(peak.split()[1]) << 10 > MOST_MEMORY:
            found = {"outcome": "memory", "message": peak}
        answers.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
