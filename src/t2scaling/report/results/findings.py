"""What a suite says on the three research questions of arXiv 2604.01411, as numbers.

RQ1  Does test-time compute move the optimum? D/N of the T² optimum against Chinchilla's, by task and on average.
RQ2  Do laws fitted without the overtrained cells predict them, and do the overtrained cells win where it counts?
     Error as in the paper's Figure 4: mean |predicted − observed| / observed at k = C_inf/(2·N).
     Table 1: at one training budget, the best overtrained cell against the ordinary cell of least loss, each at
     its own k, measured on the checkpoints themselves.
RQ3  Both again after fine-tuning (ft) and supervised fine-tuning (sft): Table 2 and Figure 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from t2scaling.allocate import frontier
from t2scaling.errors import FitError
from t2scaling.laws import fit
from t2scaling.laws.measurements import Measurements
from t2scaling.passk import mean_and_error
from t2scaling.report import cells as cell

if TYPE_CHECKING:
    from t2scaling.laws.result import FitResult
    from t2scaling.observations import Observations

LawName = Literal["loss", "accuracy"]
_SMALLEST = 100.0  # parameters: a model below this is no model
LAWS: tuple[LawName, ...] = ("loss", "accuracy")


@dataclass(frozen=True)
class Optimum:
    """RQ1, one row: where a law puts the optimum with test-time compute, and where without.

    ratio             tokens per parameter of the T² optimum
    chinchilla_ratio  the same of the Chinchilla law fitted to the task's k = 1 loss; NaN where it has no optimum
    extrapolates      whether the T² optimum lies outside the N, D, D/N or k that the fit has seen
    """

    task: str
    stage: str
    law: LawName
    train_flops: float
    inference_flops: float
    n_params: float
    k: float
    ratio: float
    chinchilla_ratio: float
    extrapolates: bool

    @property
    def exists(self) -> bool:
        """False where the law has no best size and the search ended at the smallest one."""
        return self.n_params > _SMALLEST


@dataclass(frozen=True)
class Forecast:
    """RQ2, one row: a law fitted to ordinary cells, judged on overtrained ones it has not seen.

    error     mean |predicted − observed| / observed
    bias      mean (predicted − observed) / observed
    in_sample the same mean error on the cells it was fitted to
    absolute  mean |predicted − observed| on the held-out cells, in nats or as a share of questions
    observed  lowest and highest observed value on the held-out cells
    """

    task: str
    law: str
    metric: str
    inference_flops: float
    n_cells: int
    error: float
    bias: float
    in_sample: float
    absolute: float
    observed: tuple[float, float]


@dataclass(frozen=True)
class Pair:
    """Table 1, one row: the best overtrained cell against the Chinchilla-optimal one, at equal budgets.

    difference  overtrained minus Chinchilla pass@k; se from the paired differences over questions
    """

    task: str
    stage: str
    train_flops: float
    inference_flops: float
    overtrained: cell.Reading
    chinchilla: cell.Reading
    difference: float
    se: float


@dataclass(frozen=True)
class Fitted:
    """The Chinchilla law fitted to one task's k = 1 loss: its mean relative error on the cells it was fitted to."""

    task: str
    error: float
    inner_minima: int
    n_levels: int


def tasks_of(observations: Observations, stage: str) -> list[str]:
    """Tasks measured at a stage, sorted, with the macro average first where there are several."""
    at_stage = observations.outcomes.filter(observations.outcomes["stage"] == stage)
    names = sorted(at_stage["task"].unique().to_list())
    return ["macro", *names] if len(names) > 1 else names


def chinchilla_fit(data: Measurements, seed: int) -> Fitted:
    """Fit the Chinchilla law to the k = 1 loss, and count the levels whose least loss lies inside."""
    result = fit(data, law="chinchilla", seed=seed)
    observed = cell.task_loss(data)
    predicted = result.predict(data.N, data.D)
    inner = cell.inner_minima(data)
    return Fitted(data.task, float(np.mean(np.abs(predicted - observed) / observed)), sum(inner), len(inner))


def optima(
    data: Measurements, stage: str, train_flops: list[float], inference_flops: list[float], seed: int
) -> list[Optimum]:
    """RQ1: the optimum under every pair of budgets, by each law fitted to all cells.

    A law that cannot be fitted, or that has no best size, leaves no row.
    """
    usual = _chinchilla_ratios(data, train_flops, seed)
    rows = []
    for budget in inference_flops:
        for law in LAWS:
            result = _fit(data, law, budget, seed)
            if result is not None:
                rows += _optima(result, law, data.task, stage, train_flops, budget, usual)
    return rows


def _chinchilla_ratios(data: Measurements, train_flops: list[float], seed: int) -> list[float]:
    """D/N of the Chinchilla law at each budget; NaN where the law has no inner optimum."""
    try:
        N, D = fit(data, law="chinchilla", seed=seed).law.training_law.optimum(train_flops)
    except (FitError, ValueError):
        return [float("nan")] * len(train_flops)
    return [float(ratio) for ratio in D / N]


def _optima(
    result: FitResult,
    law: LawName,
    task: str,
    stage: str,
    train_flops: list[float],
    inference_flops: float,
    usual: list[float],
) -> list[Optimum]:
    try:
        best = frontier(result, train_flops=train_flops, inference_flops=inference_flops)
    except ValueError:
        return []
    outside = result.outside(best.n_params, best.n_tokens, best.k)
    return [
        Optimum(
            task=task,
            stage=stage,
            law=law,
            train_flops=flops,
            inference_flops=inference_flops,
            n_params=float(best.n_params[i]),
            k=float(best.k[i]),
            ratio=float(best.tokens_per_param[i]),
            chinchilla_ratio=usual[i],
            extrapolates=bool(outside[i]),
        )
        for i, flops in enumerate(train_flops)
    ]


def forecasts(data: Measurements, inference_flops: float, seed: int) -> list[Forecast]:
    """RQ2: fit each law to the ordinary cells and judge it on the overtrained ones, at k = C_inf/(2·N)."""
    over = cell.overtrained(data)
    if not over.any() or over.all():
        return []
    known, held_out = cell.select(data, ~over), cell.select(data, over)
    rows = []
    for law in LAWS:
        result = _fit(known, law, inference_flops, seed)
        if result is None:
            continue
        predicted, seen = _predicted(result, held_out, inference_flops)
        relative = (predicted - seen) / seen
        fitted, known_values = _predicted(result, known, inference_flops)
        rows.append(
            Forecast(
                task=data.task,
                law=law,
                metric=result.law.metric,
                inference_flops=inference_flops,
                n_cells=int(over.sum()),
                error=float(np.mean(np.abs(relative))),
                bias=float(np.mean(relative)),
                in_sample=float(np.mean(np.abs(fitted - known_values) / known_values)),
                absolute=float(np.mean(np.abs(predicted - seen))),
                observed=(float(seen.min()), float(seen.max())),
            )
        )
    return rows


def _predicted(result: FitResult, data: Measurements, inference_flops: float) -> tuple[cell.Array, cell.Array]:
    """The law's metric as predicted and as observed, on the cells that afford a sample."""
    k = cell.own_k(data, inference_flops)
    data, k = cell.select(data, np.isfinite(k)), k[np.isfinite(k)]
    return result.predict(data.N, data.D, k), _observed(result, data, k)


def _observed(result: FitResult, data: Measurements, k: cell.Array) -> cell.Array:
    """What the law's own metric is on the cells."""
    if result.law.metric == "neg_log_pass_at_k" and result.target == "mean_neg_log":
        return cell.neg_log_pass(data, k)
    means = np.array([cell.reading(data, run, samples).pass_at_k for run, samples in enumerate(k)])
    return means if result.law.metric == "pass_at_k" else -np.log(means)


def _fit(data: Measurements, law: LawName, inference_flops: float, seed: int) -> FitResult | None:
    """A fit, or None where this law finds no solution on this task: a row less, not a report less."""
    try:
        return fit(data, law=law, inference_flops=inference_flops, seed=seed)
    except FitError:
        return None


def pairs(data: Measurements, stage: str, inference_flops: float) -> list[Pair]:
    """Table 1 at every level that has overtrained cells, by rising FLOPs."""
    rows = []
    for level in cell.levels(data):
        row = _pair(data, stage, level, inference_flops)
        if row is not None:
            rows.append(row)
    return rows


def _pair(data: Measurements, stage: str, level: np.ndarray, inference_flops: float) -> Pair | None:
    k = cell.own_k(data, inference_flops)
    over = [run for run in level if cell.overtrained(data)[run] and np.isfinite(k[run])]
    ordinary = [run for run in level if not cell.overtrained(data)[run] and np.isfinite(k[run])]
    if not over or not ordinary:
        return None
    loss = cell.task_loss(data)
    usual = min(ordinary, key=lambda run: loss[run])
    best = max(over, key=lambda run: cell.reading(data, run, float(k[run])).pass_at_k)
    paired = cell.pass_values(data, best, float(k[best])) - cell.pass_values(data, usual, float(k[usual]))
    difference, error = mean_and_error(paired, data.question_weight)
    flops = float(np.exp(np.mean(np.log(cell.train_flops(data)[level]))))
    sides = cell.reading(data, best, float(k[best])), cell.reading(data, usual, float(k[usual]))
    return Pair(data.task, stage, flops, inference_flops, *sides, float(difference), float(error))
