"""Qwen3's forward pass for scoring on a CPU: fused matrices, and a last block that works only where it is asked.

The suites trained here are small Qwen3 models, for which the general code of transformers spends much of its time
between the matrix products. Here queries, keys and values are one product, gate and up another. And since scoring
looks only at the answer's positions, the last block computes keys and values everywhere, but queries, attention and
the MLP for those positions alone. `model.CausalLM` compares the result with transformers' own before it relies on it.

Shapes: B rows, T tokens, W width, h heads of width d, g key-value heads, P wanted positions, A most of them in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Block:
    """Weights of one block: fused matrices, and norms."""

    qkv: Tensor  # ((h + 2g)·d, W)
    out: Tensor  # (W, h·d)
    gate_up: Tensor  # (2·d_ff, W)
    down: Tensor  # (W, d_ff)
    attention_norm: Tensor
    q_norm: Tensor
    k_norm: Tensor
    mlp_norm: Tensor


class FusedQwen3:
    """The body of a `Qwen3ForCausalLM`, for inference in the precision of its weights."""

    def __init__(self, model: Any) -> None:
        config, core = model.config, model.model
        self._heads, self._kv_heads, self._width = (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        self._eps, self._theta = config.rms_norm_eps, config.rope_parameters["rope_theta"]
        self._embedding, self._final_norm = core.embed_tokens.weight, core.norm.weight
        self._blocks = [_fuse(layer) for layer in core.layers]
        self._angles = _angles(config.max_position_embeddings, self._width, self._theta, self._embedding.dtype)

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether the model is a Qwen3 without the options that this code leaves out, on a CPU."""
        config = model.config
        return (
            config.model_type == "qwen3"
            and next(model.parameters()).device.type == "cpu"
            and config.hidden_act == "silu"
            and not config.attention_bias
            and config.rope_parameters.get("rope_type") == "default"
            and config.max_position_embeddings >= 8
            and set(config.layer_types) == {"full_attention"}
        )

    def hidden_at(self, ids: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Output of the last norm (P, W) at the positions (rows[i], columns[i]) of ids (B, T); rows ascend."""
        x = F.embedding(ids, self._embedding)  # (B, T, W)
        cos, sin = (angle[: ids.shape[1]] for angle in self._angles)
        for block in self._blocks[:-1]:
            x = self._block(block, x, cos, sin)
        return self._norm(self._last_block(self._blocks[-1], x, cos, sin, rows, columns), self._final_norm)

    def _block(self, block: Block, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = self._project(block.qkv, self._norm(x, block.attention_norm)).split(
            (self._heads, self._kv_heads, self._kv_heads), dim=2
        )
        q, k = _rotate(self._norm(q, block.q_norm), cos, sin), _rotate(self._norm(k, block.k_norm), cos, sin)
        mixed = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True, enable_gqa=self._grouped
        )
        return self._mlp(block, x + F.linear(mixed.transpose(1, 2).flatten(2), block.out))

    def _last_block(self, block: Block, x: Tensor, cos: Tensor, sin: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        normed = self._norm(x, block.attention_norm)
        of_queries = self._heads * self._width
        k, v = self._project(block.qkv[of_queries:], normed).chunk(2, dim=2)  # (B, T, g, d)
        k = _rotate(self._norm(k, block.k_norm), cos, sin)
        q = self._norm(self._project(block.qkv[:of_queries], normed[rows, columns]), block.q_norm)  # (P, h, d)
        q = _rotate(q, cos[columns], sin[columns])
        slots, longest = _slots(rows, len(x))
        queries = q.new_zeros(len(x), longest, *q.shape[1:]).index_put((rows, slots), q)  # (B, A, h, d)
        last = torch.zeros(len(x), longest, dtype=torch.long).index_put((rows, slots), columns)
        seen = torch.arange(x.shape[1]) <= last[..., None]  # (B, A, T)
        mixed = F.scaled_dot_product_attention(
            queries.transpose(1, 2),
            k.transpose(1, 2),
            v.transpose(1, 2),
            attn_mask=seen[:, None],
            enable_gqa=self._grouped,
        )
        mixed = mixed.transpose(1, 2)[rows, slots].flatten(1)  # (P, h·d)
        return self._mlp(block, x[rows, columns] + F.linear(mixed, block.out))

    def _mlp(self, block: Block, x: Tensor) -> Tensor:
        gate, up = F.linear(self._norm(x, block.mlp_norm), block.gate_up).chunk(2, dim=-1)
        return x + F.linear(F.silu(gate).mul_(up), block.down)

    def _project(self, weight: Tensor, x: Tensor) -> Tensor:
        return F.linear(x, weight).unflatten(-1, (-1, self._width))

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), weight, self._eps)

    @property
    def _grouped(self) -> bool:
        return self._heads != self._kv_heads


def _fuse(layer: Any) -> Block:
    attention, mlp = layer.self_attn, layer.mlp
    return Block(
        qkv=torch.cat((attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight)),
        out=attention.o_proj.weight,
        gate_up=torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight)),
        down=mlp.down_proj.weight,
        attention_norm=layer.input_layernorm.weight,
        q_norm=attention.q_norm.weight,
        k_norm=attention.k_norm.weight,
        mlp_norm=layer.post_attention_layernorm.weight,
    )


def _angles(length: int, width: int, theta: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles, (length, 1, d); the sine carries the sign of each half."""
    inverse = 1.0 / theta ** (torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), inverse).repeat(1, 2)[:, None]
    sign = torch.cat((-torch.ones(width // 2), torch.ones(width // 2)))
    return angles.cos().to(dtype), (angles.sin() * sign).to(dtype)


def _rotate(x: Tensor, cos: Tensor, signed_sin: Tensor) -> Tensor:
    """Rotate the pairs (i, i + d/2) of the last axis; the axis before it holds heads."""
    return (x * cos).add_(torch.roll(x, x.shape[-1] // 2, dims=-1).mul_(signed_sin))


def _slots(rows: Tensor, n_rows: int) -> tuple[Tensor, int]:
    """The place of each wanted position among those of its row (P,), and the most in a row."""
    counts = torch.bincount(rows, minlength=n_rows)
    starts = counts.cumsum(0) - counts
    return torch.arange(len(rows)) - starts[rows], int(counts.max())
