"""IsoFLOP groups, and the inverse-variance weights of stage 1 of the accuracy law."""

import numpy as np

from t2scaling.arrays import Array, Positions

WIDTH = 1.25  # runs within this factor of a group's smallest budget belong to it
_FEWEST = 3  # runs from which a variance is taken at its word


def isoflop_groups(train_flops: Array) -> Positions:
    """Label of the budget that each run belongs to, shape (R,), counting up from the smallest.

    A new group opens where a run's FLOPs exceed `WIDTH` times the smallest of the current one; suites step by
    factors of two or more, and their runs miss the nominal budget by a few percent.
    """
    order = np.argsort(train_flops, kind="stable")
    labels = np.empty(len(train_flops), dtype=np.intp)
    group, opened = -1, 0.0
    for index in order:
        if group < 0 or train_flops[index] > WIDTH * opened:
            group, opened = group + 1, float(train_flops[index])
        labels[index] = group
    return labels


def inverse_variance_weights(train_flops: Array, loss: Array) -> Array:
    """1/Var(loss within the run's isoFLOP group), scaled to mean 1, shape (R,) (arXiv 2604.01411, App. F).

    The paper says no more than "inverse-variance weighting across isoFLOP groups". A group of fewer than three
    measured runs, or of equal losses, takes the median variance of the others; with no other, all weights are 1.
    """
    labels = isoflop_groups(train_flops)
    variance = np.full(labels.max() + 1, np.nan)
    for group in range(len(variance)):
        inside = loss[labels == group]
        inside = inside[np.isfinite(inside)]
        if len(inside) >= _FEWEST and np.ptp(inside) > 0:
            variance[group] = inside.var(ddof=1)
    if np.isnan(variance).all():
        return np.ones_like(train_flops)
    variance = np.where(np.isnan(variance), np.nanmedian(variance), variance)
    weight = 1 / variance[labels]
    return weight / weight.mean()
