"""Next-token cross-entropy and z-loss from one logsumexp, without keeping the logits.

For logits l of one position with target t,
    ce = lse(l) − l_t        z = lse(l)²        loss = mean ce + z_loss · mean z
    d loss / d l = (softmax(l)·(1 + 2·z_loss·lse(l)) − onehot(t)) / n
The z-loss keeps the normaliser near one (Chowdhery et al. 2022, arXiv 2204.02311, §5). The gradient is known as soon as
the logits are, so it is taken chunk by chunk in the forward pass: the (n, V) logits and their softmax never exist at
once, which for a small model and a large vocabulary is most of the memory and much of the time.

Shapes: n positions, w width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Logits of one chunk: 256 × 512 floats stay in a core's second-level cache.
CHUNK_LOGITS = 2**17
CHUNK_LOGITS_GPU = 2**27


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, weights: Tensor | None, z_loss: float
    ) -> tuple[Tensor, Tensor]:
        n, vocab = hidden.shape[0], head.shape[0]
        budget = CHUNK_LOGITS if hidden.device.type == "cpu" else CHUNK_LOGITS_GPU
        rows = max(1, min(n, budget // vocab))
        count = float(n) if weights is None else weights.sum()
        ce = hidden.new_zeros((), dtype=torch.float32)
        z = torch.zeros_like(ce)
        grad_hidden = torch.empty_like(hidden)
        grad_head = torch.zeros_like(head, dtype=torch.float32)
        for start in range(0, n, rows):
            part, target = hidden[start : start + rows], targets[start : start + rows, None]
            logits = (part @ head.t()).float()
            # One pass shifts by the maximum and one takes the exponential; the same numbers then give the gradient.
            top = logits.amax(1, keepdim=True)
            gold = logits.gather(1, target) - top
            total = logits.sub_(top).exp_().sum(1, keepdim=True)
            log_total = total.log()
            lse = log_total + top
            scale = (1 + 2 * z_loss * lse) / total
            row_ce, row_z = log_total - gold, lse.square()
            hit = torch.full_like(lse, -1.0)
            if weights is not None:
                weight = weights[start : start + rows, None]
                row_ce, row_z, scale, hit = row_ce * weight, row_z * weight, scale * weight, hit * weight
            ce, z = ce + row_ce.sum(), z + row_z.sum()
            grad = logits.mul_(scale).scatter_add_(1, target, hit).to(hidden.dtype)
            torch.mm(grad, head, out=grad_hidden[start : start + rows])
            if grad.dtype == grad_head.dtype:
                grad_head.addmm_(grad.t(), part)
            else:
                grad_head += grad.t() @ part
        ctx.save_for_backward(grad_hidden.div_(count), grad_head.div_(count))
        ctx.head_dtype = head.dtype
        return (ce + z_loss * z) / count, ce / count

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, None, None, None]:
        grad_hidden, grad_head = ctx.saved_tensors
        return grad_hidden.mul_(grads[0]), grad_head.mul_(grads[0]).to(ctx.head_dtype), None, None, None


def head_loss(
    hidden: Tensor, head: Tensor, targets: Tensor, z_loss: float = 0.0, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Loss to minimise and the cross-entropy within it, both means in nats.

    hidden    (n, w) output of the last norm
    head      (V, w) output matrix, of the same dtype
    targets   (n,) token ids
    z_loss    weight of the mean squared logsumexp
    weights   (n,) weight of each position, 0 to leave it out; all count alike where left out

    Only the first result carries a gradient, and it may be taken once.
    """
    loss, ce = _HeadLoss.apply(hidden, head, targets, weights, z_loss)
    return loss, ce.detach()
