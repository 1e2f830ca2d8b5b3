"""Two ways to spend: what a budget leaves for D and k once N is chosen, or for N and D once k is.

`TwoBudgets`  train(N, D) ≤ train_flops and serve(N, k) ≤ inference_flops (6·N·D and 2·N·k, arXiv 2604.01411, Eq. 1)
`Lifetime`    train(N, D) + tokens_served·serve(N, k) = total_flops (Sardana et al. 2024, arXiv 2401.00448, with k)

`most_samples`, `tokens` and `affords` serve any cost model: the search (`optimum.py`) is then over log N and, where a
budget is shared, over how it is split. `training` is the closed form of products (cost ∝ N·D and ∝ N·k) under plain
limits: N and D of least training loss for a given k. For E + A·N^−alpha + B·D^−beta that problem is convex in log N and
log D, so limits on N are met by clipping. With products N·D = C/6 is `cost.tokens(1, C)`, and the size that D tokens
leave is `cost.tokens(D, C)`, N and D being each other's mirror. Everything is elementwise over arrays of shape (n,).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.allocate.limits import Limits
from t2scaling.arrays import Array, Flags
from t2scaling.costs import PAPER, CostModel
from t2scaling.laws.chinchilla import SPECK, ChinchillaLaw

Training = Callable[[Array], tuple[Array, Array, Array]]


@dataclass(frozen=True)
class TwoBudgets:
    """A budget for training and one for each token (or query) served. Arrays of shape (n,), in the cost model's units.

    inference_flops may be infinite, for a law that knows nothing of samples.
    """

    train_flops: Array
    inference_flops: Array
    limits: Limits = field(default_factory=Limits)
    cost: CostModel = PAPER

    shared = False  # the budgets are apart: all of each is spent whatever N is

    @property
    def shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(np.shape(self.train_flops), np.shape(self.inference_flops))

    def most_samples(self, N: ArrayLike) -> Array:
        """The greatest k that size N can afford (and the limits allow); below 1 where not one."""
        return np.minimum(self.cost.samples(N, self.inference_flops), self.limits.max_samples)

    def tokens(self, N: Array, k: ArrayLike) -> Array:
        """The D that size N is trained on; k is paid from the other budget."""
        return np.minimum(self.cost.tokens(N, self.train_flops), self.limits.most_tokens(N))

    def affords(self, N: Array, k: ArrayLike, D: Array | None = None) -> Flags:
        """Whether size N can be trained within the limits and draw k samples; D is `tokens(N, k)` where it is known."""
        D = self.tokens(N, k) if D is None else D
        return _enough(self.most_samples(N), k) & _enough(D, self.limits.least_tokens(N))

    def samples_at(self, N: Array, D: Array) -> Array:
        """The k that size N trained on D can afford."""
        return self.most_samples(N)

    def training(self, law: ChinchillaLaw) -> Training:
        """k → (N, D, dL/d log k) of least loss when k samples must be affordable; products and plain limits only."""
        lo, hi = self.limits.n_range
        capped = self.cost.tokens(self.limits.max_tokens, self.train_flops)  # below this size, tokens run out first
        last = self.cost.tokens(self.limits.min_tokens, self.train_flops)  # the size whose tokens are the least allowed
        free = np.maximum(law.optimal_params(self.cost.tokens(1, self.train_flops)), capped)
        free = np.minimum(np.minimum(free, last), hi)

        def at(k: Array) -> tuple[Array, Array, Array]:
            most = self.cost.samples(k, self.inference_flops)
            N = np.maximum(np.minimum(free, most), lo)
            D = np.minimum(self.cost.tokens(N, self.train_flops), self.limits.max_tokens)
            # Where serve(N, k) binds, one more sample means a smaller model: dlog N = −dlog k, and D ∝ 1/N unless
            # capped. At the smallest size `most` equals `lo` up to rounding, and the slope must still be that of a
            # smaller N.
            binds = (most < free) & (most > lo * (1 - 1e-12))
            by_size = law.by_size(N)
            by_tokens = np.where(capped < N, law.by_tokens(D), 0.0)
            return N, D, np.where(binds, by_size - by_tokens, 0.0)

        return at


@dataclass(frozen=True)
class Lifetime:
    """One budget for training and for all that is ever served. Arrays of shape (n,).

    total_flops    for both, in the cost model's training unit
    tokens_served  tokens of answers (or queries) over the model's life, each drawn k times; times what a unit of
                   serving is worth in training units
    """

    total_flops: Array
    tokens_served: Array
    limits: Limits = field(default_factory=Limits)
    cost: CostModel = PAPER

    shared = True

    @property
    def shape(self) -> tuple[int, ...]:
        return np.broadcast_shapes(np.shape(self.total_flops), np.shape(self.tokens_served))

    def most_samples(self, N: ArrayLike) -> Array:
        """The k at which size N would have only its least tokens to be trained on (a hair below it)."""
        N = np.asarray(N, dtype=float)
        return np.minimum(self.samples_at(N, self.limits.least_tokens(N)) * (1 - 1e-9), self.limits.max_samples)

    def tokens(self, N: Array, k: ArrayLike) -> Array:
        """The D that serving k samples leaves for size N."""
        left = self.total_flops - self.cost.serve(N, k) * self.tokens_served
        return np.minimum(self.cost.tokens(N, np.maximum(left, 0.0)), self.limits.most_tokens(N))

    def affords(self, N: Array, k: ArrayLike, D: Array | None = None) -> Flags:
        """Whether size N can be trained within the limits and draw k samples, likewise."""
        D = self.tokens(N, k) if D is None else D
        return _enough(D, self.limits.least_tokens(N)) & _enough(self.limits.max_samples, k)

    def samples_at(self, N: Array, D: Array) -> Array:
        """The k that what is left after training N on D can afford."""
        left = np.maximum(self.total_flops - self.cost.train(N, D), 0.0)
        return np.minimum(self.cost.samples(N, left / self.tokens_served), self.limits.max_samples)

    def training(self, law: ChinchillaLaw) -> Training:
        """k → (N, D, dL/d log k) of least loss when k samples of each token served must be affordable, likewise."""
        lo, hi = self.limits.n_range
        product = self.cost.tokens(1, self.total_flops)
        # What serving costs, as training tokens per parameter: a third of the tokens served, by the paper's costs.
        per_sample = self.tokens_served * (self.cost.serve(1, 1) / self.cost.train(1, 1))

        def at(k: Array) -> tuple[Array, Array, Array]:
            served = k * per_sample
            capped = product / (self.limits.max_tokens + served)
            free, free_tokens = law.served_optimum(product, served)
            N = np.clip(np.maximum(free, capped), lo, hi)
            at_cap = capped >= N  # tokens run out first; told from sizes, since what serving leaves for D cancels
            rest = np.maximum(product / N - served, SPECK)
            D = np.where(at_cap, self.limits.max_tokens, np.where(free == N, free_tokens, rest))
            by_tokens = law.by_tokens(D) * served / D
            by_size = law.by_size(N) * served / (D + served)
            on_edge = capped > N  # both N and D are pinned by the limits: k costs no loss
            return N, D, np.where(on_edge, 0.0, np.where(at_cap, by_size, by_tokens))

        return at


Problem = TwoBudgets | Lifetime


def tiled(problem: Problem, shape: tuple[int, ...]) -> Problem:
    """The same problem for each of many laws."""
    if isinstance(problem, TwoBudgets):
        train, inference = (np.broadcast_to(one, shape) for one in (problem.train_flops, problem.inference_flops))
        return replace(problem, train_flops=train, inference_flops=inference)
    total, served = (np.broadcast_to(one, shape) for one in (problem.total_flops, problem.tokens_served))
    return replace(problem, total_flops=total, tokens_served=served)


def _enough(amount: ArrayLike, least: ArrayLike) -> Flags:
    """An amount that reaches the least allowed, up to rounding."""
    return np.asarray(amount) >= np.asarray(least) * (1 - 1e-12)
