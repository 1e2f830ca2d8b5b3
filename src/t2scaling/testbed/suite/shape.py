"""Model shapes and their exact parameter counts.

The architecture is Qwen3's as `transformers` ships it: pre-norm blocks of grouped-query attention with QK-norm and
rotary positions, SwiGLU, RMSNorm, no biases, and an output head that is not tied to the input embedding. `costs` counts
the parameters; a test compares every group with the tensors of the real model. N is `n_params("with_head")` unless said
otherwise: all matrices but the input embedding, and no norm weights, as in Porian et al. 2024 (arXiv 2406.19146),
(4·width + 3·d_ff)·width·depth + vocab·width.
"""

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict

from t2scaling import costs
from t2scaling.errors import ArgumentError, require


@dataclass(frozen=True)
class ModelShape:
    """Width, depth and the other sizes of one model.

    width        size of the residual stream
    depth        number of blocks
    n_heads      attention heads, each of width / n_heads
    d_ff         inner width of the SwiGLU
    vocab_size   tokens known to the embedding and the head
    n_kv_heads   heads of keys and values; as many as n_heads where 0 or left out

    Raises ArgumentError for a shape that no model can have.
    """

    width: int
    depth: int
    n_heads: int
    d_ff: int
    vocab_size: int
    n_kv_heads: int = 0

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)  # how suite.json is read

    def __post_init__(self) -> None:
        if self.n_kv_heads == 0:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        for name in ("width", "depth", "n_heads", "d_ff", "vocab_size", "n_kv_heads"):
            value = getattr(self, name)
            require(isinstance(value, int) and value > 0, name, value, "be a positive whole number")
        if self.width % (2 * self.n_heads):
            raise ArgumentError(
                f"`width` = {self.width} does not split into `n_heads` = {self.n_heads} heads of an even size, which "
                "rotary positions need. Choose a width that is a multiple of 2·n_heads."
            )
        divides = self.n_heads % self.n_kv_heads == 0
        require(divides, "n_kv_heads", self.n_kv_heads, f"divide `n_heads` = {self.n_heads}")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.width // self.n_heads

    @property
    def tied(self) -> bool:
        """Whether the output head is the input embedding: never here."""
        return False

    @property
    def name(self) -> str:
        """A short name for tables and folders: w64-d3."""
        return f"w{self.width}-d{self.depth}"

    def groups(self) -> dict[str, int]:
        """Parameters by group (embedding, attention, mlp, norms, head); the groups add up to the whole model."""
        return costs.param_groups(self)

    def n_params(self, convention: costs.Convention = "with_head") -> int:
        """Parameters under a convention: with_head (N unless said otherwise), non_embedding or total."""
        return costs.n_params(self, convention)

    def to_dict(self) -> dict[str, Any]:
        """The fields as a plain dict; `ModelShape(**d)` makes the shape again."""
        return asdict(self)
