"""The range of plans that are about as good as the best one.

A bootstrap over runs is blind to a law's own error, and the curve of pass@k along a budget is flat near its top. So the
range holds every point within a stated loss of the best under any law of the fit that the backtest does not reject,
each law being allowed half of its own held-out error besides: a gap smaller than that is no gap it can see.
On simulated suites of six truths, three of them outside every fitted family, it held the true optimum in at least 90 %
of draws (docs/forecasting.md).
"""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.laws.constrained import repeated
from t2scaling.laws.result import FitResult

LOSS = 0.01  # of pass@k: one point
SHARE_OF_ERROR = 0.5


def near_optimal(
    fit: FitResult, N: ArrayLike, D: ArrayLike, k: ArrayLike, loss: float = LOSS, unique_tokens: float = np.inf
) -> dict[str, tuple[float, float]]:
    """The ranges of n_params, n_tokens, k and tokens_per_param along affordable points N, D, k ≥ 1, each of shape (n,).

    loss            of pass@k that is allowed, besides each law's share of its held-out error
    unique_tokens   how many of the tokens are distinct, where D may be more
    Empty where no law of the fit can say pass@k.
    """
    N, D, k = (np.asarray(value, dtype=float) for value in (N, D, k))
    quality = fit.quality
    able = [law for law in fit.laws if "pass_at_k" in law.metrics]
    heard = [law for law in able if quality.accepts(law)] or able[:2]
    near = np.zeros(len(N), dtype=bool)
    for law in heard:
        value = repeated(law, unique_tokens).predict(N, D, k, "pass_at_k")
        slack = loss + SHARE_OF_ERROR * quality.points.get(law.name, 0.0)
        near |= value >= np.nanmax(value) - slack
    if not near.any():
        return {}
    columns = {"n_params": N, "n_tokens": D, "k": k, "tokens_per_param": D / N}
    return {name: (float(value[near].min()), float(value[near].max())) for name, value in columns.items()}
