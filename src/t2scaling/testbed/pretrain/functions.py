"""The model's building blocks with hand-written gradients.

For small models most of a step goes to passes over activations, not to matrix products; each function here makes as few
as it can. What is saved, and how:
    normalize       RMSNorm without its gain: the gain is folded into the matrix that follows, W·diag(g), which is small
    project_heads   queries and keys with QK-norm and rotary positions, and values: one product each, nothing split
    swiglu          gate and up as products of their own, so that every pass runs over contiguous memory
    head_loss       cross-entropy and z-loss from one logsumexp; the (n, V) logits are never kept (see `HeadLoss`)
Each is tested against plain autograd. Sums and norms are float32 whatever the dtype of the activations.

Shapes: B sequences, T tokens, n = B·T positions, w width, h query heads, c key/value heads, d width of a head,
f inner width, V vocabulary.
"""

import math
from typing import Any

import torch
from torch import Tensor

NORM_EPS = 1e-6
# Logits of one chunk: 2^17 floats stay in a core's second-level cache.
CHUNK_LOGITS = {"cpu": 2**17}
CHUNK_LOGITS_DEVICE = 2**27


def _unit(x: Tensor) -> tuple[Tensor, Tensor]:
    """x over its root mean square along the last axis, and the reciprocal of that root; float32."""
    x = x.float()
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().mul_(1 / x.shape[-1])
    scale = scale.add_(NORM_EPS).rsqrt_()
    return x * scale, scale


def _unit_backward(grad: Tensor, unit: Tensor, scale: Tensor) -> Tensor:
    """Gradient of `_unit` in its input; overwrites nothing it is given."""
    along = (grad * unit).mean(-1, keepdim=True)
    return torch.addcmul(grad, unit, along, value=-1).mul_(scale)


class Normalize(torch.autograd.Function):
    """(…, w) float32 → (…, w) of unit root mean square in `dtype`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: torch.dtype) -> Tensor:
        unit, scale = _unit(x)
        unit = unit.to(dtype)
        ctx.save_for_backward(unit, scale)
        return unit

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        unit, scale = ctx.saved_tensors
        return _unit_backward(grads[0].float(), unit.float(), scale), None


class ProjectHeads(torch.autograd.Function):
    """Rows (n, w) → queries and keys (B, T, h + c, d), normed and rotated, and values (B, T, c, d).

    weight     ((h + 2c)·d, w): queries, keys, values
    gains      (h + c, d): QK-norm's gain of each query and key head
    cos, sin   (T, h + c, d): rotary tables; the sine is negative in the first half of a head
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, gains: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        T, _, d = cos.shape
        cut = gains.numel()
        rotated, unit, scale = rotated_heads(x, weight[:cut], gains, cos, sin)
        values = (x @ weight[cut:].t()).view(rotated.shape[0], T, -1, d)
        ctx.save_for_backward(x, weight, gains, cos, sin, unit, scale)
        return rotated, values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, gains, cos, sin, unit, scale = ctx.saved_tensors
        cut, d = gains.numel(), gains.shape[1]
        rotated, values = grads[0].float(), grads[1].reshape(x.shape[0], -1)
        grad = torch.roll(rotated * sin, d // 2, -1).addcmul_(rotated, cos)
        grad_gains = (grad * unit).sum((0, 1))
        grad = _unit_backward(grad.mul_(gains), unit, scale).to(x.dtype).view(x.shape[0], cut)
        grad_x = (grad @ weight[:cut]).addmm_(values, weight[cut:])
        grad_weight = torch.empty_like(weight)
        torch.mm(grad.t(), x, out=grad_weight[:cut])
        torch.mm(values.t(), x, out=grad_weight[cut:])
        return grad_x, grad_weight, grad_gains, None, None


def rotated_heads(x: Tensor, weight: Tensor, gains: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows (B·T, w) → heads (B, T, heads, d) normed and rotated, their unit vectors, and one over their scales."""
    T, heads, d = cos.shape
    unit, scale = _unit((x @ weight.t()).view(-1, T, heads, d))
    scaled = unit * gains
    return torch.roll(scaled, d // 2, -1).mul_(sin).addcmul_(scaled, cos).to(x.dtype), unit, scale


class SwiGLU(torch.autograd.Function):
    """residual + (silu(x·gateᵀ) ∘ (x·upᵀ))·downᵀ for rows x (n, w).

    residual   (n, w) float32
    gate_up    (2f, w): gate, then up
    down       (w, f)
    """

    @staticmethod
    def forward(ctx: Any, residual: Tensor, x: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
        f = down.shape[1]
        gate, up = x @ gate_up[:f].t(), x @ gate_up[f:].t()
        sigmoid = torch.sigmoid(gate)
        act = gate.mul_(sigmoid)
        inner = act * up
        ctx.save_for_backward(x, gate_up, down, sigmoid, act, up, inner)
        return add_product(residual, inner, down.t())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, gate_up, down, sigmoid, act, up, inner = ctx.saved_tensors
        grad = grads[0].to(x.dtype)
        f = down.shape[1]
        grad_inner = grad @ down
        grad_up = grad_inner * act
        # silu' = s + a·(1 − s) for a = x·s
        grad_gate = torch.addcmul(act + sigmoid, act, sigmoid, value=-1).mul_(up).mul_(grad_inner)
        grad_gate_up = torch.empty_like(gate_up)
        torch.mm(grad_gate.t(), x, out=grad_gate_up[:f])
        torch.mm(grad_up.t(), x, out=grad_gate_up[f:])
        grad_x = (grad_gate @ gate_up[:f]).addmm_(grad_up, gate_up[f:])
        return grads[0], grad_x, grad_gate_up, grad.t() @ inner


def add_product(residual: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """residual + a·b, in one pass where the dtypes agree."""
    return torch.addmm(residual, a, b) if a.dtype == residual.dtype else residual + a @ b


class HeadLoss(torch.autograd.Function):
    """Rows (n, w), head (V, w), targets (n,) → loss and cross-entropy, weighted means in nats.

    For the logits l of a position with target t,
        ce = lse(l) − l_t        z = lse(l)²        loss = mean ce + z_loss·mean z
        d loss / d l = (softmax(l)·(1 + 2·z_loss·lse(l)) − onehot(t)) / n
    The gradient is known as soon as the logits are, so it is taken chunk by chunk in the forward pass, and no more than
    a chunk of logits exists at a time. The logits are computed in units of log 2, since exp2 is several times
    faster than exp. The z-loss keeps the normaliser near one (Chowdhery et al. 2022, arXiv 2204.02311, §5).
    """

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, head: Tensor, targets: Tensor, weights: Tensor | None, z_loss: float
    ) -> tuple[Tensor, Tensor]:
        n = rows.shape[0]
        count = float(n) if weights is None else weights.sum()
        sums = torch.zeros(2, dtype=torch.float32, device=rows.device)
        grad_rows, grad_head = torch.empty_like(rows), torch.zeros_like(head, dtype=torch.float32)
        size = max(1, CHUNK_LOGITS.get(rows.device.type, CHUNK_LOGITS_DEVICE) // head.shape[0])
        for start in range(0, n, size):
            part, target = rows[start : start + size], targets[start : start + size, None]
            weight = None if weights is None else weights[start : start + size, None]
            grad = _chunk(part, head, target, weight, z_loss, sums).to(rows.dtype)
            torch.mm(grad, head, out=grad_rows[start : start + size])
            if grad.dtype == torch.float32:
                grad_head.addmm_(grad.t(), part)
            else:
                grad_head += grad.t() @ part
        ctx.save_for_backward(grad_rows.div_(count), grad_head.div_(count).to(head.dtype))
        ce, z = sums / count
        return ce + z_loss * z, ce

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        grad_rows, grad_head = ctx.saved_tensors
        return grad_rows * grads[0], grad_head * grads[0], None, None, None


def _chunk(rows: Tensor, head: Tensor, target: Tensor, weight: Tensor | None, z_loss: float, sums: Tensor) -> Tensor:
    """Gradient of a chunk's summed loss in its logits; adds its cross-entropy and squared logsumexp to `sums`."""
    bits = ((rows * math.log2(math.e)) @ head.t()).float()
    top = bits.amax(1, keepdim=True)
    gold = bits.gather(1, target)
    power = bits.sub_(top).exp2_()
    total = power.sum(1, keepdim=True)
    lse = total.log2().add_(top)
    ce = (lse - gold).mul_(math.log(2))
    lse.mul_(math.log(2))
    scale = (lse * (2 * z_loss)).add_(1).div_(total)
    hit = torch.full_like(lse, -1.0)
    if weight is not None:
        ce, scale, hit = ce * weight, scale * weight, hit * weight
        lse = lse * weight.sqrt()
    sums += torch.stack((ce.sum(), lse.square().sum()))
    return power.mul_(scale).scatter_add_(1, target, hit)


def normalize(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x over its root mean square along the last axis, in `dtype`."""
    out: Tensor = Normalize.apply(x, dtype)
    return out


def head_loss(
    rows: Tensor, head: Tensor, targets: Tensor, z_loss: float = 0.0, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Loss to minimise and the cross-entropy within it, means in nats over n positions.

    rows      (n, w) normed output of the last block
    head      (V, w) output matrix of the same dtype, the last norm's gain folded in
    targets   (n,) token ids
    z_loss    weight of the mean squared logsumexp
    weights   (n,) weight of each position, 0 to leave it out; all count alike where left out

    Only the first result carries a gradient.
    """
    loss, ce = HeadLoss.apply(rows, head, targets, weights, z_loss)
    return loss, ce.detach()
