"""Sadhukhan et al. 2025, "Kinetics" (arXiv 2506.05333): computing, and reading the cache as equivalent FLOPs.

The laws' 2·N·k sees neither prompt nor cache. At long answers reading the cache outweighs the matrix products by an
order of magnitude, most of all for small models.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from t2scaling.arrays import Array
from t2scaling.costs.flops import attention_flops, sample_flops
from t2scaling.costs.memory import kv_bytes_per_token
from t2scaling.costs.params import ShapeLike
from t2scaling.costs.query import QueryCost
from t2scaling.costs.shapes import VOCABULARY, typical_shape

# FLOPs that one byte of memory traffic is worth: B200 fp8, 4500e12 FLOP/s over 8e12 byte/s (Kinetics).
INTENSITY = 562.5


class Traffic(NamedTuple):
    """FLOPs of computing, and memory traffic as equivalent FLOPs."""

    compute_flops: Array
    memory_eflops: Array


def kinetics_cost(
    shape: ShapeLike, n_params: float, prompt_tokens: float, output_tokens: float, samples: float,
    intensity: float = INTENSITY,
) -> Traffic:  # fmt: skip
    """Cost of drawing `samples` answers to one prompt whose cache they share.

    Follows the published code: 16-bit cache, prompt computation and reads of the weights left out (they vanish in
    large batches). `intensity` is the hardware's FLOPs per byte.
    """
    mean_context = prompt_tokens + output_tokens / 2
    compute = samples * output_tokens * (sample_flops(n_params, 1.0) + attention_flops(shape, mean_context))
    reads = output_tokens * (prompt_tokens + samples * output_tokens / 2) * kv_bytes_per_token(shape)
    return Traffic(np.asarray(compute), np.asarray(reads * intensity))


@dataclass(frozen=True)
class KineticsCost(QueryCost):
    """Equivalent FLOPs per query for the typical shape of N parameters: a line in k, as `kinetics_cost` is."""

    intensity: float = INTENSITY
    vocab_size: float = VOCABULARY

    name: ClassVar[str] = "kinetics"
    label: ClassVar[str] = "computing and cache traffic per query"
    serve_unit: ClassVar[str] = "equivalent FLOPs per query"

    def line(self, N: Array) -> tuple[Array, Array]:
        """(prompt, one sample)."""
        shape = typical_shape(N, self.vocab_size)
        none, one = (
            sum(kinetics_cost(shape, N, self.prompt_tokens, self.answer_tokens, k, self.intensity))  # type: ignore[arg-type]
            for k in (0.0, 1.0)
        )
        return np.asarray(none), np.asarray(one - none)
