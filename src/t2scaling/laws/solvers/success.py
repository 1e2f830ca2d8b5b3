"""Stage 2 of Approach 2: from the task's loss L̂ to pass@k, by least squares over runs × k.

`beta_curve` (five θ) and `naive_curve` (three θ) give predictions with their Jacobian; `fit_success` descends from
a grid of starts seeded by a sigmoid through pass@1, by Gauss–Newton steps for all starts and replicates at once.
`success_objective` is the same sum of squares for scipy's L-BFGS-B, the paper's own choice (arXiv 2604.01411, App. F).

Inside, the loss is standardised to ℓ = (L̂ − centre)/scale and θ to u = (t0, log t1, log θ2, t3, t4) with
t0 = (θ0 − centre)/scale, t1 = θ1·scale, t3 = θ3 + θ4·centre, t4 = θ4·scale: all of order one, θ1 > 0 and θ2 ≤ 1.
Shapes: B problems, R runs, K values of k, P = 5 or 3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.laws.solvers.beta import concentration, mean_success
from t2scaling.laws.solvers.newton import in_blocks, minimise


class Curve(Protocol):
    """pass@k as a function of the inner parameters."""

    def __call__(self, u: Array, loss: Array, k: Array, slopes: bool = True) -> tuple[Array, Array]:
        """u (b, P), ℓ (b, R), k (K,) → predicted pass@k (b, R, K) and its Jacobian (P, b, R, K), empty on request."""


LOWER = np.array([-60.0, np.log(1e-3), -30.0, -14.0, -40.0])
UPPER = np.array([60.0, np.log(1e3), 0.0, 14.0, 40.0])
STARTS = 8  # starts that are descended from, the best of the grid
_BLOCK = 2**15  # points worked on at a time


@dataclass(frozen=True)
class SuccessFits:
    """theta (B, P) in the law's own units, value (B,) the weighted sum of squares, converged (B,)."""

    theta: Array
    value: Array
    converged: Flags


def beta_curve(u: Array, loss: Array, k: Array, slopes: bool = True) -> tuple[Array, Array]:
    """pass@k = 1 − B(a, b + k)/B(a, b), and its Jacobian by digamma functions."""
    from scipy.special import gammaln, psi

    mean, by_mean = _mean(u, loss)
    nu, inside = concentration(loss, u[:, 3, None], u[:, 4, None])
    b = np.maximum((1 - mean) * nu, 1e-12)
    upper_b, upper_nu = b[..., None] + k, nu[..., None] + k
    log_fail = gammaln(upper_b) - gammaln(b)[..., None] - gammaln(upper_nu) + gammaln(nu)[..., None]
    fail = np.exp(np.minimum(log_fail, 0.0))
    if not slopes:
        return 1 - fail, np.empty(0)
    slope_b = -fail * (psi(upper_b) - psi(b)[..., None])
    slope_nu = fail * (psi(upper_nu) - psi(nu)[..., None])
    along_mean = -slope_b * nu[..., None]
    along_nu = (slope_b * (1 - mean)[..., None] + slope_nu) * (nu * inside)[..., None]
    # Chain rule: t0, t1 and θ2 act through μ alone, t3 and t4 through ν alone.
    jacobian = [along_mean * slope[..., None] for slope in by_mean]
    return 1 - fail, np.stack([*jacobian, along_nu, along_nu * loss[..., None]])


def naive_curve(u: Array, loss: Array, k: Array, slopes: bool = True) -> tuple[Array, Array]:
    """pass@k = 1 − (1 − μ)^k, and its Jacobian."""
    mean, by_mean = _mean(u, loss)
    log_miss = np.log1p(-np.minimum(mean, 1 - 1e-15))[..., None]
    passed = -np.expm1(k * log_miss)
    if not slopes:
        return passed, np.empty(0)
    slope = k * np.exp((k - 1) * log_miss)
    return passed, np.stack([slope * part[..., None] for part in by_mean])


def _mean(u: Array, loss: Array) -> tuple[Array, list[Array]]:
    """μ and its slopes in t0, log t1 and log θ2."""
    t0, steep = u[:, 0, None], np.exp(u[:, 1, None])
    mean, spread = mean_success(loss, (t0, steep, np.exp(u[:, 2, None])))
    return mean, [spread * steep, spread * (-steep * (loss - t0)), mean]


def fit_success(
    curve: Curve,
    loss: Array,
    k: Array,
    passed: Array,
    weight: Array,
    *,
    starts: int = STARTS,
    warm: Array | None = None,
    standard: tuple[float, float] | None = None,
    max_iter: int = 150,
    tolerance: float = 1e-12,
) -> SuccessFits:
    """Fit θ to observed pass@k.

    curve     `beta_curve` or `naive_curve`
    loss      L̂ per run, shape (B, R)
    passed    shape (B, R, K), NaN where not measured, in the same places for all B
    weight    shape (B, R)
    warm      further θ to start from, shape (n, P)
    standard  (centre, scale) of the loss; default from the first problem
    """
    P = 5 if curve is beta_curve else 3
    centre, scale = standard or standardise(loss[0])
    ell = (loss - centre) / scale
    observed = np.isfinite(passed[0])
    target = np.where(observed, passed, 0.0)
    grid = start_grid(ell[0], passed[0], P, coarse=warm is not None)
    begin = _best_starts(curve, grid, ell, k, target, weight, observed, starts)
    if warm is not None:
        extra = np.broadcast_to(to_inner(warm, centre, scale), (len(loss), *warm.shape))
        begin = np.concatenate([begin, extra], axis=1)
    rows = np.repeat(np.arange(len(loss)), begin.shape[1])

    def evaluate(u: Array, index: Positions) -> tuple[Array, Array, Array]:
        which = rows[index]
        predicted, jacobian = curve(u, ell[which], k)  # (b, R, K), (P, b, R, K)
        residual = (target[which] - predicted) * observed
        jacobian = (jacobian * observed).transpose(1, 0, 2, 3).reshape(len(u), P, -1)  # (b, P, R·K)
        weights = np.repeat(weight[which], len(k), axis=1)  # (b, R·K)
        # Gauss–Newton: the residuals' own curvature is left out, so that JᵀWJ is never indefinite.
        pull = weights * residual.reshape(len(u), -1)
        gradient = -2 * np.einsum("bpm,bm->bp", jacobian, pull)
        curvature = 2 * (jacobian * weights[:, None]) @ jacobian.transpose(0, 2, 1)
        return np.sum(pull * residual.reshape(len(u), -1), axis=1), gradient, curvature

    descent = minimise(
        in_blocks(evaluate, max(1, _BLOCK // target[0].size)),
        begin.reshape(-1, P),
        LOWER[:P],
        UPPER[:P],
        max_iter=max_iter,
        tolerance=tolerance,
        radius=3.0,
    )
    best = np.argmin(descent.value.reshape(len(loss), -1), axis=1) + begin.shape[1] * np.arange(len(loss))
    theta = from_inner(descent.x[best], centre, scale)
    return SuccessFits(theta, descent.value[best], descent.converged[best])


def success_objective(
    curve: Curve, ell: Array, k: Array, passed: Array, weight: Array
) -> Callable[[Array], tuple[float, Array]]:
    """Value and gradient at u (P,) for one table passed (R, K) at standardised losses ell (R,)."""
    observed = np.isfinite(passed)
    target = np.where(observed, passed, 0.0)

    def evaluate(u: Array) -> tuple[float, Array]:
        predicted, jacobian = curve(u[None], ell[None], k)
        residual = (target - predicted[0]) * observed
        pull = weight[:, None] * residual
        return float(np.sum(pull * residual)), -2 * np.sum(jacobian[:, 0] * pull, axis=(1, 2))

    return evaluate


def standardise(loss: Array) -> tuple[float, float]:
    """(centre, scale) of the losses; scale 1 where they do not differ."""
    scale = float(np.std(loss))
    return float(np.mean(loss)), scale if scale > 0 else 1.0


def start_grid(ell: Array, passed: Array, P: int, coarse: bool = False) -> Array:
    """Starts u (n, P): sigmoids through pass@1 for several ceilings θ2, times concentrations ν (two if coarse)."""
    first = passed[:, 0]
    seen = np.isfinite(first)
    top = float(np.clip(np.max(first[seen], initial=1e-9), 1e-9, 0.99))
    sigmoids = []
    for ceiling in np.unique(np.minimum([1.0, 1.02 * top, 1.5 * top, 4 * top, 20 * top], 1.0)):
        share = np.clip(first[seen] / ceiling, 1e-6, 1 - 1e-3)
        # Losses that do not differ (by stage 1 neither N nor D helps) have no slope to start from.
        sloped = seen.sum() > 2 and np.ptp(ell[seen]) > 1e-9
        slope, level = np.polyfit(ell[seen], np.log(share / (1 - share)), 1) if sloped else (-1.0, 0.0)
        steep = max(-slope, 0.05)
        sigmoids.append([np.clip(level / steep, -30, 30), np.log(steep), np.log(ceiling)])
    if P == 3:
        return np.array(sigmoids)
    nu = [(-1.5, 0.0), (1.5, 0.0)] if coarse else list(product((-4.0, -1.5, 0.5, 3.0), (-1.0, 0.0, 1.0)))
    return np.array([[*sigmoid, level, tilt] for sigmoid, (level, tilt) in product(sigmoids, nu)])


def _best_starts(
    curve: Curve, grid: Array, ell: Array, k: Array, target: Array, weight: Array, observed: Array, count: int
) -> Array:
    """The `count` starts of lowest sum of squares for each problem, shape (B, count, P)."""
    values = np.empty((len(ell), len(grid)))
    for j, start in enumerate(grid):
        predicted, _ = curve(np.broadcast_to(start, (len(ell), len(start))), ell, k, slopes=False)
        values[:, j] = np.einsum("br,brk->b", weight, ((target - predicted) * observed) ** 2)
    return grid[np.argsort(values, axis=1)[:, : min(count, len(grid))]]


def to_inner(theta: Array, centre: float, scale: float) -> Array:
    """u from θ, shape (n, P)."""
    u = np.array(theta, dtype=float)
    u[:, 0] = (theta[:, 0] - centre) / scale
    u[:, 1], u[:, 2] = np.log(theta[:, 1] * scale), np.log(theta[:, 2])
    if u.shape[1] == 5:
        u[:, 3], u[:, 4] = theta[:, 3] + theta[:, 4] * centre, theta[:, 4] * scale
    return u


def from_inner(u: Array, centre: float, scale: float) -> Array:
    """θ from u, shape (n, P)."""
    theta = np.array(u, dtype=float)
    theta[:, 0] = centre + scale * u[:, 0]
    theta[:, 1], theta[:, 2] = np.exp(u[:, 1]) / scale, np.exp(u[:, 2])
    if theta.shape[1] == 5:
        theta[:, 4] = u[:, 4] / scale
        theta[:, 3] = u[:, 3] - theta[:, 4] * centre
    return theta
