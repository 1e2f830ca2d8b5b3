"""Which runs to train next, under a budget of training FLOPs.

First the run that the law expects most of, in the largest level of compute that the budget pays for: a forecast is
worth most where it will be used. The rest of the budget goes, one run after the other, to where the index is known
least: by its variance under the curvature of the fit, each run chosen counting as measured. Dividing by a run's cost
would spend the budget on small runs, which teach little about large ones (docs/forecasting.md).
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.allocate.budgets import check_sensible
from t2scaling.arrays import Array, Flags
from t2scaling.costs import PAPER, CostModel
from t2scaling.errors import ArgumentError, require
from t2scaling.laws.isoflop import isoflop_groups
from t2scaling.laws.result import FitResult
from t2scaling.laws.solvers.bottleneck import fit_index, log_loss_of
from t2scaling.units import format_flops

_SAME = 0.05  # in log N and log D: a run this near to a measured one is that run
_MOST_RUNS = 50


@dataclass(frozen=True)
class NextRun:
    """One run to train, and why."""

    n_params: float
    n_tokens: float
    train_flops: float
    why: str


def next_runs(
    fit: FitResult,
    train_flops: float,
    inference_flops: float | None = None,
    *,
    candidates: tuple[Array, Array] | None = None,
    cost: CostModel = PAPER,
) -> list[NextRun]:
    """The runs that a budget is best spent on, in the order of choice.

    train_flops      for all of them together
    inference_flops  per token served: how many samples the best run is judged at; default one of the largest size
    candidates       N and D of the runs that could be trained, both (n,); default the suite's sizes, those halfway
                     between them and one beyond, at its levels of compute and further ones, up to the budget

    Raises ArgumentError for an absurd budget, and where it pays for no candidate.
    """
    check_sensible("train_flops", train_flops)
    serves = inference_flops is None or inference_flops > 0
    require(serves, "inference_flops", inference_flops, "be above zero, such as 2e9")
    curves = fit.curves
    N, D = _grid(fit, train_flops) if candidates is None else candidates
    spent = cost.train(N, D)
    fresh = _fresh(N, D, curves.N, curves.D) & (spent <= train_flops)
    if not fresh.any():
        raise ArgumentError(
            f"`train_flops` = {format_flops(train_flops)} pays for no run that is not there already: the cheapest new "
            f"one takes {format_flops(float(spent.min()))}."
        )
    N, D, spent = N[fresh], D[fresh], spent[fresh]
    best = _best_of_the_top(fit, N, D, spent, inference_flops, cost)
    chosen, why = [best], ["best of the largest level that the budget pays for, by the law"]
    left = train_flops - spent[best]
    index = fit_index(curves.N, curves.D, log_loss_of(curves.pass_at_k[:, 0])[None])
    precision = index.precision(curves.N, curves.D)
    slopes = index.slopes(N, D)
    noise = float(index.spread[0])
    precision = precision + np.outer(slopes[best], slopes[best]) / noise**2
    while len(chosen) < _MOST_RUNS:
        variance = np.einsum("np,pq,nq->n", slopes, np.linalg.inv(precision), slopes)
        open_ = (spent <= left) & ~np.isin(np.arange(len(N)), chosen)
        if not open_.any():
            break
        most = int(np.argmax(np.where(open_, variance, -np.inf)))
        chosen.append(most)
        why.append(f"the index is known here to ± {np.sqrt(variance[most]):.2g} in log(−log pass@1)")
        left -= spent[most]
        precision = precision + np.outer(slopes[most], slopes[most]) / noise**2
    return [NextRun(float(N[i]), float(D[i]), float(spent[i]), text) for i, text in zip(chosen, why, strict=True)]


def _best_of_the_top(
    fit: FitResult, N: Array, D: Array, spent: Array, inference_flops: float | None, cost: CostModel
) -> int:
    """Position of the run that the law expects most of, among those of the largest level."""
    labels = isoflop_groups(spent)
    top = np.flatnonzero(labels == labels.max())
    serve = float(np.max(cost.serve(fit.curves.N, 1.0))) if inference_flops is None else inference_flops
    k = cost.samples(N[top], serve)
    able = top[k >= 1]
    if not able.size:
        able, k = top, np.ones(len(top))
    samples = np.maximum(cost.samples(N[able], serve), 1.0)
    said = fit.law.predict(N[able], D[able], samples)
    return int(able[np.argmax(said if fit.law.metric == "pass_at_k" else -said)])


def _grid(fit: FitResult, budget: float) -> tuple[Array, Array]:
    """The suite's sizes, those between them and one beyond, at its levels of compute and beyond, near its D/N."""
    curves = fit.curves
    flops = curves.flops
    labels = isoflop_groups(flops)
    levels = np.array([np.median(flops[labels == label]) for label in np.unique(labels)])
    step = float(np.median(levels[1:] / levels[:-1])) if len(levels) > 1 else 2.0
    while levels[-1] * step <= budget and len(levels) < 200:
        levels = np.append(levels, levels[-1] * step)
    known = np.unique(curves.N)
    ends = known[[0, -1]] * np.array([known[0] / known[1], known[-1] / known[-2]]) if len(known) > 1 else known
    sizes = np.unique([*known, *np.sqrt(known[1:] * known[:-1]), *ends])
    N, C = (part.ravel() for part in np.meshgrid(sizes, levels, indexing="ij"))
    D = PAPER.tokens(N, C)
    low, high = fit.support["tokens_per_param"]
    inside = (low / 2 <= D / N) & (2 * high >= D / N)
    return N[inside], D[inside]


def _fresh(N: Array, D: Array, measured_N: Array, measured_D: Array) -> Flags:
    """Whether no measured run is that run."""
    n = np.abs(np.log(N[:, None] / measured_N)) < _SAME
    d = np.abs(np.log(D[:, None] / measured_D)) < _SAME
    return ~np.any(n & d, axis=1)
