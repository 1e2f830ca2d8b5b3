"""A model that no single device holds: weights, gradients and moments are split over the processes of a run.

Each block is gathered when it is computed and let go afterwards (`torch.distributed.fsdp.fully_shard`: Zhao et al.
2023, arXiv 2304.11277), and computed a second time in the backward pass, so that nothing derived from its weights is
kept. What is computed is `Model`'s; checkpoints hold the whole state, the same files as those of a model on one device,
so a run may go on with another number of processes, sharded or not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import distribute_tensor
from torch.utils.checkpoint import checkpoint

from t2scaling.testbed.pretrain.device import Place
from t2scaling.testbed.pretrain.model import BLOCK, Model, layout
from t2scaling.testbed.suite import TrainingConfig


class _Part(nn.Module):
    """Some weights that are gathered and let go together, and what is computed with them."""

    def __init__(self, weights: Any, names: tuple[str, ...], compute: Callable[..., Any]) -> None:
        super().__init__()
        for name in names:
            setattr(self, name, nn.Parameter(getattr(weights, name).detach()))
        self.compute = compute

    def forward(self, *arguments: Any) -> Any:
        return self.compute(self, *arguments)


def _loss(model: Model, root: Any, *arguments: Any) -> tuple[Tensor, Tensor]:
    return Model.loss(model, *arguments)


def _again(model: Model, block: Any, x: Tensor, T: int) -> Tensor:
    """A block whose inner results are not kept but computed again in the backward pass."""
    out: Tensor = checkpoint(Model.block, model, block, x, T, use_reentrant=False, preserve_rng_state=False)
    return out


class ShardedModel(Model):
    """`Model` with its weights split over processes; `loss` must be called by all of them, equally often.

    leaves   the split weights, in the order of `Model.weights`
    """

    def __init__(self, model: Model, where: Place) -> None:
        self.hf, self.shape, self.dtype, self.device = model.hf, model.shape, where.dtype, where.device
        self._rotary = {}
        matrices, norms = layout(model.hf)
        names = {id(parameter): name for name, parameter in model.hf.named_parameters()}
        self._names = [[(names[id(parameter)], len(parameter)) for parameter in group] for group in matrices + norms]
        self.n_matrices = len(matrices)
        self.root = _Part(model, ("embedding", "head", "final_norm"), partial(_loss, self))
        self.root.blocks = nn.ModuleList(_Part(block, BLOCK, partial(_again, self)) for block in model.blocks)
        mesh = init_device_mesh(where.device.type, (where.world,))
        for part in (*self.root.blocks, self.root):
            fully_shard(part, mesh=mesh)
            # Sums, not means: each process's loss is already its share of the batch's.
            part.set_force_sum_reduction_for_comms(True)
            part.set_gradient_divide_factor(1.0)
        parts = [[getattr(block, name) for name in BLOCK] for block in self.root.blocks]
        self.leaves = [self.root.embedding, self.root.head, *(leaf for part in parts for leaf in part[:4])]
        self.leaves += [self.root.final_norm, *(leaf for part in parts for leaf in part[4:])]
        self.hf.to("meta")

    embedding = property(lambda self: self.root.embedding)
    head = property(lambda self: self.root.head)
    final_norm = property(lambda self: self.root.final_norm)
    blocks = property(lambda self: self.root.blocks)

    def loss(self, *arguments: Any) -> tuple[Tensor, Tensor]:
        loss, ce = self.root(*arguments)
        return loss, ce

    def block(self, block: Any, x: Tensor, T: int) -> Tensor:
        """Residual stream after a block, whose weights are gathered for it."""
        out: Tensor = block(x, T)
        return out

    def state(self) -> dict[str, Tensor]:
        """Every weight by its transformers name, on the CPU of the first process; all must call it."""
        found: dict[str, Tensor] = {}
        for group, leaf in zip(self._names, whole(self.leaves), strict=True):
            parts = leaf.split([rows for _, rows in group]) if len(leaf) else [leaf] * len(group)
            found |= {name: part.contiguous() for (name, _), part in zip(group, parts, strict=True)}
        return found

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over weights by their transformers names."""
        with torch.no_grad():
            for group, leaf in zip(self._names, self.leaves, strict=True):
                split(torch.cat([weights[name] for name, _ in group]), leaf)


def whole(tensors: list[Any]) -> list[Tensor]:
    """Split tensors put together on the first process's CPU, one after another; empty on the others."""
    first, gathered = dist.get_rank() == 0, []
    for tensor in tensors:
        full = tensor.detach().full_tensor()
        gathered.append(full.to("cpu", copy=True) if first else full.new_empty(0, device="cpu"))
    return gathered


def split(full: Tensor, into: Any) -> None:
    """Copy this process's part of a whole tensor into a split one."""
    into.copy_(distribute_tensor(full.to(into.device), into.device_mesh, into.placements, src_data_rank=None))


class ShardedAdamW:
    """What `FlatAdamW` does, on weights that are split."""

    def __init__(self, model: ShardedModel, config: TrainingConfig) -> None:
        self.model, self.clip = model, config.clip
        cut, betas = model.n_matrices, (config.beta1, config.beta2)
        groups = [
            {"params": model.leaves[:cut], "weight_decay": config.weight_decay},
            {"params": model.leaves[cut:], "weight_decay": 0.0},
        ]
        self._adamw = torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=config.eps, fused=True)
        for leaf in model.leaves:
            self._adamw.state[leaf] = {
                "exp_avg": torch.zeros_like(leaf),
                "exp_avg_sq": torch.zeros_like(leaf),
                "step": torch.zeros((), dtype=torch.float32, device=model.device),
            }

    def step(self, rate: float) -> Tensor:
        """Clip the gradient, take one step at learning rate `rate`, clear the gradient; returns the norm before."""
        grads = [leaf.grad.to_local() for leaf in self.model.leaves]
        norm = torch.stack([grad.square().sum() for grad in grads]).sum()
        dist.all_reduce(norm)
        norm = norm.sqrt_()
        scale = (self.clip / (norm + 1e-6)).clamp_(max=1.0)
        for grad in grads:
            grad.mul_(scale)
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()
        self._adamw.zero_grad()
        return norm

    def state(self) -> dict[str, Tensor]:
        """The moments as `FlatAdamW` has them, on the CPU of the first process; all must call it."""
        states = [self._adamw.state[leaf] for leaf in self.model.leaves]
        found = {"step": states[0]["step"].cpu()}
        for name in ("exp_avg", "exp_avg_sq"):
            found[name] = torch.cat([part.flatten() for part in whole([state[name] for state in states])])
        return found

    def load(self, moments: dict[str, Tensor]) -> None:
        """Take over the moments of a checkpoint."""
        sizes = [leaf.numel() for leaf in self.model.leaves]
        for name in ("exp_avg", "exp_avg_sq"):
            for leaf, part in zip(self.model.leaves, moments[name].split(sizes), strict=True):
                split(part.view(leaf.shape), self._adamw.state[leaf][name])
        for leaf in self.model.leaves:
            self._adamw.state[leaf]["step"].copy_(moments["step"])
