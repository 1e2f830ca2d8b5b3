"""FLOPs of training and of sampling. One multiply-add is two FLOPs; a backward pass is two forward passes.

Two levels of detail. From N alone: `train_flops` 6·N·D and `sample_flops` 2·N·k, the accounting of the laws, blind
to attention. From a shape: `forward_flops` counts every matrix and, with a context, attention's own products.
"""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs.params import ShapeLike, n_params


def train_flops(N: ArrayLike, D: ArrayLike) -> Array:
    """6·N·D: 2 forward and 4 backward per parameter and token (Kaplan et al. 2020, arXiv 2001.08361, §2.1).

    N should count the head and not the input embedding (`with_head`). Attention's own products are left out. A product
    beyond what a float holds is infinite.
    """
    with np.errstate(over="ignore"):
        return 6 * np.asarray(N, dtype=float) * np.asarray(D, dtype=float)


def sample_flops(N: ArrayLike, k: ArrayLike) -> Array:
    """2·N·k: FLOPs to draw k samples of one output token (Roberts et al. 2026, arXiv 2604.01411, Eq. 1).

    Leaves out the prompt, attention over the context, and memory traffic (see `serving` and `kinetics`).
    """
    return 2 * np.asarray(N, dtype=float) * np.asarray(k, dtype=float)


def tokens_afforded(N: ArrayLike, train_flops: ArrayLike) -> Array:
    """D = C/(6·N), the inverse of `train_flops`; N and D are each other's mirror in it, so it gives N from D too.

    >>> float(tokens_afforded(1e9, 1.2e20))
    20000000000.0
    """
    return np.asarray(train_flops, dtype=float) / (6 * np.asarray(N, dtype=float))


def samples_afforded(N: ArrayLike, inference_flops: ArrayLike) -> Array:
    """k = C_inf/(2·N), the inverse of `sample_flops`; it gives N from k too. Below 1 not one sample is afforded.

    >>> float(samples_afforded(1e9, 8e9))
    4.0
    """
    return np.asarray(inference_flops, dtype=float) / (2 * np.asarray(N, dtype=float))


def train_flops_per_token(shape: ShapeLike, sequence_length: int, attention: bool = True) -> float:
    """6·N + 6·sequence·width·depth with N of `with_head` (Porian et al. 2024, arXiv 2406.19146).

    The second term is attention at the mean causal context, sequence/2; `attention` = False leaves it out. It takes
    n_heads·head_dim to be the width, as in their shapes.
    """
    products = 6 * sequence_length * shape.width * shape.depth if attention else 0
    return float(6 * n_params(shape) + products)


def forward_flops(shape: ShapeLike, context: float = 0) -> float:
    """FLOPs of one token's forward pass that attends to `context` tokens; 0 leaves attention's products out.

    layers·[2·d·h·hd·2 + 2·d·h_kv·hd·2 + 4·h·hd·context + 6·d·d_ff] + 2·d·V.
    """
    return 2 * n_params(shape) + attention_flops(shape, context)


def attention_flops(shape: ShapeLike, context: float) -> float:
    """4·h·hd·context per layer: the products of a query with the keys and of the weights with the values."""
    return 4 * shape.depth * shape.n_heads * shape.head_dim * context


def matched_inference_factor(model_factor: float, pretrain_tokens: float, inference_tokens: float) -> float:
    """M + 3·(D_pre/D_inf)·(M − 1): how much more a small model may infer for the FLOPs of one M times its size.

    Pretraining 6·N·D_pre and inference 2·N·D_inf are added up (Snell et al. 2024, arXiv 2408.03314).
    """
    return model_factor + 3 * (pretrain_tokens / inference_tokens) * (model_factor - 1)
