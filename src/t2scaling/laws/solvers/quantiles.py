"""The quantile carrier: from the index of a run to the success of every question, without a family of distributions.

Each run's questions are sorted by their loss and cut into U equal bins; x_r(u) is the mean log NLL of bin u. At an
index θ* the bins stand where the runs of about that index have theirs (a kernel), moved along the slope of each bin
over the whole suite, all in logs:

    x*(u) = Σ_r W_r·x_r(u) + (θ* − Σ_r W_r·θ_r)·b(u),   W_r ∝ exp(−½((θ* − θ_r)/h)²),   b(u) = cov(θ, x(u))/var θ.

Then p_u = exp(−exp x*(u)), and pass@k or its −log is a mean over the bins, for any k.
Shapes: R runs, Q questions, U bins, n points.
"""

import numpy as np

from t2scaling.arrays import Array, Positions
from t2scaling.passk import neg_log_pass_at_k_from_nll, pass_at_k_from_nll

BINS = 200
BANDWIDTH = 0.3  # of the kernel, in standard deviations of the index over the runs
_LEAST_NLL = 1e-9  # nats: a certain answer, whose log would be infinite


def log_loss_quantiles(nll: Array, weight: Array, bins: int = BINS) -> Array:
    """x_r(u): mean log NLL in each of `bins` equal shares of the questions, shape (R, U); NaN questions left out."""
    x = np.log(np.maximum(nll, _LEAST_NLL))
    order = np.argsort(x, axis=1)  # NaN last
    sorted_x = np.take_along_axis(x, order, axis=1)
    share = np.where(np.isnan(sorted_x), 0.0, weight[order])
    mass = np.cumsum(share, axis=1)
    area = np.cumsum(np.where(np.isnan(sorted_x), 0.0, sorted_x) * share, axis=1)
    edges = np.arange(bins + 1) / bins
    out = np.empty((len(nll), bins))
    for r in range(len(nll)):
        # The integral of the step function x over the share of questions is linear between steps.
        at = np.interp(edges * mass[r, -1], np.append(0.0, mass[r]), np.append(0.0, area[r]))
        out[r] = np.diff(at) * bins / mass[r, -1]
    return out


def bin_slopes(theta: Array, x: Array) -> Array:
    """b(u) = cov(θ, x(u))/var θ over the runs, shape (U,)."""
    off = theta - theta.mean()
    return off @ x / max(float(off @ off), 1e-300)


def carry(theta: Array, x: Array, at: Array) -> Array:
    """NLL of every bin at the indices `at` (n,), from runs of index theta (R,) and quantiles x (R, U); shape (n, U)."""
    width = max(BANDWIDTH * float(np.std(theta)), 1e-12)
    log_weight = -0.5 * ((at[:, None] - theta) / width) ** 2
    kernel = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    kernel /= kernel.sum(axis=1, keepdims=True)
    level = kernel @ x + (at - kernel @ theta)[:, None] * bin_slopes(theta, x)
    return np.exp(np.minimum(level, 50.0))


def mean_pass(nll: Array, row: Positions, k: Array, neg_log: bool) -> Array:
    """Mean over bins of pass@k, or of −log pass@k: nll (n, U), points as rows of it and k, both (m,); shape (m,)."""
    formula = neg_log_pass_at_k_from_nll if neg_log else pass_at_k_from_nll
    out = np.empty(len(k))
    for value in np.unique(k):
        here = np.flatnonzero(k == value)
        out[here] = formula(nll[row[here]], value).mean(axis=1)
    return out
