"""What a cost model is, and the paper's: 6·N·D to train, 2·N·k for each token served.

A cost model is a value. `train` and `serve` say what N, D and k cost; `tokens` and `samples` turn a budget round, into
the D or k that it buys. Plans, frontiers and pages ask it and hold no factor of their own. Arrays broadcast.

`product` is True where train ∝ N·D and serve ∝ N·k, with constant factors: then the closed forms of the optimum hold.
Any other model is searched, and needs `samples` to fall with N (0 where a size cannot be served at all).
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Protocol, runtime_checkable

from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs.flops import sample_flops, samples_afforded, tokens_afforded, train_flops
from t2scaling.errors import ArgumentError
from t2scaling.foreign import short

# The longest contexts hold some 1e7 tokens, and no other amount in a cost model is as large.
_LEAST_AMOUNT, _MOST_AMOUNT = 1e-9, 1e9


@runtime_checkable
class CostModel(Protocol):
    """What planning asks of a cost model.

    name, label   for files, and for people
    train_unit    of `train`, such as FLOPs
    serve_unit    of `serve`, such as "FLOPs per token served" or "GPU-seconds per query"
    product       whether train ∝ N·D and serve ∝ N·k
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def train_unit(self) -> str: ...
    @property
    def serve_unit(self) -> str: ...
    @property
    def product(self) -> bool: ...

    def train(self, N: ArrayLike, D: ArrayLike) -> Array:
        """Cost of training N parameters on D tokens."""

    def serve(self, N: ArrayLike, k: ArrayLike) -> Array:
        """Cost of k samples from N parameters, per token or query served."""

    def tokens(self, N: ArrayLike, train_budget: ArrayLike) -> Array:
        """D that a training budget buys."""

    def samples(self, N: ArrayLike, serve_budget: ArrayLike) -> Array:
        """k that a serving budget buys; below 1 where it cannot afford one."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for plan.json."""


class FlopsTraining:
    """The training that cost models of serving share: 6·N·D FLOPs."""

    train_unit: ClassVar[str] = "FLOPs"

    def train(self, N: ArrayLike, D: ArrayLike) -> Array:
        """6·N·D FLOPs."""
        return train_flops(N, D)

    def tokens(self, N: ArrayLike, train_budget: ArrayLike) -> Array:
        """D = C/(6·N)."""
        return tokens_afforded(N, train_budget)


@dataclass(frozen=True)
class PaperCost(FlopsTraining):
    """6·N·D to train and 2·N·k per token served (Roberts et al. 2026, arXiv 2604.01411, Eq. 1).

    >>> cost = PaperCost()
    >>> float(cost.tokens(1e9, 1.2e20)), float(cost.samples(1e9, 8e9))
    (20000000000.0, 4.0)
    """

    name: ClassVar[str] = "paper"
    label: ClassVar[str] = "6·N·D to train, 2·N·k per token served"
    serve_unit: ClassVar[str] = "FLOPs per token served"
    product: ClassVar[bool] = True

    def serve(self, N: ArrayLike, k: ArrayLike) -> Array:
        """2·N·k FLOPs per token served."""
        return sample_flops(N, k)

    def samples(self, N: ArrayLike, serve_budget: ArrayLike) -> Array:
        """k = C_inf/(2·N)."""
        return samples_afforded(N, serve_budget)

    def to_dict(self) -> dict[str, Any]:
        """Its name: it has no settings."""
        return {"name": self.name}


PAPER = PaperCost()


def check_amounts(model: Any, *names: str, zero: bool = False) -> None:
    """Judge fields of a cost model: token counts, prices, seconds and the like, each a number or None.

    zero   whether they may be 0
    Raises ArgumentError for the first that cannot be, or that is beyond all there is.
    """
    for name in names:
        value = getattr(model, name)
        if value is None or (zero and value == 0):
            continue
        is_number = isinstance(value, Real)
        if not (is_number and _LEAST_AMOUNT <= value <= _MOST_AMOUNT):
            shown = f"{value:g}" if isinstance(value, float) else short(value)
            allowed = f"{'0 or ' if zero else ''}between {_LEAST_AMOUNT:g} and {_MOST_AMOUNT:g}"
            such = "tokens such as 512" if name.endswith("_tokens") else "a number that somebody has"
            raise ArgumentError(f"`{name}` = {shown} must be {allowed}: give {such}.")
