"""The model that is trained: transformers' Qwen3, computed from one flat tensor of weights.

`build` makes a `Qwen3ForCausalLM` and moves its weights into one flat tensor; each of its parameters becomes a view.
The training loop computes from fused views of the same memory (queries, keys and values are one matrix, gate and up
another), so there are fewer and larger operations, one tensor to step and to clip, and nothing to copy back: the
transformers model always holds the current weights. A test compares logits and gradients with transformers' own.

Scoring computes from it too: it looks only at the answer's positions, so there the last block has keys and values for
every position, but queries, attention and the MLP for those alone.

Shapes: B sequences, T tokens, w width, h heads, d width of a head, V vocabulary.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from t2scaling.testbed.pretrain.device import Place
from t2scaling.testbed.pretrain.functions import (
    NORM_EPS,
    ProjectHeads,
    SwiGLU,
    add_product,
    head_loss,
    normalize,
    rotated_heads,
)
from t2scaling.testbed.suite import ModelShape

ROPE_THETA = 10_000.0


# Names of a block's weights in the order of the flat tensor: its matrices, then its norms.
BLOCK = ("qkv", "out", "gate_up", "down", "attention_norm", "q_norm", "k_norm", "mlp_norm")


@dataclass
class Block:
    """Weights of one block, each a leaf that collects its gradient in the flat gradient."""

    qkv: Tensor
    out: Tensor
    gate_up: Tensor
    down: Tensor
    attention_norm: Tensor
    q_norm: Tensor
    k_norm: Tensor
    mlp_norm: Tensor


class Model:
    """Weights in one flat tensor: matrices first, then norm weights, which are not decayed.

    hf         the `Qwen3ForCausalLM` whose parameters are views of `weights`
    weights    (total,) float32, all weights
    grads      (total,) float32, their gradients
    dtype      of matrix products and of what they read; weights, residuals and norms are float32
    n_decayed  how many of `weights` belong to matrices
    """

    def __init__(self, hf: Any, shape: ModelShape, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self.hf, self.shape, self.dtype, self.device = hf, shape, dtype, device
        matrices, norms = layout(hf)
        self.n_decayed = sum(p.numel() for group in matrices for p in group)
        total = self.n_decayed + sum(p.numel() for group in norms for p in group)
        self.weights = torch.empty(total, dtype=torch.float32, device=device)
        self.grads = torch.zeros_like(self.weights)
        leaves = self._adopt(matrices + norms)
        self.embedding, self.head, self.final_norm = leaves[0], leaves[1], leaves[2 + 4 * shape.depth]
        n = shape.depth
        self.blocks = [
            Block(*leaves[2 + 4 * i : 6 + 4 * i], *leaves[3 + 4 * n + 4 * i : 7 + 4 * n + 4 * i]) for i in range(n)
        ]
        hf.to(device)
        self._rotary: dict[int, tuple[Tensor, Tensor]] = {}

    def _adopt(self, groups: list[list[torch.nn.Parameter]]) -> list[Tensor]:
        """Move each group of parameters into the flat tensor; return one leaf per group, stacked by rows."""
        leaves, offset = [], 0
        for group in groups:
            start = offset
            for parameter in group:
                view = self.weights[offset : offset + parameter.numel()].view(parameter.shape)
                view.copy_(parameter.data)
                parameter.data = view
                parameter.requires_grad_(False)
                offset += parameter.numel()
            shape = (-1, *group[0].shape[1:])
            leaf = self.weights[start:offset].view(shape).detach().requires_grad_(True)
            leaf.grad = self.grads[start:offset].view(shape)
            leaves.append(leaf)
        return leaves

    def loss(
        self, ids: Tensor, targets: Tensor, z_loss: float = 0.0, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Loss to minimise and the cross-entropy within it, nats per token.

        ids, targets   (B, T) token ids and the tokens that follow them
        z_loss         weight of the mean squared logsumexp of the logits
        weights        (B, T) weight of each target, 0 to leave it out
        """
        rows, flat = self.rows(ids), targets.reshape(-1)
        if weights is None:
            return head_loss(rows, self._head(), flat, z_loss)
        counted = weights.reshape(-1).nonzero()[:, 0]  # logits are needed nowhere else
        return head_loss(rows[counted], self._head(), flat[counted], z_loss, weights.reshape(-1)[counted])

    def state(self) -> dict[str, Tensor]:
        """Every weight by its transformers name, on the CPU."""
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in self.hf.state_dict().items()}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over weights by their transformers names."""
        with torch.no_grad():
            for name, tensor in self.hf.state_dict().items():
                tensor.copy_(weights[name])

    def rows(self, ids: Tensor) -> Tensor:
        """Output of the last block for token ids (B, T), normed without gain: (B·T, w)."""
        return normalize(self._after(self.blocks, ids), self.dtype)

    def logits(self, ids: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each of (B, T)."""
        return (self.rows(ids) @ self._head().t()).view(*ids.shape, -1)

    def logits_at(self, ids: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Logits (P, V) at the positions (rows[i], columns[i]) of ids (B, T); rows ascend."""
        x = self._after(self.blocks[:-1], ids)
        x = self._mlp(self.blocks[-1], self._attend_at(self.blocks[-1], x, ids.shape, rows, columns))
        return normalize(x, self.dtype) @ self._head().t()

    def _after(self, blocks: list[Block], ids: Tensor) -> Tensor:
        """Residual stream (B·T, w) after some first blocks."""
        x = F.embedding(ids.reshape(-1), self.embedding)
        for block in blocks:
            x = self.block(block, x, ids.shape[1])
        return x

    def block(self, block: Block, x: Tensor, T: int) -> Tensor:
        """Residual stream (B·T, w) after a block."""
        return self._mlp(block, self._attend(block, x, T))

    def _head(self) -> Tensor:
        """The output matrix with the last norm's gain in it, (V, w)."""
        return (self.head * self.final_norm).to(self.dtype)

    def _attend_at(self, block: Block, x: Tensor, shape: tuple[int, ...], rows: Tensor, columns: Tensor) -> Tensor:
        """What `_attend` gives at some positions alone, (P, w); x is (B·T, w), A the most positions in a row."""
        (B, T), h = shape, self.shape.n_heads
        weight, gains = self._qkv(block)
        cos, sin = self._angles(T)
        cut, unit, at = h * self.shape.head_dim, normalize(x, self.dtype), rows * T + columns
        k, v = ProjectHeads.apply(unit, weight[cut:], gains[h:], cos[:, h:], sin[:, h:])  # (B, T, c, d)
        q = rotated_heads(unit[at], weight[:cut], gains[:h], cos[columns, :h], sin[columns, :h])[0][0]  # (P, h, d)
        counts = torch.bincount(rows, minlength=B)
        slots = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
        queries = q.new_zeros(B, int(counts.max()), *q.shape[1:]).index_put((rows, slots), q)  # (B, A, h, d)
        last = columns.new_zeros(queries.shape[:2]).index_put((rows, slots), columns)
        seen = torch.arange(T, device=rows.device) <= last[..., None]  # (B, A, T)
        mixed = F.scaled_dot_product_attention(
            queries.transpose(1, 2),
            k.transpose(1, 2),
            v.transpose(1, 2),
            attn_mask=seen[:, None],
            enable_gqa=h != self.shape.n_kv_heads,
        )
        return add_product(x[at], mixed.transpose(1, 2)[rows, slots].flatten(1), block.out.to(self.dtype).t())

    def _qkv(self, block: Block) -> tuple[Tensor, Tensor]:
        """The matrix of queries, keys and values with the norm's gain in it, and QK-norm's gain of each head."""
        weight = (block.qkv * block.attention_norm).to(self.dtype)
        q_norm, k_norm = block.q_norm.expand(self.shape.n_heads, -1), block.k_norm.expand(self.shape.n_kv_heads, -1)
        return weight, torch.cat((q_norm, k_norm))

    def _attend(self, block: Block, x: Tensor, T: int) -> Tensor:
        h, c = self.shape.n_heads, self.shape.n_kv_heads
        rotated, v = ProjectHeads.apply(normalize(x, self.dtype), *self._qkv(block), *self._angles(T))
        q, k = rotated.split((h, c), dim=2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=h != c)
        return add_product(x, mixed.transpose(1, 2).reshape(x.shape[0], -1), block.out.to(self.dtype).t())

    def _mlp(self, block: Block, x: Tensor) -> Tensor:
        gate_up = (block.gate_up * block.mlp_norm).to(self.dtype)
        out: Tensor = SwiGLU.apply(x, normalize(x, self.dtype), gate_up, block.down.to(self.dtype))
        return out

    def _angles(self, T: int) -> tuple[Tensor, Tensor]:
        """Cosine and signed sine of the rotary angles, (T, h + c, d) each, for every query and key head."""
        if T not in self._rotary:
            d, heads = self.shape.head_dim, self.shape.n_heads + self.shape.n_kv_heads
            inverse = 1.0 / ROPE_THETA ** (torch.arange(0, d, 2, dtype=torch.float32) / d)
            angles = torch.outer(torch.arange(T, dtype=torch.float32), inverse).repeat(1, 2)
            sign = torch.cat((-torch.ones(d // 2), torch.ones(d // 2)))
            # Written out for every head: passes over contiguous memory are several times faster than broadcasts.
            tables = (angles.cos(), angles.sin() * sign)
            cos, sin = (t[:, None].expand(T, heads, d).contiguous().to(self.device) for t in tables)
            self._rotary[T] = (cos, sin)
        return self._rotary[T]


def build(
    shape: ModelShape,
    seq_len: int,
    *,
    seed: int,
    init_std: float,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Model:
    """A freshly initialised model: normal weights of standard deviation `init_std`, norms at one.

    The same seed gives the same weights, on every device and whatever was drawn before.
    """
    from transformers import Qwen3ForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hf = Qwen3ForCausalLM(qwen3_config(shape, seq_len, init_std))
    return Model(hf.float(), shape, device, dtype)


def load_model(folder: str | Path, shape: ModelShape, place: Place) -> Model:
    """The model of a Hugging Face folder that a run wrote, to be trained on. Raises OSError where it is not there."""
    from safetensors.torch import load_file
    from transformers import Qwen3Config, Qwen3ForCausalLM

    with torch.random.fork_rng(devices=[]):
        hf = Qwen3ForCausalLM(Qwen3Config.from_pretrained(str(folder)))
    hf.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return Model(hf.float(), shape, place.cradle, place.dtype)


def shape_of(config: Any) -> ModelShape | None:
    """The shape of a transformers config, None where `Model` does not compute what its options ask for."""
    plain = (
        config.model_type == "qwen3"
        and config.hidden_act == "silu"
        and not config.attention_bias
        and not config.tie_word_embeddings
        and config.rms_norm_eps == NORM_EPS
        and config.rope_parameters == {"rope_type": "default", "rope_theta": ROPE_THETA}
        and set(config.layer_types) == {"full_attention"}
        and config.head_dim * config.num_attention_heads == config.hidden_size
    )
    if not plain:
        return None
    return ModelShape(
        config.hidden_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        config.intermediate_size,
        config.vocab_size,
        config.num_key_value_heads,
    )


def qwen3_config(shape: ModelShape, seq_len: int, init_std: float = 0.02) -> Any:
    """The transformers config of a shape, trained on sequences of `seq_len` tokens."""
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=shape.vocab_size,
        hidden_size=shape.width,
        intermediate_size=shape.d_ff,
        num_hidden_layers=shape.depth,
        num_attention_heads=shape.n_heads,
        num_key_value_heads=shape.n_kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=seq_len,
        rms_norm_eps=NORM_EPS,
        initializer_range=init_std,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=False,
        attention_bias=False,
        use_cache=True,
        bos_token_id=None,
        eos_token_id=None,
    )


def layout(hf: Any) -> tuple[list[list[Any]], list[list[Any]]]:
    """Parameters in the order of the flat tensor: matrices (fused groups together), then norm weights."""
    core = hf.model
    matrices = [[core.embed_tokens.weight], [hf.lm_head.weight]]
    norms = [[core.norm.weight]]
    for layer in core.layers:
        attention, mlp = layer.self_attn, layer.mlp
        matrices += [
            [attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight],
            [attention.o_proj.weight],
            [mlp.gate_proj.weight, mlp.up_proj.weight],
            [mlp.down_proj.weight],
        ]
        norms += [
            [layer.input_layernorm.weight],
            [attention.q_norm.weight],
            [attention.k_norm.weight],
            [layer.post_attention_layernorm.weight],
        ]
    return matrices, norms
