"""Parameters of a transformer, by group and by convention.

The architecture is the one that the suites train and that transformers ships as Qwen3: grouped-query attention with
QK-norm, SwiGLU, RMSNorm, no biases. Groups are counted exactly as that model holds them; a convention says which
groups make up N:

    with_head      attention + mlp + head: every matrix that a token is multiplied with. The N of Porian et al. 2024
                   (arXiv 2406.19146) and of the T² paper, and the one for which 2·N is a forward pass less attention
    non_embedding  attention + mlp: the N of Kaplan et al. 2020 (arXiv 2001.08361)
    total          everything stored: the above with the input embedding and the norms; a tied matrix counts once
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from t2scaling.errors import unknown

Convention = Literal["with_head", "non_embedding", "total"]
CONVENTIONS: dict[str, str] = {
    "with_head": "matrices of the layers and the output head, without input embedding and norms",
    "non_embedding": "matrices of the layers, without input embedding, output head and norms",
    "total": "every parameter stored, with input embedding, output head and norms",
}


class ShapeLike(Protocol):
    """What counting asks of a shape."""

    @property
    def width(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def n_heads(self) -> int: ...
    @property
    def n_kv_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...
    @property
    def d_ff(self) -> int: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def tied(self) -> bool: ...


@dataclass(frozen=True)
class Shape:
    """A transformer's shape; the plainest thing that is `ShapeLike`.

    width, depth          residual width and number of layers
    n_heads, n_kv_heads   query heads, and key-value heads (fewer under grouped-query attention)
    head_dim              width of one head
    d_ff                  inner width of the SwiGLU block
    tied                  whether the output head is the input embedding
    """

    width: int
    depth: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    d_ff: int
    vocab_size: int
    tied: bool = False


def param_groups(shape: ShapeLike) -> dict[str, int]:
    """Parameters stored, by group; their sum is the whole model. A tied head stores nothing of its own."""
    queries = shape.n_heads * shape.head_dim
    keys = shape.n_kv_heads * shape.head_dim
    return {
        "embedding": shape.vocab_size * shape.width,
        "attention": shape.depth * shape.width * (2 * queries + 2 * keys),
        "mlp": shape.depth * 3 * shape.width * shape.d_ff,
        "norms": (2 * shape.depth + 1) * shape.width,  # two per layer and the last one
        "qk_norms": shape.depth * 2 * shape.head_dim,
        "head": 0 if shape.tied else shape.vocab_size * shape.width,
    }


def n_params(shape: ShapeLike, convention: Convention = "with_head") -> int:
    """N under a convention (see the module). Raises ArgumentError for a convention that does not exist."""
    if convention == "total":
        return sum(param_groups(shape).values())
    layers = shape.depth * shape.width * (2 * shape.head_dim * (shape.n_heads + shape.n_kv_heads) + 3 * shape.d_ff)
    if convention == "non_embedding":
        return layers
    if convention == "with_head":
        return layers + shape.vocab_size * shape.width  # a tied head is multiplied with all the same
    raise unknown("convention", convention, CONVENTIONS)
