"""What a suite says on the three research questions of arXiv 2604.01411, as numbers.

RQ1  Does test-time compute move the optimum? The best measured cell of each level at its own k against the cell of
     least k = 1 loss; and the D/N of each law's T² optimum against Chinchilla's.
RQ2  Do laws predict cells that they have not seen? Error as in the paper's Figure 4, mean |predicted − observed| /
     observed at k = C_inf/(2·N), on the overtrained cells; and the advantage of the best overtrained cell over the
     Chinchilla-optimal one, predicted by a law that has seen neither.
     Table 1: that advantage as measured, at every level.
RQ3  All again after fine-tuning (ft) and supervised fine-tuning (sft): Table 2 and Figure 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from t2scaling.allocate import Plan, PlanStatus, plan
from t2scaling.errors import ArgumentError, DataError, FitError
from t2scaling.laws import fit
from t2scaling.laws.measurements import Measurements
from t2scaling.passk import mean_and_error
from t2scaling.report.agreement import Errors, agreement, hold_out, refit
from t2scaling.report.observed import guesses, in_nats, inner_minima, question_values, readings, task_loss
from t2scaling.report.runs import Level, cells, levels, over_seeds, overtrained, samples_at, train_flops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from t2scaling.laws.base import Metric
    from t2scaling.laws.result import FitResult
    from t2scaling.observations import Observations

    Array = NDArray[np.float64]
    Sides = tuple[NDArray[np.bool_], NDArray[np.bool_]]

LAWS = ("loss", "accuracy", "bottleneck")
MOST_GUESSED = 0.2  # where the best cell passes less than five times what a guesser does, pass@k says nothing of models


@dataclass(frozen=True)
class Fitted:
    """The Chinchilla law of one task's k = 1 loss: its mean relative error on the cells it was fitted to."""

    task: str
    error: float
    inner_minima: int
    n_levels: int


@dataclass(frozen=True)
class Optimum:
    """Where a law puts the optimum with test-time compute, and where without.

    ratio             tokens per parameter of the T² optimum
    chinchilla_ratio  the same of the Chinchilla law fitted to the task's k = 1 loss; NaN where it has no optimum
    exists            False where the law has no best size
    extrapolates      whether the T² optimum lies outside the N, D, D/N or k that the fit has seen
    """

    task: str
    stage: str
    law: str
    train_flops: float
    inference_flops: float
    n_params: float
    k: float
    ratio: float
    chinchilla_ratio: float
    extrapolates: bool
    exists: bool = True


@dataclass(frozen=True)
class Forecast:
    """A law fitted to ordinary cells: its errors on the overtrained ones, and on those it was fitted to."""

    task: str
    law: str
    metric: str
    inference_flops: float
    held_out: Errors
    in_sample: Errors


@dataclass(frozen=True)
class Reading:
    """One cell at its own k: the mean over questions and seeds in the pair's metric, and its standard error over both.

    run_id  the first of its runs
    seeds   how many runs it has; with one, the error is that over questions alone
    guess   the same of a guesser that knows only the questions' form, at this k; NaN where the data do not say
    """

    run_id: str
    n_params: float
    n_tokens: float
    k: float
    value: float
    se: float
    guess: float = float("nan")
    seeds: int = 1


@dataclass(frozen=True)
class Pair:
    """Two cells at equal budgets: `best`, the one of the best value among some, and `usual`, that of least k = 1 loss.

    metric      pass_at_k, or neg_log_pass_at_k (mean, nats) where a guesser nearly reaches the best cell's pass@k
    difference  best minus usual; se from the paired differences over questions and the spread over seeds
    """

    task: str
    stage: str
    train_flops: float
    inference_flops: float
    best: Reading
    usual: Reading
    difference: float
    se: float
    metric: Metric = "pass_at_k"

    @property
    def gain(self) -> float:
        """By how much `best` is better: above 0 is better in either metric."""
        return self.difference if self.metric == "pass_at_k" else -self.difference

    @property
    def guessed(self) -> bool:
        """Whether a guesser nearly reaches the pass@k of the best cell."""
        return self.metric == "pass_at_k" and self.best.guess > MOST_GUESSED * self.best.value


@dataclass(frozen=True)
class Advantage:
    """A pair at the largest level as a law predicts it that was fitted without any cell of that level.

    predicted   the difference of the pair, in its metric
    """

    law: str
    pair: Pair
    predicted: float


def tasks_of(observations: Observations, stage: str) -> list[str]:
    """Tasks measured at a stage, sorted, with the macro average first where there are several."""
    at_stage = observations.outcomes.filter(observations.outcomes["stage"] == stage)
    names = sorted(at_stage["task"].unique().to_list())
    return ["macro", *names] if len(names) > 1 else names


def fits(data: Measurements, inference_flops: float, seed: int) -> list[FitResult]:
    """Each law fitted to all cells; one that cannot be fitted is left out: a row less, not a page less."""
    found = []
    for law in LAWS:
        try:
            found.append(fit(data, law=law, inference_flops=inference_flops, seed=seed, quality=False))
        except (DataError, FitError):
            continue
    return found


def chinchilla_fit(data: Measurements, seed: int) -> Fitted:
    """Fit the Chinchilla law to the k = 1 loss, and count the levels whose least loss lies inside."""
    found = agreement(fit(data, law="chinchilla", seed=seed, quality=False), np.inf)
    inner = inner_minima(data)
    return Fitted(data.task, found.errors(np.isfinite(found.observed)).mean, sum(inner), len(inner))


def optima(
    data: Measurements, fitted: list[FitResult], stage: str, train_flops: float, inference_flops: float, seed: int
) -> list[Optimum]:
    """RQ1: each law's optimum under a pair of budgets."""
    usual = _chinchilla_ratio(data, train_flops, seed)
    rows = []
    for result, best in plans(fitted, train_flops, inference_flops):
        place = train_flops, inference_flops, best.n_params, best.k, best.tokens_per_param
        far, exists = best.status is PlanStatus.OUTSIDE, best.status is not PlanStatus.NO_OPTIMUM
        rows.append(Optimum(data.task, stage, result.law.name, *place, usual, far, exists))
    return rows


def plans(fitted: list[FitResult], train_flops: float, inference_flops: float) -> list[tuple[FitResult, Plan]]:
    """Each fit with its plan. One that finds none, or whose fit is refused, is left out."""
    found = []
    for result in fitted:
        try:
            found.append((result, plan(result, train_flops=train_flops, inference_flops=inference_flops)))
        except (ArgumentError, FitError):
            continue
    return found


def _chinchilla_ratio(data: Measurements, train_flops: float, seed: int) -> float:
    """D/N of the Chinchilla law; NaN where the law has no inner optimum."""
    try:
        N, D = fit(data, law="chinchilla", seed=seed, quality=False).law.training_law.optimum(train_flops)
    except (FitError, ValueError):
        return float("nan")
    return float(D / N)


def forecasts(data: Measurements, fitted: list[FitResult], inference_flops: float) -> list[Forecast]:
    """RQ2: each law without the overtrained cells, judged on them."""
    over = overtrained(data)
    rows = []
    for result in fitted:
        held = hold_out(result)
        if held is not None:
            found = agreement(result, inference_flops, held, data)
            sides = found.errors(over), found.errors(~over)
            rows.append(Forecast(data.task, result.law.name, result.law.metric, inference_flops, *sides))
    return rows


def table1(data: Measurements, stage: str, inference_flops: float) -> list[Pair]:
    """The best overtrained cell against the ordinary one of least loss, at every level that has both."""
    over = overtrained(data)
    return _told(data, stage, inference_flops, (over, ~over), 1)


def shifts(data: Measurements, stage: str, inference_flops: float) -> list[Pair]:
    """The best of all cells against the one of least loss, at every level of three cells or more."""
    everyone = np.ones(len(data.N), dtype=bool)
    return _told(data, stage, inference_flops, (everyone, everyone), 3)


def _told(data: Measurements, stage: str, inference_flops: float, sides: Sides, fewest: int) -> list[Pair]:
    """Pairs in pass@k; in −log pass@k where a guesser nearly reaches that, or left out where no likelihood is known."""
    found = _pairs(data, stage, inference_flops, sides, fewest)
    if data.nll is None or not any(row.guessed for row in found):
        return [row for row in found if not row.guessed]
    nats = _pairs(data, stage, inference_flops, sides, fewest, "neg_log_pass_at_k")
    return [other if row.guessed else row for row, other in zip(found, nats, strict=True)]


def _pairs(
    data: Measurements, stage: str, inference_flops: float, sides: Sides, fewest: int, metric: Metric = "pass_at_k"
) -> list[Pair]:
    """One pair a level: the best of one side by `metric`, and of the other the cell of least loss."""
    k = samples_at(data.N, inference_flops)
    value = over_seeds(data, readings(data, k).pass_at_k if metric == "pass_at_k" else -in_nats(data, k))
    loss = over_seeds(data, task_loss(data))
    rows = []
    for level in levels(data):
        able = level.runs[np.isfinite(value[level.runs])]
        ours, theirs = (able[side[able]] for side in sides)
        if min(np.unique(data.N[ours]).size, np.unique(data.N[theirs]).size) < fewest:
            continue
        two = int(ours[value[ours].argmax()]), int(theirs[loss[theirs].argmin()])
        rows.append(_pair(data, stage, level, inference_flops, k, two, metric))
    return rows


def _pair(
    data: Measurements,
    stage: str,
    level: Level,
    inference_flops: float,
    k: Array,
    two: tuple[int, int],
    metric: Metric,
) -> Pair:
    """Two cells, each named by one of its runs. The variances over questions and over seeds add up.

    Q questions, S seeds: values (S, Q) of a cell average over S into what its questions say, (Q,), and over Q into
    what its seeds say, (S,), whose spread is that of training.
    """
    weight, cell = data.question_weight, cells(data)
    sides, by_question, variances = [], [], []
    for run, guess in zip(two, guesses(data, k[list(two)], metric), strict=True):
        seeds = np.flatnonzero(cell == cell[run])
        values = np.stack([question_values(data, int(seed), float(k[run]), metric) for seed in seeds])
        means = mean_and_error(values, weight)[0]
        training = means.var(ddof=1) / len(seeds) if len(seeds) > 1 else 0.0
        mean, error = mean_and_error(values.mean(axis=0), weight)
        N, D, value = float(data.N[run]), float(data.D[run]), float(mean)
        noise = float(np.hypot(error, training**0.5))
        name = data.run_id[seeds[0]]
        sides.append(Reading(name, N, D, float(k[run]), value, noise, float(guess), len(seeds)))
        by_question.append(values.mean(axis=0))
        variances.append(training)
    difference, error = mean_and_error(by_question[0] - by_question[1], weight)
    total = float(np.sqrt(error**2 + sum(variances))) if cell[two[0]] != cell[two[1]] else float(error)
    ours, theirs = sides
    return Pair(data.task, stage, level.train_flops, inference_flops, ours, theirs, float(difference), total, metric)


def advantages(fitted: list[FitResult], pairs: list[Pair]) -> list[Advantage]:
    """The pair at the largest level, predicted by each law of its metric, fitted without that whole level."""
    rows = []
    for result in fitted:
        if not pairs or result.law.metric != pairs[-1].metric:
            continue
        top = pairs[-1]
        held = refit(result, train_flops(result.curves) < top.train_flops / 1.25)
        if held is not None:
            sides = top.best, top.usual
            ours, theirs = (float(held.predict(at.n_params, at.n_tokens, at.k)) for at in sides)
            rows.append(Advantage(result.law.name, top, ours - theirs))
    return rows
