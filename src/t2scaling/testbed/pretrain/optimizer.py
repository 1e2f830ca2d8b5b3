"""AdamW on the flat weights: two tensors (matrices, decayed; norms, not), whatever the number of layers."""

from typing import Any

import torch
from torch import Tensor

from t2scaling.testbed.pretrain.device import Place
from t2scaling.testbed.pretrain.model import Model
from t2scaling.testbed.suite import TrainingConfig


class FlatAdamW:
    """AdamW with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101) and clipping, on flat tensors.

    moments   exp_avg and exp_avg_sq, flat as the weights, and the step count: what a checkpoint has to hold
    """

    def __init__(self, model: Model, config: TrainingConfig) -> None:
        self.model, self.clip = model, config.clip
        cut = model.n_decayed
        groups = []
        for part, decay in ((slice(None, cut), config.weight_decay), (slice(cut, None), 0.0)):
            flat = model.weights[part].detach()
            flat.grad = model.grads[part]
            groups.append({"params": [flat], "weight_decay": decay})
        betas = (config.beta1, config.beta2)
        self._adamw = torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, eps=config.eps, fused=True)
        self.moments = {
            "exp_avg": torch.zeros_like(model.weights),
            "exp_avg_sq": torch.zeros_like(model.weights),
            "step": torch.zeros((), dtype=torch.float32, device=model.weights.device),
        }
        for part, group in zip((slice(None, cut), slice(cut, None)), self._adamw.param_groups, strict=True):
            self._adamw.state[group["params"][0]] = {
                "exp_avg": self.moments["exp_avg"][part],
                "exp_avg_sq": self.moments["exp_avg_sq"][part],
                "step": self.moments["step"].clone(),
            }

    def step(self, rate: float) -> Tensor:
        """Clip the gradient, take one step at learning rate `rate`, clear the gradient; returns the norm before."""
        grads = self.model.grads
        norm = grads.norm()
        grads.mul_((self.clip / (norm + 1e-6)).clamp_(max=1.0))
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()
        grads.zero_()
        self.moments["step"] += 1
        return norm

    def state(self) -> dict[str, Tensor]:
        """The moments on the CPU."""
        return {name: tensor.detach().cpu() for name, tensor in self.moments.items()}

    def load(self, moments: dict[str, Tensor]) -> None:
        """Take over the moments of a checkpoint."""
        for name, tensor in moments.items():
            self.moments[name].copy_(tensor)
        for group in self._adamw.param_groups:
            self._adamw.state[group["params"][0]]["step"].copy_(self.moments["step"])


def ready(model: Model, config: TrainingConfig, where: Place) -> tuple[Model, Any]:
    """A model and its AdamW, both split over the processes where the place says so."""
    if not where.sharded:
        return model, FlatAdamW(model, config)
    from t2scaling.testbed.pretrain.sharded import ShardedAdamW, ShardedModel

    split = ShardedModel(model, where)
    return split, ShardedAdamW(split, config)
