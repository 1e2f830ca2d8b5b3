"""A plan held against the runs that its law was fitted to: the best of them, the nearest, and what they say of it.

A run's measurement at a k between two of the fit's is interpolated in log k (pass@k as log(−log(1 − pass@k)), the
nats as logs, which are nearly straight); beyond the largest k measured it is given at that k and not extrapolated.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from t2scaling.allocate.allocation import Allocation
from t2scaling.allocate.planfile import Number, Size
from t2scaling.allocate.problem import Problem, TwoBudgets
from t2scaling.arrays import Array
from t2scaling.laws import Curves, FitResult, Law
from t2scaling.units import format_number

# A run stands near a point if its N and D both lie within this factor of it.
NEAR = 1.5
# A budget equal to a run's cost pays for it, whatever the last digits say.
_ROOM = 1 + 1e-3


@dataclass(frozen=True)
class Checkpoint:
    """One measured run at k samples, beside what the law says of it; NaN where a number is not known."""

    run_id: str
    n_params: Size
    n_tokens: Size
    k: Number
    metric: str
    measured: Number
    se: Number
    predicted: Number


@dataclass(frozen=True)
class Measured:
    """What was measured around a plan; None where there is no such run.

    best         the best checkpoint that the budgets pay for, at the k that they afford it
    nearest      the checkpoint nearest to the optimum in (log N, log D), at the plan's k
    near_plan, near_chinchilla   checkpoints near the two points that are compared, each at the k it affords
    """

    best: Checkpoint | None = None
    nearest: Checkpoint | None = None
    near_plan: Checkpoint | None = None
    near_chinchilla: Checkpoint | None = None

    def advantage(self) -> tuple[float, float] | None:
        """(predicted, measured) gain of the plan over Chinchilla, where checkpoints stand near both points."""
        ours, theirs = self.near_plan, self.near_chinchilla
        if ours is None or theirs is None or ours.run_id == theirs.run_id:
            return None
        sign = 1 if ours.metric == "pass_at_k" else -1
        return sign * (ours.predicted - theirs.predicted), sign * (ours.measured - theirs.measured)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        gain = self.advantage()
        return asdict(self) | {"advantage": None if gain is None else {"predicted": gain[0], "measured": gain[1]}}


def measured(fit: FitResult, problem: Problem, best: Allocation, rival: Allocation) -> Measured:
    """The runs of a fit around a plan and its rival."""
    curves, law = fit.curves, fit.law
    k = np.minimum(problem.samples_at(curves.N, curves.D) * _ROOM, math.inf)
    if isinstance(problem, TwoBudgets):
        k = np.where(curves.flops <= problem.train_flops * _ROOM, k, 0.0)
    table = [_at(law, curves, run, k[run]) if k[run] >= 1 else None for run in range(len(curves.N))]
    affordable = [row for row in table if row is not None and math.isfinite(row.measured)]
    sign = -1 if law.metric == "pass_at_k" else 1
    top = min(affordable, key=lambda row: sign * row.measured, default=None)
    nearest = None
    if best.exists:
        order = np.argsort(np.hypot(np.log(curves.N / best.n_params), np.log(curves.D / best.n_tokens)))
        rows = (_at(law, curves, int(run), best.k) for run in order)
        nearest = next((row for row in rows if math.isfinite(row.measured)), None)
    return Measured(top, nearest, _near(affordable, best), _near(affordable, rival))


def _near(rows: list[Checkpoint], point: Allocation) -> Checkpoint | None:
    """The checkpoint nearest to a point, if its N and D lie within a factor `NEAR` of it."""
    if not point.exists:
        return None

    def away(row: Checkpoint) -> float:
        return max(abs(math.log(row.n_params / point.n_params)), abs(math.log(row.n_tokens / point.n_tokens)))

    close = min(rows, key=away, default=None)
    return close if close is not None and away(close) <= math.log(NEAR) else None


def _at(law: Law, curves: Curves, run: int, k: float) -> Checkpoint:
    """One run at k samples, or at the largest k measured below."""
    rate = law.metric == "pass_at_k"
    values, grid = law.observed(curves)[run], curves.k if law.samples else curves.k[:1]
    values, errors = values[: len(grid)], curves.se[run][: len(grid)]
    known = np.isfinite(values)
    if not known.any():
        return Checkpoint(curves.run_id[run], curves.N[run], curves.D[run], k, law.metric, *[math.nan] * 3)
    k = float(np.clip(k, 1.0, grid[known].max()))
    value = float(interpolated(np.log(grid[known]), values[known], math.log(k), rate))
    se = float(np.interp(math.log(k), np.log(grid[known]), errors[known])) if rate else math.nan
    predicted = float(law.predict(curves.N[run], curves.D[run], k))
    return Checkpoint(
        curves.run_id[run], float(curves.N[run]), float(curves.D[run]), k, law.metric, value, se, predicted
    )


def interpolated(log_grid: Array, values: Array, log_k: float, rate: bool) -> float:
    """A curve at log k between its grid points, where it is nearly straight; 0 and 1 are kept off the logarithms."""
    with np.errstate(divide="ignore"):
        if rate:
            bent = np.log(-np.log1p(-np.clip(values, 1e-12, 1 - 1e-12)))
            return float(-np.expm1(-np.exp(np.interp(log_k, log_grid, bent))))
        return float(np.exp(np.interp(log_k, log_grid, np.log(np.maximum(values, 1e-12)))))


def run_on_the_way(within: Allocation, best: Allocation, reach: float) -> str:
    """The run that would tell most: from the best plan within the data towards the optimum, as far as laws are trusted.

    reach   log distance that forecasts have been tried to
    """
    steps = math.log(best.n_params / within.n_params), math.log(best.n_tokens / within.n_tokens)
    far = max(abs(steps[0]), abs(steps[1]), abs(sum(steps)), abs(steps[1] - steps[0]))
    share = min(1.0, reach / far) if far > 0 else 0.0
    N, D = within.n_params * math.exp(share * steps[0]), within.n_tokens * math.exp(share * steps[1])
    return (
        f" A run of {format_number(N)} parameters on {format_number(D)} tokens, on the way to it, would show whether "
        "the law holds there."
    )
