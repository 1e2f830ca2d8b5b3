"""The places for workers on a machine: one per GPU, or one per core with one thread each."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from t2scaling.errors import ArgumentError, PrerequisiteError
from t2scaling.testbed.study.desk import CRASHED, LOST

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Place:
    """A place for one worker.

    threads   threads that its libraries may use
    gpu       the value of CUDA_VISIBLE_DEVICES, "" for none
    """

    threads: int = 1
    gpu: str = ""

    @property
    def gpus(self) -> int:
        """How many GPUs it has."""
        return len([name for name in self.gpu.split(",") if name.strip()])

    def environment(self) -> dict[str, str]:
        """The worker's variables: libraries read their thread count when they load."""
        threads = dict.fromkeys(_THREADS, str(self.threads))
        return {**threads, "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1", "CUDA_VISIBLE_DEVICES": self.gpu}

    def command(self, folder: Path, lifetime: float | None = None) -> list[str]:
        """The command line of a worker here."""
        words = [sys.executable, "-m", "t2scaling.testbed.study.worker", str(folder), "--gpus", str(self.gpus)]
        words.append("--with-parent")
        return words if lifetime is None else [*words, "--lifetime", str(lifetime)]

    def work(self, folder: Path, lifetime: float | None = None) -> None:
        """Workers here, one after another, until one finds nothing left to do; for engines that start one per place.

        An engine says by itself which GPUs its task has. Raises PrerequisiteError where a worker cannot even begin.
        """
        own = self.environment()
        if self.gpus:
            del own["CUDA_VISIBLE_DEVICES"]
        while (code := subprocess.run(self.command(folder, lifetime), env={**os.environ, **own}).returncode) != 0:
            if code > 0 and code not in (CRASHED, LOST):
                raise PrerequisiteError(f"a worker on `{folder}` ended with exit code {code}: see its output.")


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


def places(jobs: int | None = None, device: str = "auto", gpus_each: int = 1, here: bool = True) -> list[Place]:
    """The workers for this machine.

    jobs       how many workers instead; more than there are groups of GPUs share them in turn
    device     "auto", "cpu" or "cuda"
    gpus_each  GPUs of each worker, where there are GPUs
    here       whether workers run on this machine; elsewhere, `gpus_each` is taken at its word
    Raises ArgumentError where `device` is "cuda" and no GPU is to be had.
    """
    devices = [] if device == "cpu" else gpus() if here else [str(index) for index in range(gpus_each)]
    if device == "cuda" and not devices:
        raise ArgumentError(
            "`device` = 'cuda', but no CUDA device is visible here: use `device: auto` or `device: cpu`."
        )
    if not devices:
        return [Place() for _ in range(jobs or cores())]
    size = max(1, min(gpus_each, len(devices)))
    groups = [",".join(devices[i : i + size]) for i in range(0, len(devices), size)]
    threads = max(1, cores() // len(groups)) if here else 1
    return [Place(threads, groups[i % len(groups)]) for i in range(jobs or len(groups))]
