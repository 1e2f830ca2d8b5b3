"""A shape for a bare N: what depth, width and cache a model of N parameters would have.

Serving costs turn on the shape; a plan knows N alone. `typical_shape` follows the public models from 5M to 405B
parameters: the 16 sizes of Porian et al. 2024 (arXiv 2406.19146), Llama 3 (1B to 405B), Qwen2 and Qwen3 (0.6B to
72B). Least squares over these 29 shapes gives depth = 0.0614·N^0.287 with a spread of a factor 1.28. The rest is
what most of them do: heads of 128, one key-value width of at most 1,024, d_ff = 3·width, a head of its own.
The rule is smooth in N (depth and width are no whole numbers), so that a search over N sees no steps.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import require

DEPTH_FACTOR, DEPTH_POWER = 0.0614, 0.287
HEAD_DIM = 128.0
KV_WIDTH = 1024.0  # eight key-value heads of 128, from Llama 3's 8B to its 405B
FF_RATIO = 3.0
VOCABULARY = 50_432  # Porian et al.'s, and so the T² paper's


@dataclass(frozen=True)
class TypicalShape:
    """As `Shape`, with real numbers or arrays for fields."""

    width: Any
    depth: Any
    n_heads: Any
    n_kv_heads: Any
    head_dim: Any
    d_ff: Any
    vocab_size: Any
    tied: bool = False


def typical_shape(N: ArrayLike, vocab_size: float = VOCABULARY) -> TypicalShape:
    """The shape that public models of N parameters have (layers and output head, without the input embedding).

    N           parameters, scalar or array; the fields have its shape
    vocab_size  pieces of the vocabulary; where the head would be most of N, width follows from it
    Raises ArgumentError if N is not positive.

    >>> shape = typical_shape(8e9, vocab_size=128_256)
    >>> round(float(shape.depth)), round(float(shape.width))
    (43, 3904)
    """
    N = np.asarray(N, dtype=float)
    require(bool(np.all(N > 0)), "N", float(np.min(N)), "be positive")
    depth = DEPTH_FACTOR * N**DEPTH_POWER
    # N = depth·width·(2·width + 2·kv + 3·FF_RATIO·width) + vocab·width, kv = min(width, KV_WIDTH): two quadratics.
    square = (2 + 3 * FF_RATIO) * depth
    narrow = _positive_root(square + 2 * depth, np.full_like(N, vocab_size), N)
    wide = _positive_root(square, vocab_size + 2 * KV_WIDTH * depth, N)
    width = np.where(narrow <= KV_WIDTH, narrow, wide)
    kv_width = np.minimum(width, KV_WIDTH)
    return TypicalShape(
        width, depth, width / HEAD_DIM, kv_width / HEAD_DIM, np.full_like(N, HEAD_DIM), FF_RATIO * width,
        np.full_like(N, vocab_size),
    )  # fmt: skip


def _positive_root(a: Array, b: Array, c: Array) -> Array:
    """x > 0 with a·x² + b·x = c, in the form that does not cancel."""
    return np.asarray(2 * c / (b + np.sqrt(b * b + 4 * a * c)))
