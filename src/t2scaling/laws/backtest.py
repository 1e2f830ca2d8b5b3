"""`backtest`: how far each law's forecasts of hidden runs were off, and whether its intervals held them.

For every task, axis and law: fit to one side of a split, judge on the other, and cut the fitted side again for the
intervals. Beside the laws stand the nearest run (`nearest` in `laws`) and a floor, the accuracy law fitted to the
hidden runs themselves: no law of that form could do better there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.artefacts import write_text
from t2scaling.errors import ArgumentError, T2Error
from t2scaling.laws.base import Law
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.curves import sample_counts
from t2scaling.laws.default import AUTO, names
from t2scaling.laws.fit import default_k
from t2scaling.laws.heldout import FEWEST_IN_FOLD, Trial, coverage, folds, judge, mean_of, spread, trials
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.options import FitOptions
from t2scaling.laws.registry import law_class
from t2scaling.laws.regret import decisions
from t2scaling.laws.splits import AXES, Split, splits
from t2scaling.views import Result

FORMAT = "t2scaling/backtest/1"
DEFAULT_AXES = ("overtrained", "larger", "longer", "compute")
FLOOR, FLOOR_LAW = "floor", "accuracy"
NOT_COVERED = dict.fromkeys(("covered_50", "covered_80", "covered_90"), float("nan"))


@dataclass(frozen=True)
class Backtest(Result):
    """Rows of a table: one per task, axis, bound, metric and law; `decisions` one per law where levels were compared.

    Each row: task, stage, axis, bound, law, metric, target (which mean −log pass@k is), trained and judged (runs),
    points, relative, absolute, log, even, bias (see `heldout.Trial.errors`), covered_50, covered_80, covered_90.
    points_said   for each row, (observed, predicted) of the points judged, for the figure
    """

    rows: tuple[dict[str, Any], ...]
    decisions: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    points_said: tuple[tuple[Array, Array], ...] = field(default=(), repr=False)

    kind: ClassVar[str] = "backtest"
    indent: ClassVar[int] = 1

    @property
    def table(self) -> list[dict[str, Any]]:
        """Mean errors over splits, one row per law and metric, best first by relative error."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.rows:
            found.setdefault((row["metric"], row["law"]), []).append(row)
        keys = ("relative", "absolute", "log", "even", "bias", "covered_50", "covered_80", "covered_90")
        out = [
            {"metric": metric, "law": law, "splits": len(rows), **{key: mean_of(rows, key) for key in keys}}
            for (metric, law), rows in found.items()
        ]
        return sorted(out, key=lambda row: (row["metric"] != "pass_at_k", row["metric"], row["relative"]))

    @property
    def coverage(self) -> dict[str, dict[str, float]]:
        """Share of hidden points of pass@k (or the law's own metric) that each law's intervals held, by level."""
        levels = ("covered_50", "covered_80", "covered_90")
        found: dict[str, dict[str, float]] = {}
        for row in self.table:
            found.setdefault(row["law"], {level.removeprefix("covered_"): row[level] for level in levels})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Everything but the single points, as plain values."""
        return {
            "format": FORMAT, "table": self.table, "rows": list(self.rows), "decisions": list(self.decisions),
            "notes": list(self.notes),
        }  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write CSV where the name ends so, else backtest.json; returns the path."""
        if Path(path).suffix == ".csv":
            return write_text(path, self.to_frame().write_csv())
        return write_text(path, self.to_json() + "\n")

    def records(self) -> list[dict[str, Any]]:
        """`rows`."""
        return list(self.rows)


def backtest(
    data: Any,
    law: str | Sequence[str] = AUTO,
    axis: str | Sequence[str] = DEFAULT_AXES,
    task: str | Sequence[str] | None = None,
    k: ArrayLike | None = None,
    *,
    bound: float | None = None,
    quantile: float | None = None,
    inference_flops: float | Sequence[float] | None = None,
    advance: Callable[[int], object] | None = None,
    **options: Any,
) -> Backtest:
    """Hide part of a suite, forecast it, and say how far off that was.

    data      Observations, or anything with `.measurements(task=, stage=)`; or `Measurements`; or `Curves`
    law       "auto" (the default laws and the nearest run beside them), a name, or several
    axis      one or several of "overtrained", "larger", "longer", "compute", "samples", "size"
    task      one or several; None where there is only one
    k         samples per problem to fit and judge at; default as for `fit`
    bound     value of the axis up to which runs are fitted (with one axis only); or
    quantile  share of the runs fitted, default 0.65
    inference_flops  per token served: the largest k of the default, and the budgets at which the laws decide between
              hidden runs of one level of compute
    advance   called with 1 for every law, axis and task done
    options   the fields of `FitOptions`

    Raises DataError where the data cannot carry a backtest, ArgumentError for impossible arguments.
    """
    chosen = FitOptions.of(**options, quality=False)
    axes = (axis,) if isinstance(axis, str) else tuple(axis)
    if bound is not None and len(axes) > 1:
        raise ArgumentError(f"`bound` = {bound:g} is a value of one axis: name it, one of {', '.join(AXES)}.")
    budgets = [] if inference_flops is None else [float(b) for b in np.atleast_1d(np.asarray(inference_flops))]
    found = [
        _of_task(data, one, law, axes, k, (bound, quantile), budgets, chosen, advance) for one in _tasks(data, task)
    ]
    return Backtest(
        tuple(row for part in found for row in part.rows),
        tuple(choice for part in found for choice in part.decisions),
        tuple(dict.fromkeys(note for part in found for note in part.notes)),
        tuple(said for part in found for said in part.points_said),
    )


def _of_task(
    data: Any,
    task: str | None,
    law: str | Sequence[str],
    axes: Sequence[str],
    k: ArrayLike | None,
    cut: tuple[float | None, float | None],
    budgets: Sequence[float],
    options: FitOptions,
    advance: Callable[[int], object] | None,
) -> Backtest:
    """The backtest of one task."""
    measured, curves = _measured(data, task, k, budgets, options)
    classes = _classes(law, "counts" if measured is None else measured.kind)
    notes: list[str] = []
    found: list[tuple[Trial, str, dict[str, float]]] = []
    for split in (split for axis in axes for split in splits(curves, axis, *cut)):
        for cls in classes:
            tried = _attempt(cls, curves, measured, split, options, notes)
            found += [(trial, trial.law, covered) for trial, covered in tried]
            if advance is not None:
                advance(1)
        found += [(trial, FLOOR, NOT_COVERED) for trial in _floor(curves, measured, split, options)]
    choices = [] if measured is None else decisions(classes, measured, budgets, options)
    return Backtest(
        tuple(_row(trial, name, covered, options.stage) for trial, name, covered in found),
        tuple({"task": curves.task, **vars(choice), "regret": choice.regret} for choice in choices),
        tuple(notes),
        tuple((trial.observed[trial.judged], trial.predicted[trial.judged]) for trial, _, _ in found),
    )


def _measured(
    data: Any, task: str | None, k: ArrayLike | None, budgets: Sequence[float], options: FitOptions
) -> tuple[Measurements | None, Curves]:
    """The questions, None for bare curves, and the curves at every k that was measured."""
    if isinstance(data, Curves):
        return None, data.at_k(np.any(np.isfinite(data.pass_at_k), axis=0))
    measured = data if isinstance(data, Measurements) else data.measurements(task=task, stage=options.stage)
    measured = measured.with_quantiles()
    counts = default_k(measured.N, max(budgets, default=None)) if k is None else sample_counts(k)
    curves = make_curves(measured, counts, options.target)
    return measured, curves.at_k(np.any(np.isfinite(curves.pass_at_k), axis=0))


def _tasks(data: Any, task: str | Sequence[str] | None) -> list[str | None]:
    if task is None or isinstance(task, str) or isinstance(data, Measurements | Curves):
        return [task if isinstance(task, str) else None]
    return list(task)


def _classes(law: str | Sequence[str], kind: str) -> list[type[Law]]:
    asked = [law] if isinstance(law, str) else list(law)
    chosen: list[str] = []
    for name in asked:
        chosen += [*names(AUTO, kind), "nearest"] if name == AUTO else [name]
    return [law_class(name) for name in dict.fromkeys(chosen)]


def _attempt(
    cls: type[Law], curves: Curves, measured: Measurements | None, split: Split, options: FitOptions, notes: list[str]
) -> list[tuple[Trial, dict[str, float]]]:
    """The trials of one law on one split with their coverage; a law that cannot be fitted there leaves a note."""
    fitted = curves.take(split.train, split.most_k)
    reason = cls.check(fitted)
    if reason is None and split.train.sum() < FEWEST_IN_FOLD:
        reason = f"{split.train.sum()} runs are too few to fit"
    if reason is not None:
        notes.append(f"{cls.name} on the axis {split.axis} at {split.bound:g}: {reason}")
        return []
    try:
        found = trials(cls, curves, measured, split, options)
        inner = folds(cls, curves, measured, split, options)
    except T2Error as error:
        notes.append(f"{cls.name} on the axis {split.axis} at {split.bound:g}: {error}")
        return []
    return [(trial, coverage(trial, spread(trial, inner))) for trial in found]


def _floor(curves: Curves, measured: Measurements | None, split: Split, options: FitOptions) -> list[Trial]:
    """What the accuracy law says of the hidden runs when fitted to these themselves."""
    cls, hidden = law_class(FLOOR_LAW), split.held_out
    if hidden.sum() < FEWEST_IN_FOLD:
        return []
    law, _ = cls.of(curves.take(hidden), options, None if measured is None else measured.take(hidden))
    return [trial for trial in judge(law, curves, split) if trial.metric == "pass_at_k"]


def _row(trial: Trial, law: str, covered: dict[str, float], stage: str) -> dict[str, Any]:
    split, is_log = trial.split, trial.metric == "neg_log_pass_at_k"
    return {
        "task": trial.curves.task, "stage": stage, "axis": split.axis, "bound": split.bound, "law": law,
        "metric": trial.metric, "target": trial.target if is_log else None, "trained": int(split.train.sum()),
        "judged": int(trial.judged.any(axis=1).sum()), **trial.errors(), **covered,
    }  # fmt: skip
