"""Facts of the runs behind a figure or a finding: budgets, levels, and what a size affords.

`Curves` (averages) and `Measurements` (every question) answer alike. Shapes: R runs.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling import costs
from t2scaling.arrays import Array, Flags, Positions
from t2scaling.laws.isoflop import isoflop_groups
from t2scaling.laws.measurements import Curves, Measurements

Runs = Curves | Measurements

_LEVELS = 14  # more training budgets than this are gathered into bins of equal ratio


@dataclass(frozen=True)
class Level:
    """Runs of about the same training budget, by rising N; `exact` where the suite has few budgets."""

    train_flops: float
    runs: Positions
    exact: bool


def train_flops(runs: Runs) -> Array:
    """Training FLOPs of each run, shape (R,); 6·N·D where the data do not say."""
    return costs.train_flops(runs.N, runs.D) if runs.train_flops is None else runs.train_flops


def overtrained(runs: Runs) -> Flags:
    """Which runs the suite marks as overtrained, shape (R,); none where it does not say."""
    return np.zeros(len(runs.N), dtype=bool) if runs.overtrained is None else runs.overtrained


def samples_at(N: Array, inference_flops: float) -> Array:
    """k = C_inf/(2·N), NaN where the budget does not pay for one sample."""
    k = costs.samples_afforded(N, inference_flops)
    # The budget 2·N_max is meant to buy the largest model one sample, whatever the last digit says.
    return np.where(k >= 1 - 1e-9, np.maximum(k, 1.0), np.nan)


def cells(runs: Runs) -> Positions:
    """Label of the cell that each run is a seed of, shape (R,): runs of one N and one D."""
    return np.unique(np.column_stack([runs.N, runs.D]), axis=0, return_inverse=True)[1].reshape(-1)


def over_seeds(runs: Runs, values: Array) -> Array:
    """The mean over the seeds of each run's cell, shape (R,), alike for all runs of a cell."""
    cell = cells(runs)
    return (np.bincount(cell, values) / np.bincount(cell))[cell]


def levels(runs: Runs) -> list[Level]:
    """The runs by training budget, rising; where there are many budgets, in bins of equal ratio."""
    flops = train_flops(runs)
    groups = isoflop_groups(flops)
    exact = int(groups.max()) < _LEVELS
    if not exact:
        groups = np.digitize(flops, np.geomspace(flops.min(), flops.max() * (1 + 1e-9), _LEVELS + 1)) - 1
    held = (np.flatnonzero(groups == group) for group in np.unique(groups))
    return [
        Level(float(np.exp(np.log(flops[at]).mean())), at[np.argsort(runs.N[at], kind="stable")], exact) for at in held
    ]
