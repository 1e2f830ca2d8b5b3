"""Readings taken straight from a suite's cells: compute levels, losses, and pass@k at each cell's own k.

Nothing here is fitted. Shapes: R runs, Q questions. A cell's own k is what its size can afford, C_inf / (2·N).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from t2scaling.costs import samples_afforded
from t2scaling.costs import train_flops as counted_flops
from t2scaling.laws.measurements import Measurements
from t2scaling.passk import mean_and_error, neg_log_pass_at_k_from_nll, pass_at_k, pass_at_k_from_nll

Array = NDArray[np.float64]

# Runs of one level differ in FLOPs by the rounding of tokens to whole steps; levels are factors apart.
_GAP = 1.2


@dataclass(frozen=True)
class Reading:
    """One cell at one k.

    pass_at_k  mean over questions; se is its standard error with the question as the unit
    """

    run_id: str
    n_params: float
    n_tokens: float
    k: float
    pass_at_k: float
    se: float


def train_flops(cells: Measurements) -> Array:
    """Training FLOPs of each cell, shape (R,)."""
    return counted_flops(cells.N, cells.D) if cells.train_flops is None else cells.train_flops


def overtrained(cells: Measurements) -> NDArray[np.bool_]:
    """Which cells the suite marks as overtrained, shape (R,)."""
    return np.zeros(cells.N.size, dtype=bool) if cells.overtrained is None else cells.overtrained


def select(cells: Measurements, keep: NDArray[np.bool_]) -> Measurements:
    """The measurements of the runs where `keep`, shape (R,), is true."""
    runs = {"N", "D", "nll", "n", "c", "train_flops", "overtrained"}
    parts = {f.name: getattr(cells, f.name) for f in fields(cells) if f.name in runs}
    kept = {name: value[keep] for name, value in parts.items() if value is not None}
    return replace(cells, run_id=tuple(np.asarray(cells.run_id)[keep]), **kept)


def levels(cells: Measurements) -> list[NDArray[np.intp]]:
    """Indices of the runs of each isoFLOP level, by rising FLOPs, each sorted by N."""
    flops = train_flops(cells)
    order = np.argsort(flops, kind="stable")
    breaks = np.flatnonzero(np.diff(np.log(flops[order])) > np.log(_GAP)) + 1
    return [level[np.argsort(cells.N[level], kind="stable")] for level in np.split(order, breaks)]


def task_loss(cells: Measurements) -> Array:
    """Mean over questions of −log pass@1, nats, shape (R,); for counts, −log of the mean."""
    if cells.nll is not None:
        return mean_and_error(cells.nll, cells.question_weight)[0]
    assert cells.n is not None
    assert cells.c is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.log(mean_and_error(cells.c / cells.n, cells.question_weight)[0])


def pass_values(cells: Measurements, run: int, k: float) -> Array:
    """pass@k of one run on each question, shape (Q,)."""
    if cells.nll is not None:
        return pass_at_k_from_nll(cells.nll[run], k)
    assert cells.n is not None
    assert cells.c is not None
    return pass_at_k(cells.n[run], cells.c[run], k)


def own_k(cells: Measurements, inference_flops: float) -> Array:
    """k = C_inf / (2·N) of each run, shape (R,); NaN where the budget is below one sample."""
    k = samples_afforded(cells.N, inference_flops)
    # The budget 2·N_max is meant to buy the largest model one sample, whatever the last digit says.
    return np.where(k >= 1 - 1e-9, np.maximum(k, 1.0), np.nan)


def neg_log_pass(cells: Measurements, k: Array) -> Array:
    """Mean over questions of −log pass@k at each run's k, shape (R,); likelihoods only."""
    assert cells.nll is not None
    rows = [neg_log_pass_at_k_from_nll(nll, samples) for nll, samples in zip(cells.nll, k, strict=True)]
    return mean_and_error(np.array(rows), cells.question_weight)[0]


def reading(cells: Measurements, run: int, k: float) -> Reading:
    """pass@k of one run with its standard error."""
    mean, error = mean_and_error(pass_values(cells, run, k), cells.question_weight)
    return Reading(cells.run_id[run], float(cells.N[run]), float(cells.D[run]), float(k), float(mean), float(error))


def inner_minima(cells: Measurements) -> list[bool]:
    """For each level of three cells or more: is the smallest loss at neither end in N?"""
    loss = task_loss(cells)
    inner = []
    for level in levels(cells):
        if len(level) >= 3:
            best = int(np.argmin(loss[level]))
            inner.append(0 < best < len(level) - 1)
    return inner
