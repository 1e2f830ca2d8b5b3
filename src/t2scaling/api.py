"""The lenient door of Python: `t2.fit` takes whatever the command takes.

Laws are fitted to arrays and know no table; tables know no law. Here the two meet: a path, the name of a suite that
ships with the package, a dataframe, Observations, or a table of losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from t2scaling.laws import Curves, FitResult, Measurements
from t2scaling.laws import fit as fit_arrays
from t2scaling.laws.default import AUTO, resolve
from t2scaling.laws.losses import is_loss_table, read_losses


def fit(
    data: Any, law: str = AUTO, task: str | None = None, k: ArrayLike | str | None = None, **options: Any
) -> FitResult:
    """Fit a law to measurements, wherever they are.

    data     a path, a folder of logs, the name of a shipped suite such as "world", a dataframe, Observations,
             `Measurements` or `Curves`; for laws without k also a CSV with n_params, n_tokens and loss
    law, task, k, options  as for `t2scaling.laws.fit`; numbers may be text such as "2e9" or "1,2,4"

    >>> import t2scaling as t2
    >>> found = t2.fit("simulated", law="chinchilla", task="sciq")
    >>> found.law.name, len(found.curves.N)
    ('chinchilla', 106)

    Raises DataError where the data cannot be read or cannot carry the law, FitError where no usable law was found,
    ArgumentError for impossible arguments.
    """
    return fit_arrays(readable(data, law), law, task, k, **options)


def readable(data: Any, law: str) -> Any:
    """`data` as something that a law can be fitted to: Observations, `Measurements` or `Curves`."""
    if isinstance(data, Measurements | Curves):
        return data
    if isinstance(data, str | Path) and not resolve(law, "counts")[0].samples and is_loss_table(data):
        return read_losses(data)
    from t2scaling.observations import as_observations

    return as_observations(data)
