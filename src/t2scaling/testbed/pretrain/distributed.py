"""Several processes on one run: torchrun starts them on one machine, gloo (CPU) or nccl (GPU) ties them together.

    data-parallel   each process holds the whole model and takes its part of every batch; gradients are summed
    sharded         where a shape does not fit one device: see sharded.py

A process alone is rank 0 of 1, and then nothing here does anything.
"""

import os
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

# A process may wait long for the one that writes, or that waits for a trunk; a process that died ends all at once.
_PATIENCE = timedelta(days=2)
_VARIABLES = (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))  # as torchrun sets them


def join(on_gpu: bool) -> tuple[torch.device, int, int]:
    """The device, the rank and the number of processes, from the environment."""
    rank, world, local = (int(os.environ.get(name, default)) for name, default in _VARIABLES)
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    return device, rank, world


def summed(tensor: Tensor, world: int) -> Tensor:
    """The sum over all processes, in place."""
    if world > 1:
        dist.all_reduce(tensor)
    return tensor


def any_of(flags: tuple[bool, ...], device: torch.device, world: int) -> tuple[bool, ...]:
    """For each flag, whether it is raised on any process: what they do together they must decide together."""
    if world == 1:
        return flags
    raised = torch.tensor(flags, dtype=torch.int32, device=device)
    dist.all_reduce(raised, dist.ReduceOp.MAX)
    return tuple(bool(value) for value in raised.tolist())


def wait(world: int) -> None:
    """Wait until every process is here."""
    if world > 1:
        dist.barrier()
