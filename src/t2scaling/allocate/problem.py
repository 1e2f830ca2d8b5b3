"""Two ways to spend: what a budget leaves for N and D once k is chosen.

`TwoBudgets`  6·N·D ≤ train_flops and 2·N·k ≤ inference_flops (arXiv 2604.01411, Eq. 1)
`Lifetime`    6·N·D + 2·N·k·tokens_served = total_flops (Sardana et al. 2024, arXiv 2401.00448, with k samples)

The factors come from the cost model, of which only that training ∝ N·D and serving ∝ N·k is used here: N·D = C/6 is
`cost.tokens(1, C)`, and the size that D tokens leave is `cost.tokens(D, C)`, N and D being each other's mirror.

For a given k each finds the N and D of least training loss in closed form or by Newton's method: for a law
E + A·N^−alpha + B·D^−beta the problem is convex in log N and log D, so limits on N are met by clipping. The outer
search (`optimum.py`) then only has to choose k. `Limits` says which N and D may be had. Everything is elementwise
over arrays of one shape (n,): budgets, and the fields of the law.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from t2scaling.costs import PAPER, CostModel
from t2scaling.laws import ChinchillaLaw

Array = NDArray[np.float64]

# Where samples leave nothing for training, D is this instead of 0, so that the loss is huge and not infinite.
_LEAST_TOKENS = 1e-9


@dataclass(frozen=True)
class Limits:
    """What may be chosen.

    sizes       menu of N, or empty for any
    n_range     least and greatest N
    max_tokens  greatest D, the tokens one has
    integer_k   whole samples only
    """

    sizes: tuple[float, ...] = ()
    n_range: tuple[float, float] = (1.0, np.inf)
    max_tokens: float = np.inf
    integer_k: bool = False

    def __post_init__(self) -> None:
        lo, hi = self.n_range
        if not 0 < lo <= hi:
            raise ValueError(f"`n_range` = {lo:g}, {hi:g} must be two positive sizes, the smaller first.")
        if not self.max_tokens > 0:
            raise ValueError(f"`max_tokens` = {self.max_tokens:g} must be positive: it is the tokens you have.")
        bad = [size for size in self.sizes if not (np.isfinite(size) and size > 0)]
        if bad:
            raise ValueError(f"`sizes` holds {bad[0]:g}: every size must be a positive number of parameters.")


@dataclass(frozen=True)
class TwoBudgets:
    """A budget for training and one for each token served. Arrays of shape (n,), FLOPs.

    inference_flops may be infinite, for a law that knows nothing of samples.
    """

    train_flops: Array
    inference_flops: Array
    limits: Limits = field(default_factory=Limits)
    cost: CostModel = PAPER

    @property
    def most_samples(self) -> Array:
        """The k that the smallest N allowed can afford."""
        return self.cost.samples(self.limits.n_range[0], self.inference_flops)

    def samples_at(self, N: Array, D: Array) -> Array:
        """The k that size N can afford."""
        return self.cost.samples(N, self.inference_flops)

    def training(self, law: ChinchillaLaw, k: Array) -> tuple[Array, Array, Array]:
        """(N, D, dL/d log k) of least loss when k samples must be affordable."""
        lo, hi = self.limits.n_range
        most = np.minimum(self.cost.samples(k, self.inference_flops), hi)
        capped = self.cost.tokens(
            self.limits.max_tokens, self.train_flops
        )  # below this size, tokens run out before FLOPs do
        free = np.maximum(chinchilla_n(law, self.train_flops, self.cost), capped)
        N = np.maximum(np.minimum(free, most), lo)
        D = np.minimum(self.cost.tokens(N, self.train_flops), self.limits.max_tokens)
        # Where 2·N·k ≤ C_inf binds, one more sample means a smaller model: dlog N = −dlog k, and D ∝ 1/N unless capped.
        by_size = law.alpha * law.A * N**-law.alpha
        by_tokens = np.where(capped < N, law.beta * law.B * D**-law.beta, 0.0)
        # At the smallest size `most` equals `lo` up to rounding, and the slope there must still be that of a smaller N.
        binds = (most < np.minimum(free, hi)) & (most > lo * (1 - 1e-12))
        return N, D, np.where(binds, by_size - by_tokens, 0.0)


@dataclass(frozen=True)
class Lifetime:
    """One budget for training and for all tokens ever served. Arrays of shape (n,).

    total_flops    FLOPs for both
    tokens_served  tokens of answers over the model's life; each is drawn k times
    """

    total_flops: Array
    tokens_served: Array
    limits: Limits = field(default_factory=Limits)
    cost: CostModel = PAPER

    @property
    def most_samples(self) -> Array:
        """The k at which the smallest N allowed would leave nothing for training (a hair below it)."""
        return self.cost.samples(self.limits.n_range[0], self.total_flops / self.tokens_served) * (1 - 1e-9)

    def samples_at(self, N: Array, D: Array) -> Array:
        """The k that what is left after training N on D can afford."""
        return self.cost.samples(N, (self.total_flops - self.cost.train(N, D)) / self.tokens_served)

    def training(self, law: ChinchillaLaw, k: Array) -> tuple[Array, Array, Array]:
        """(N, D, dL/d log k) of least loss when k samples of each token served must be affordable."""
        lo, hi = self.limits.n_range
        # What serving costs, as training tokens per parameter: a third of the tokens served, by the paper's costs.
        served = k * self.tokens_served * (self.cost.serve(1, 1) / self.cost.train(1, 1))
        capped = self.cost.tokens(self.limits.max_tokens + served, self.total_flops)
        free, free_tokens = served_optimum(law, self.cost.tokens(1, self.total_flops), served)
        N = np.clip(np.maximum(free, capped), lo, hi)
        at_cap = capped >= N  # tokens run out first; told from sizes, since what serving leaves for D cancels
        rest = np.maximum(self.cost.tokens(N, self.total_flops) - served, _LEAST_TOKENS)
        D = np.where(at_cap, self.limits.max_tokens, np.where(free == N, free_tokens, rest))
        by_tokens = law.beta * law.B * D**-law.beta * served / D
        by_size = law.alpha * law.A * N**-law.alpha * served / (D + served)
        on_edge = capped > N  # both N and D are pinned by the limits: k costs no loss
        return N, D, np.where(on_edge, 0.0, np.where(at_cap, by_size, by_tokens))


def chinchilla_n(law: ChinchillaLaw, train_flops: Array, cost: CostModel = PAPER) -> Array:
    """Compute-optimal N, elementwise over laws and budgets; 0 where A = 0 and infinite where B = 0."""
    return law.optimal_params(cost.tokens(1, train_flops))


def served_optimum(law: ChinchillaLaw, product: Array, served: Array, iterations: int = 60) -> tuple[Array, Array]:
    """(N, D) of least loss under N·(D + served) = product (Sardana et al. 2024, turned round), elementwise.

    product   N·D that the whole budget would buy in training
    served    what serving costs, as training tokens per parameter

    At the optimum alpha·A·N^−alpha = beta·B·D^−beta·(1 + served/D), so N follows from D and the cost grows with
    log D with a slope between 1 and 1 + beta/alpha + 1/alpha, monotone: Newton's method converges from anywhere.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_a, log_b = np.log(law.alpha * law.A), np.log(law.beta * law.B)
        log_ratio = (log_a - log_b + law.beta * np.log(product)) / (law.alpha + law.beta)  # Chinchilla's own log N
        x = np.log(product) - log_ratio + np.zeros(np.broadcast_shapes(np.shape(product), np.shape(served)))
        for _ in range(iterations):
            D = np.exp(x)
            log_n = (log_a - log_b + law.beta * x - np.log1p(served / D)) / law.alpha
            gap = log_n + np.log(D + served) - np.log(product)
            share = served / (D + served)
            move = gap / ((law.beta + share) / law.alpha + 1 - share)
            x = x - move
            if np.all(np.abs(np.nan_to_num(move)) <= 1e-15 * np.abs(np.nan_to_num(x))):
                break
        D = np.exp(x)
        N = product / (D + served)
    # A or B at zero: more parameters, or more tokens, never help.
    edge = np.where(np.asarray(law.A) > 0, product / served, 0.0)
    return np.where(np.isfinite(N), N, edge), np.where(np.isfinite(N), D, _LEAST_TOKENS)
