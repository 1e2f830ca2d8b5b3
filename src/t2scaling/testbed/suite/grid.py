"""Cells and the grids they come from: sizes by training budgets, one isoFLOP profile per budget.

A budget C and a size N fix the tokens, D = C / 6N. A grid keeps the cells whose D/N lies within bounds, and marks as
overtrained those beyond the ordinary range, which the paper adds to see whether a law fitted without them holds there
(Roberts et al. 2026, arXiv 2604.01411, Figure 8).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import ConfigDict

from t2scaling.costs import Convention, tokens_afforded, train_flops
from t2scaling.errors import SuiteError, require
from t2scaling.testbed.suite.shape import ModelShape


@dataclass(frozen=True)
class Cell:
    """One run of a suite.

    run_id        unique name: size and budget
    shape         the model
    n_params      N with the output head and without the input embedding
    n_tokens      D, a whole number of steps
    train_flops   6·N·D of this cell; `level` up to rounding to whole steps
    level         the nominal training budget in FLOPs
    overtrained   beyond the ordinary range of D/N
    batch_size    sequences per optimiser step
    seed          added to the suite's: runs of one size and budget that differ in nothing else
    """

    run_id: str
    shape: ModelShape
    n_params: int
    n_tokens: int
    train_flops: float
    level: float
    overtrained: bool
    batch_size: int
    seed: int = 0

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)  # how suite.json is read

    @property
    def tokens_per_param(self) -> float:
        """D/N."""
        return self.n_tokens / self.n_params


@dataclass(frozen=True)
class BatchRule:
    """Tokens per step, growing with the square root of D so that small budgets keep enough steps.

    tokens      tokens per step of a run of `at` tokens
    smallest    never fewer tokens per step; rates that suit large batches fail on very small ones
    largest     never more

    A rule with smallest = largest is a fixed batch, as in the paper.
    """

    tokens: float
    at: float
    smallest: int
    largest: int

    def sequences(self, n_tokens: float, seq_len: int) -> int:
        """Sequences of `seq_len` tokens per step for a run of `n_tokens`."""
        wanted = self.tokens * math.sqrt(n_tokens / self.at)
        return max(1, round(min(max(wanted, self.smallest), self.largest) / seq_len))


def fixed_batch(tokens: int) -> BatchRule:
    """The same number of tokens per step for every run."""
    return BatchRule(tokens, 1.0, tokens, tokens)


def cell(
    shape: ModelShape,
    level: float,
    *,
    seq_len: int,
    batch: BatchRule,
    overtrained: bool = False,
    convention: Convention = "with_head",
    run_id: str | None = None,
) -> Cell:
    """The run of `shape` at the budget `level`: D = level / 6N, rounded to whole steps (at least one)."""
    n_params = shape.n_params(convention)
    wanted = float(tokens_afforded(n_params, level))
    batch_size = batch.sequences(wanted, seq_len)
    per_step = batch_size * seq_len
    n_tokens = max(1, round(wanted / per_step)) * per_step
    name = run_id or f"{shape.name}-c{level:.3g}".replace("e+", "e").replace("e0", "e")
    return Cell(name, shape, n_params, n_tokens, float(train_flops(n_params, n_tokens)), level, overtrained, batch_size)


def share_batches(cells: Iterable[Cell], seq_len: int) -> list[Cell]:
    """The same cells with one batch size per shape, the geometric mean over its cells: what a shared trunk needs."""
    cells = list(cells)
    shared = []
    for old in cells:
        sizes = [math.log(other.batch_size) for other in cells if other.shape == old.shape]
        batch_size = max(1, round(math.exp(sum(sizes) / len(sizes))))
        per_step = batch_size * seq_len
        n_tokens = max(1, round(float(tokens_afforded(old.n_params, old.level)) / per_step)) * per_step
        flops = float(train_flops(old.n_params, n_tokens))
        shared.append(replace(old, batch_size=batch_size, n_tokens=n_tokens, train_flops=flops))
    return shared


def levels(first: float, last: float, step: float) -> list[float]:
    """Budgets from `first` to at most `last`, each `step` times the one before."""
    require(0 < first <= last, "first", first, f"be positive and at most `last` = {last!r}")
    require(step > 1, "step", step, "be above 1")
    count = int(math.log(last / first) / math.log(step) + 1e-9) + 1
    return [first * step**index for index in range(count)]


def with_seeds(cells: Iterable[Cell], n_seeds: int, n_levels: int | None = None) -> list[Cell]:
    """The cells, and behind them those of the highest `n_levels` budgets again with each further seed.

    n_seeds    runs of each of these cells; the second is named with -s1, and so on
    n_levels   budgets counted from the highest; None is all
    """
    cells = list(cells)
    highest = sorted({cell.level for cell in cells}, reverse=True)[:n_levels]
    again = [cell for cell in cells if cell.level in highest]
    return cells + [
        replace(cell, run_id=f"{cell.run_id}-s{seed}", seed=seed) for seed in range(1, n_seeds) for cell in again
    ]


def isoflop_grid(
    shapes: Sequence[ModelShape],
    budgets: Iterable[float],
    *,
    seq_len: int,
    batch: BatchRule,
    ratio: tuple[float, float],
    overtrained_ratio: float | None = None,
    overtrained_shapes: Sequence[ModelShape] | None = None,
    min_steps: int = 20,
    max_tokens: float = math.inf,
) -> list[Cell]:
    """Cells of every size and budget with D/N in `ratio` (inclusive), by rising budget, then size.

    overtrained_ratio    also keep cells up to this D/N, marked overtrained (the overtrained extension)
    overtrained_shapes   only these sizes are extended; all where left out
    min_steps            leave out cells with fewer optimiser steps: they say more about warmup than about N and D
    max_tokens           leave out cells with more tokens, which a finite text does not have

    Raises SuiteError where no cell is left, or where a budget keeps none.
    """
    low, high = ratio
    if not 0 < low < high:
        raise SuiteError(f"`ratio` = {ratio!r}: the bounds on D/N must satisfy 0 < low < high.")
    if overtrained_ratio is not None and overtrained_ratio <= high:
        raise SuiteError(f"`overtrained_ratio` = {overtrained_ratio!r} must lie above the ordinary bound {high!r}.")
    extended = set(shapes if overtrained_shapes is None else overtrained_shapes)
    grid: list[Cell] = []
    for level in budgets:
        row = []
        for shape in sorted(shapes, key=ModelShape.n_params):
            tokens_per_param = float(tokens_afforded(shape.n_params(), level)) / shape.n_params()
            over = tokens_per_param > high
            limit = overtrained_ratio if overtrained_ratio is not None and shape in extended else high
            if not low <= tokens_per_param <= limit:
                continue
            candidate = cell(shape, level, seq_len=seq_len, batch=batch, overtrained=over)
            if min_steps * candidate.batch_size * seq_len <= candidate.n_tokens <= max_tokens:
                row.append(candidate)
        if not row:
            raise SuiteError(
                f"`budgets`: no size keeps D/N within [{low:g}, {high:g}] and {min_steps} steps at {level:.3g} FLOPs. "
                "Leave the budget out, widen `ratio`, or add a size."
            )
        grid += row
    return grid
