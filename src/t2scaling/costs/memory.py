"""Bytes of the key-value cache, and what they cost beside FLOPs.

The laws' 2·N·k sees neither. At long outputs reading the cache outweighs the matrix products by an order of
magnitude (Sadhukhan et al. 2025, "Kinetics", arXiv 2506.05333), most of all for small models.
"""

from __future__ import annotations

from dataclasses import dataclass

from t2scaling.costs.flops import attention_flops
from t2scaling.costs.params import ShapeLike

# FLOPs that one byte of memory traffic is worth: B200 fp8, 4500e12 FLOP/s over 8e12 byte/s (Kinetics).
KINETICS_INTENSITY = 562.5


def kv_bytes_per_token(shape: ShapeLike, bytes_per_value: float = 2) -> float:
    """Bytes of keys and values that one token leaves in the cache: 2·layers·kv heads·head_dim·bytes."""
    return 2 * shape.depth * shape.n_kv_heads * shape.head_dim * bytes_per_value


@dataclass(frozen=True)
class KineticsCost:
    """FLOPs of computing, and memory traffic as equivalent FLOPs."""

    compute_flops: float
    memory_eflops: float

    @property
    def total_eflops(self) -> float:
        """Both together."""
        return self.compute_flops + self.memory_eflops


def kinetics_cost(
    shape: ShapeLike,
    n_params: float,
    prompt_tokens: float,
    output_tokens: float,
    samples: float,
    intensity: float = KINETICS_INTENSITY,
) -> KineticsCost:
    """Cost of drawing `samples` answers to one prompt whose cache they share (Kinetics, arXiv 2506.05333).

    Follows the published code: 16-bit cache, prompt computation and reads of the weights left out (they vanish in
    large batches). `intensity` is the hardware's FLOPs per byte.
    """
    mean_context = prompt_tokens + output_tokens / 2
    compute = samples * output_tokens * (2 * n_params + attention_flops(shape, mean_context))
    reads = output_tokens * (prompt_tokens + samples * output_tokens / 2) * kv_bytes_per_token(shape)
    return KineticsCost(float(compute), float(reads * intensity))
