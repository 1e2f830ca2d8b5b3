"""Exact non-negative least squares for a handful of columns, over any batch of problems at once.

With p ≤ 4 columns there are at most 15 supports. Solving the normal equations on every support and keeping the best
non-negative one is exact, needs no iteration, and runs as plain array arithmetic over thousands of problems.
Shapes: B… problems (any leading shape), p columns, S supports.
"""

from functools import cache
from itertools import product

import numpy as np

from t2scaling.arrays import Array, Flags

# A column whose part independent of the others is below this share of its squared length is taken as dependent on
# them. Nothing is lost: some best solution always uses independent columns only.
_DEPENDENT = 1e-14


def nnls(gram: Array, rhs: Array) -> Array:
    """Minimise cᵀ·gram·c − 2·rhsᵀ·c over c ≥ 0.

    gram   XᵀWX, shape (B…, p, p)
    rhs    XᵀWy, shape (B…, p)
    Returns c, shape (B…, p), exact zeros off the support.
    """
    p = rhs.shape[-1]
    scale = np.sqrt(np.maximum(np.diagonal(gram, axis1=-2, axis2=-1), np.finfo(float).tiny))
    gram = (gram / (scale[..., :, None] * scale[..., None, :])).reshape(-1, p, p)
    rhs = (rhs / scale).reshape(-1, p)
    c, valid = solve_on(gram, rhs, np.ones(p, dtype=bool))
    # A feasible full support is the optimum, whatever rounding would make of a comparison with smaller ones.
    rest = np.flatnonzero(~(valid & np.all(c >= 0, axis=-1)))
    if rest.size:
        c[rest] = _best_support(gram[rest], rhs[rest])
    return c.reshape(scale.shape) / scale


def _best_support(gram: Array, rhs: Array) -> Array:
    """c (B, p) on the support that explains most among all but the full one; gram has a unit diagonal."""
    c, valid = solve_on(gram[:, None], rhs[:, None], _supports(rhs.shape[-1])[1:])
    gain = np.where(valid & np.all(c >= 0, axis=-1), np.sum(c * rhs[:, None], axis=-1), -np.inf)
    gain[:, -1] = 0.0  # the empty support
    best = np.argmax(gain, axis=-1)
    return np.take_along_axis(c, best[:, None, None], axis=1)[:, 0]


def solve_on(gram: Array, rhs: Array, support: Flags) -> tuple[Array, Flags]:
    """Solve gram·c = rhs on the columns of `support` (broadcast), with c = 0 on the rest, by Cholesky.

    The diagonal of `gram` should be near 1. Returns c and whether the columns were independent; where they were
    not, c means nothing.
    """
    p = rhs.shape[-1]
    # The whole support needs no mask, and is what nearly every problem ends with.
    on = None if support.all() else support.astype(float)
    a = [[_masked(gram[..., i, j], on, i, j) for j in range(i)] for i in range(p)]
    diagonal = [gram[..., i, i] if on is None else gram[..., i, i] * on[..., i] + (1 - on[..., i]) for i in range(p)]
    shape = np.broadcast_shapes(gram.shape[:-2], rhs.shape[:-1], support.shape[:-1])
    valid: Flags = np.ones(shape, dtype=bool)
    low: list[list[Array]] = []
    pivot: list[Array] = []
    for i in range(p):
        row: list[Array] = []
        for j in range(i):
            row.append(_less(a[i][j], row, low[j]) / pivot[j])
        square = _less(diagonal[i], row, row)
        independent = square > _DEPENDENT * diagonal[i]
        valid = valid & independent
        pivot.append(np.sqrt(np.where(independent, square, 1.0)))
        low.append(row)
    y: list[Array] = []
    for i in range(p):
        y.append(_less(_masked(rhs[..., i], on, i), low[i], y) / pivot[i])
    c = np.empty((*shape, p))
    for i in reversed(range(p)):
        y[i] = _less(y[i], [low[m][i] for m in range(i + 1, p)], y[i + 1 :]) / pivot[i]
        c[..., i] = y[i] if on is None else y[i] * on[..., i]
    return c, valid


def _masked(values: Array, on: Array | None, *columns: int) -> Array:
    for column in columns if on is not None else ():
        values = values * on[..., column]  # type: ignore[index]
    return values


def _less(value: Array, left: list[Array], right: list[Array]) -> Array:
    """value − Σ left·right, over as many terms as both have."""
    for one, other in zip(left, right, strict=False):
        value = value - one * other
    return value


@cache
def _supports(p: int) -> Flags:
    """All 2^p supports, largest first, the empty one last."""
    masks = sorted(product((True, False), repeat=p), key=lambda mask: -sum(mask))
    return np.array(masks, dtype=bool)
