"""Where a run computes: the device, the precision, and how many sequences at once."""

import ctypes
import sys
from dataclasses import dataclass

import torch

from t2scaling.costs import GPUS
from t2scaling.errors import ArgumentError, PrerequisiteError
from t2scaling.testbed.pretrain import distributed
from t2scaling.testbed.suite import USABLE, ModelShape, TrainingConfig, activation_bytes

# On a CPU, activations of this many tokens stay near the core; larger batches are summed over such parts.
CPU_TOKENS = 4096
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1


@dataclass(frozen=True)
class Place:
    """A device and how to compute on it.

    dtype         of matrix products
    peak          dense bfloat16 peak of the device in FLOP/s, where known and used
    rank, world   this process and the number of processes that share a run, each with its part of every batch
    sharded       whether they also share out the model, because no device holds it
    """

    device: torch.device
    dtype: torch.dtype
    peak: float | None = None
    rank: int = 0
    world: int = 1
    sharded: bool = False

    @property
    def main(self) -> bool:
        """Whether this process is the one that locks, writes and tells."""
        return self.rank == 0

    @property
    def cradle(self) -> torch.device:
        """Where a model is made before it is trained: one that no device holds, in the machine's memory."""
        return torch.device("cpu") if self.sharded else self.device


def place(device: str, config: TrainingConfig, needed: float = 0.0, shard: bool | None = None) -> Place:
    """The place named `device` (auto, cpu or cuda) of this process.

    needed  bytes that a run takes on one device: where several processes share it and a GPU has less, it is sharded
    shard   sharded or not, whatever it needs
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ArgumentError(f"`device` = {device!r} is unknown: use auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise PrerequisiteError(
            "`device` = 'cuda', but torch sees no GPU: use --device cpu, or install torch for CUDA."
        )
    on_gpu = device != "cpu" and torch.cuda.is_available()
    here, rank, world = distributed.join(on_gpu)
    bfloat16 = config.precision == "bfloat16" or (
        config.precision == "auto" and on_gpu and torch.cuda.is_bf16_supported()
    )
    if not on_gpu:
        keep_freed_memory()
    if shard is None:
        shard = on_gpu and needed > USABLE * torch.cuda.get_device_properties(here).total_memory
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    return Place(here, dtype, _peak(here) if bfloat16 else None, rank, world, shard and world > 1)


def _peak(device: torch.device) -> float | None:
    """Dense bfloat16 peak of a GPU whose name is in the table of `costs`, FLOP/s."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device).lower()
    known = sorted(GPUS, key=len, reverse=True)
    return next((GPUS[key].bf16 for key in known if key.split("-")[0] in name.split()), None)


def micro_batch(shape: ModelShape, rows: int, seq_len: int, place: Place) -> int:
    """Sequences computed at once: all `rows` if they fit, else the largest even part of them that does."""
    if place.device.type == "cpu":
        limit = CPU_TOKENS
    else:
        free = torch.cuda.mem_get_info(place.device)[0]
        limit = int(0.6 * free / activation_bytes(shape, place.dtype.itemsize))
    parts = -(-rows // max(1, limit // seq_len))
    return -(-rows // parts)


def keep_freed_memory() -> None:
    """Ask glibc to keep freed blocks for reuse instead of returning them to the system.

    A step frees and takes the same few megabytes over and over; by default each time is a system call and a page fault
    per page, a tenth of the time of a small model's step. Does nothing where there is no glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, 1 << 25)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)
