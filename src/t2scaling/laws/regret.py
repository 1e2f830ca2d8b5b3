"""Decisions on measured cells: what a law's choice would have cost.

All runs at or above a level of training compute are hidden. In each hidden level the law, fitted to the rest, chooses
the run that it expects most of at the k that each size affords; its regret is the measured pass@k of the best run there
less that of the one chosen. k is fitted as the decision will use it: up to what the smallest model affords.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.costs import PAPER, CostModel
from t2scaling.laws.base import Law
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.fit import default_k
from t2scaling.laws.heldout import FEWEST_IN_FOLD
from t2scaling.laws.isoflop import isoflop_groups
from t2scaling.laws.measurements import Measurements
from t2scaling.laws.options import FitOptions

HIDDEN_LEVELS = (5, 4, 3, 2)  # how many of the highest levels are hidden, in turn


@dataclass(frozen=True)
class Decision:
    """One choice: the law, the serving budget, the level of compute, and pass@k of the chosen, best and mean run."""

    law: str
    inference_flops: float
    train_flops: float
    chosen: float
    best: float
    mean: float

    @property
    def regret(self) -> float:
        """pass@k lost against the best run of the level."""
        return self.best - self.chosen


def decisions(
    laws: Sequence[type[Law]],
    measurements: Measurements,
    inference_flops: Sequence[float],
    options: FitOptions,
    cost: CostModel = PAPER,
) -> list[Decision]:
    """Every decision of every law, over hidden levels and budgets; empty where there are too few levels.

    inference_flops   budgets per token served
    """
    found = []
    measurements = measurements.with_quantiles()
    for budget in inference_flops:
        k = cost.samples(measurements.N, budget)
        able = k >= 1
        if able.sum() <= FEWEST_IN_FOLD:
            continue
        grid = make_curves(measurements, default_k(measurements.N, budget), options.target)
        reached = pass_at_own_k(measurements, np.maximum(k, 1.0))
        for level, hidden in _hidden_levels(grid.flops):
            train = ~hidden
            part = measurements.take(train)
            for cls in laws:
                if cls.check(grid.take(train)) is not None:
                    continue
                law, _ = cls.of(grid.take(train), options, part)
                for flops, rows in level:
                    rows = rows[able[rows]]
                    if len(rows) < 2:
                        continue
                    said = _merit(law, measurements.N[rows], measurements.D[rows], k[rows])
                    there = reached[rows]
                    choice = float(there[int(np.argmax(said))])
                    found.append(Decision(cls.name, budget, flops, choice, float(there.max()), float(there.mean())))
    return found


def _merit(law: Law, N: Array, D: Array, k: Array) -> Array:
    """What the law would choose by, the larger the better: pass@k, or less of its own loss where it cannot say that."""
    return law.predict(N, D, k, "pass_at_k") if "pass_at_k" in law.metrics else -law.predict(N, D, k)


def pass_at_own_k(measurements: Measurements, k: Array) -> Array:
    """Measured mean pass@k of each run at a k of its own, both of shape (R,)."""
    distinct, where = np.unique(k, return_inverse=True)
    table = make_curves(measurements, distinct, "neg_log_mean")
    column = np.searchsorted(table.k, distinct)[where]
    return table.pass_at_k[np.arange(len(k)), column]


def _hidden_levels(flops: Array) -> Iterator[tuple[list[tuple[float, Positions]], Flags]]:
    """(the hidden levels as (FLOPs, rows), which runs are hidden) for each number of levels hidden."""
    labels = isoflop_groups(flops)
    most = int(labels.max())
    for count in HIDDEN_LEVELS:
        if most + 1 - count < 2:
            continue
        rows = [np.flatnonzero(labels == label) for label in range(most + 1 - count, most + 1)]
        yield [(float(np.median(flops[row])), row) for row in rows], labels > most - count
