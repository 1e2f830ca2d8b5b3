"""Model shapes and their exact parameter counts.

The architecture is Qwen3's as `transformers` ships it: pre-norm blocks of grouped-query attention with QK-norm and
rotary positions, SwiGLU, RMSNorm, no biases, and an output head that is not tied to the input embedding. Every count
is a sum of the groups below, and a test compares them with the real model's tensors.

Conventions (`n_params(convention)`):
    with_head       matrices of the blocks and the output head. This is N unless said otherwise: the matrices that each
                    token is multiplied by, so that training costs about 6·N and sampling 2·N FLOPs per token. Norm
                    weights are left out, as in Porian et al. 2024: (4·width + 3·d_ff)·width·depth + vocab·width.
    non_embedding   matrices of the blocks alone.
    total           every trained number: also the input embedding and the norm weights.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CONVENTIONS = {
    "with_head": ("attention", "mlp", "head"),
    "non_embedding": ("attention", "mlp"),
    "total": ("embedding", "attention", "mlp", "norms", "head"),
}


@dataclass(frozen=True)
class ModelShape:
    """Width, depth and the other sizes of one model.

    width        size of the residual stream
    depth        number of blocks
    n_heads      attention heads, each of width / n_heads
    d_ff         inner width of the SwiGLU
    vocab_size   tokens known to the embedding and the head
    n_kv_heads   heads of keys and values; n_heads where left out

    Raises ValueError for a shape that no model can have.
    """

    width: int
    depth: int
    n_heads: int
    d_ff: int
    vocab_size: int
    n_kv_heads: int | None = None

    def __post_init__(self) -> None:
        for name in ("width", "depth", "n_heads", "d_ff", "vocab_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` = {value!r} is not a positive whole number.")
        if self.width % self.n_heads or self.head_dim % 2:
            raise ValueError(
                f"`width` = {self.width} does not split into `n_heads` = {self.n_heads} heads of an even size, which "
                "rotary positions need. Choose a width that is a multiple of 2·n_heads."
            )
        if self.n_heads % self.kv_heads:
            raise ValueError(f"`n_kv_heads` = {self.kv_heads} does not divide `n_heads` = {self.n_heads}.")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.width // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def name(self) -> str:
        """A short name for tables and folders: w64-d3."""
        return f"w{self.width}-d{self.depth}"

    def groups(self) -> dict[str, int]:
        """Parameters by group; the groups add up to the whole model."""
        attention = 2 * self.width * self.head_dim * (self.n_heads + self.kv_heads)
        return {
            "embedding": self.vocab_size * self.width,
            "attention": self.depth * attention,
            "mlp": self.depth * 3 * self.width * self.d_ff,
            "norms": self.depth * 2 * (self.width + self.head_dim) + self.width,
            "head": self.vocab_size * self.width,
        }

    def n_params(self, convention: str = "with_head") -> int:
        """Parameters under a convention: with_head (N unless said otherwise), non_embedding or total."""
        if convention not in CONVENTIONS:
            raise ValueError(f"`convention` = {convention!r} is unknown: use one of {', '.join(CONVENTIONS)}.")
        groups = self.groups()
        return sum(groups[group] for group in CONVENTIONS[convention])

    def to_dict(self) -> dict[str, Any]:
        """The fields as a plain dict; `ModelShape(**d)` makes the shape again."""
        return asdict(self)
