"""The lenient door of Python: `t2.fit` takes whatever the command takes.

Laws are fitted to arrays and know no table; tables know no law. Here the two meet: a path, the name of a suite that
ships with the package, a dataframe, Observations, or a table of results.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from t2scaling.errors import MissingColumns, require
from t2scaling.laws import Curves, FitResult, Measurements
from t2scaling.laws import fit as fit_arrays
from t2scaling.laws.backtest import Backtest
from t2scaling.laws.backtest import backtest as backtest_arrays
from t2scaling.laws.curves import sample_counts
from t2scaling.laws.default import AUTO, resolve


def fit(
    data: Any,
    law: str = AUTO,
    task: str | None = None,
    k: ArrayLike | str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> FitResult:
    """Fit a law to measurements, wherever they are.

    data     a path, a folder of logs, the name of a shipped suite such as "world", a dataframe, Observations,
             `Measurements` or `Curves`; a table of means over questions (N, D, and pass@k or a loss) will do too
    law, task, k, options  as for `t2scaling.laws.fit`; numbers may be text such as "2e9" or "1,2,4"
    columns  canonical column → the name it has in the table, where it is none of the usual ones

    >>> import t2scaling as t2
    >>> found = t2.fit("simulated", law="chinchilla", task="sciq")
    >>> found.law.name, len(found.curves.N)
    ('chinchilla', 106)

    Raises DataError where the data cannot be read or cannot carry the law, FitError where no usable law was found,
    ArgumentError for impossible arguments.
    """
    source, _ = readable(data, law, task, k, stage=options.get("stage", "base"), columns=columns)
    return fit_arrays(source, law, task, k, **options)


def readable(
    data: Any, law: str, task: str | None = None, k: ArrayLike | str | None = None, stage: str = "base", **reading: Any
) -> tuple[Any, tuple[str, ...]]:
    """`data` as something that a law can be fitted to (Observations, `Measurements` or `Curves`), and what is to be
    known of it.

    task     also names the task of a table that has no column for it
    reading  options of `observations.as_fittable`
    """
    if isinstance(data, Measurements | Curves):
        return data, ()
    from t2scaling.observations import Results, as_fittable

    require(task is None or isinstance(task, str), "task", task, "be the name of a task")
    named = None if task == "macro" else task
    plans = resolve(law, "counts")[0]
    try:
        found = as_fittable(data, task=named, **{name: value for name, value in reading.items() if value is not None})
    except MissingColumns as error:
        per_question = plans.samples or "question_id" not in error.rows
        raise error if per_question else _no_losses(plans.name, error) from None
    if not isinstance(found, Results):
        return found, found.report.notes
    wanted = None if k is None else sample_counts(k).tolist()
    return found.curves(task, wanted, stage, plans.samples), found.notes


def _no_losses(law: str, error: MissingColumns) -> MissingColumns:
    """The columns that a law without k needs, three, in place of those of outcomes per question."""
    needs = {"n_params": "n_params", "n_tokens": "n_tokens", "nll (or n_samples + n_correct)": "loss"}
    missing = [name for theirs, name in needs.items() if theirs in error.rows] or ["loss"]
    options = " ".join(f"--column {name}=THEIRS" for name in missing)
    what = f"the {law} law is fitted to rows of N, D and loss, and the table lacks {' and '.join(missing)}."
    return MissingColumns(what, options, missing)


def backtest(data: Any, law: str | Sequence[str] = AUTO, **options: Any) -> Backtest:
    """Hide part of a suite, forecast it by each law, and say how far off that was.

    data     as for `fit`, with outcomes per question
    law, options   as for `t2scaling.laws.backtest.backtest`: axis, task, k, bound, quantile, inference_flops, stage

    >>> import t2scaling as t2
    >>> found = t2.backtest("simulated", law=["bottleneck", "nearest"], task="sciq", axis="compute", k=[1, 16])
    >>> sorted({row["law"] for row in found.rows})
    ['bottleneck', 'floor', 'nearest']
    """
    task = options.get("task")
    source, _ = readable(data, AUTO, task if isinstance(task, str) else None, options.get("k"))
    return backtest_arrays(source, law, **options)
