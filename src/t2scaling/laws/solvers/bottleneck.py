"""The bottleneck index: one number per run that parameters and tokens move, fitted robustly, many problems at once.

    θ(N, D) = c + γ·log(w·e^(−α·n/γ) + (1 − w)·e^(−β·d/γ)),     n = log(N/N₀), d = log(D/D₀)

is fitted to y = log(−log p̄) of each run, with N₀ and D₀ the geometric means of the runs. In these centred units c and
w say where the suite stands, α and β how fast either resource helps where it alone is short, and γ how softly the two
bottlenecks meet: γ → 0 is the harder of the two, γ = 1 Chinchilla's sum without a floor, γ → ∞ the product.

Minimised is Σ ω·huber((θ − y)/s) plus weak priors, s being the robust spread of the residuals. Neighbouring
checkpoints of one training run are not independent, so the weights ω sum to at most 100, however many runs there are.
Gauss–Newton steps with Levenberg's damping within bounds (`newton.minimise`), from four starts.
Inside, the parameters are u = (c, logit w, log α, log β/α, log γ). Shapes: B problems, R runs.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.laws.solvers.newton import Objective, in_blocks, minimise

HUBER = 1.345  # residuals beyond this many spreads count linearly (95 % efficient for normal errors)
MOST_RUNS = 100.0  # what the weights sum to at most
LEAST_SPREAD = 1e-4
_LOWER = np.array([-200.0, -30.0, np.log(0.003), -3.0, -2.5])
_UPPER = np.array([200.0, 30.0, np.log(4.0), 3.0, 2.5])
# Priors as a mean and a precision per parameter; c has none, and that of w only keeps it from running away.
_PRIOR_MEAN = np.array([0.0, 0.0, np.log(0.3), 0.0, 0.0])
_PRIOR_PRECISION = np.array([0.0, 1e-4, 1.5**-2, 0.3**-2, 1.5**-2])
_STARTS = [(alpha, side) for alpha in (0.1, 0.4) for side in (-1.0, 1.0)]
_STEPS = (4, 6, 30)  # Gauss–Newton steps between which the spread s is measured anew
_BLOCK = 2**16  # residuals worked on at a time


@dataclass(frozen=True)
class IndexFits:
    """u (B, 5), centre (2,): log N₀ and log D₀, spread (B,): s, value (B,): the objective, converged (B,)."""

    u: Array
    centre: Array
    spread: Array
    value: Array
    converged: Flags

    def index(self, N: Array, D: Array) -> Array:
        """θ at N and D of one shape (n,), for every problem: shape (B, n)."""
        return index(self.u, np.log(N) - self.centre[0], np.log(D) - self.centre[1])

    def slopes(self, N: Array, D: Array) -> Array:
        """Slopes of the first problem's θ in u at N and D, shape (n, 5)."""
        return index_slopes(self.u[:1], np.log(N) - self.centre[0], np.log(D) - self.centre[1])[1][0].T

    def precision(self, N: Array, D: Array) -> Array:
        """Inverse covariance of the first problem's u, (5, 5): curvature of the objective at runs of equal weight."""
        slopes = self.slopes(N, D)
        weight = min(len(N), MOST_RUNS) / len(N) / self.spread[0] ** 2
        return weight * slopes.T @ slopes + np.diag(_PRIOR_PRECISION) + 1e-9 * np.eye(5)

    def parameters(self) -> Array:
        """A, a, B, b, γ of θ = γ·log(A·N^−a + B·D^−b), shape (B, 5); a = α/γ and b = β/γ."""
        c, logit, log_alpha, log_ratio, log_gamma = self.u.T
        gamma = np.exp(log_gamma)
        a = np.exp(log_alpha) / gamma
        b = a * np.exp(log_ratio)
        with np.errstate(over="ignore"):
            A = np.exp(c / gamma - np.logaddexp(0, -logit) + a * self.centre[0])
            B = np.exp(c / gamma - np.logaddexp(0, logit) + b * self.centre[1])
        return np.stack([A, a, B, b, gamma], axis=1)


def index(u: Array, n: Array, d: Array) -> Array:
    """θ of each problem u (B, 5) at centred log N and log D, (R,) or (B, R); shape (B, R)."""
    return _index_and_share(u, n, d)[0]


def _index_and_share(u: Array, n: Array, d: Array) -> tuple[Array, Array, Array, Array]:
    """θ, the share of the N-term in the sum, α·n and β·d, each (B, R)."""
    c, logit, log_alpha, log_ratio, log_gamma = u.T[:, :, None]
    gamma = np.exp(log_gamma)
    by_size = np.exp(log_alpha) * n
    by_tokens = np.exp(log_alpha + log_ratio) * d
    # log w = −log(1 + e^−logit) and log(1 − w) = −log(1 + e^logit), both to full precision.
    first = -np.logaddexp(0, -logit) - by_size / gamma
    second = -np.logaddexp(0, logit) - by_tokens / gamma
    log_sum = np.logaddexp(first, second)
    return c + gamma * log_sum, np.exp(first - log_sum), by_size, by_tokens


def index_slopes(u: Array, n: Array, d: Array) -> tuple[Array, Array]:
    """θ (B, R) and its slopes in u, (B, 5, R)."""
    theta, share, by_size, by_tokens = _index_and_share(u, n, d)
    gamma = np.exp(u[:, 4, None])
    w = 1 / (1 + np.exp(-u[:, 1, None]))
    along_size, along_tokens = share * by_size, (1 - share) * by_tokens
    slopes = [
        np.ones_like(theta),
        gamma * (share - w),
        -along_size - along_tokens,
        -along_tokens,
        theta - u[:, 0, None] + along_size + along_tokens,
    ]
    return theta, np.stack(slopes, axis=1)


def fit_index(N: Array, D: Array, y: Array, weight: Array | None = None) -> IndexFits:
    """Fit the index to y (B, R), NaN where a run has none, at N and D (R,) with run weights (B, R), default equal."""
    weight = np.ones_like(y) if weight is None else np.broadcast_to(weight, y.shape)
    seen = np.isfinite(y)
    counted = np.where(seen, weight, 0.0)
    total = counted.sum(axis=1, keepdims=True)
    omega = counted / total * np.minimum(seen.sum(axis=1, keepdims=True), MOST_RUNS)
    usable = seen.any(axis=0)
    centre = np.array([np.mean(np.log(N[usable])), np.mean(np.log(D[usable]))])
    n, d, target = np.log(N) - centre[0], np.log(D) - centre[1], np.where(seen, y, 0.0)
    u, spread = _starts(n, d, target, omega)
    rows = np.repeat(np.arange(len(y)), len(_STARTS))
    for steps in _STEPS:
        descent = minimise(_objective(n, d, target, omega, spread, rows), u, _LOWER, _UPPER, max_iter=steps)
        u = descent.x
        if steps != _STEPS[-1]:
            spread = _spread(index(u, n, d) - target[rows], omega[rows])
    merit = descent.value + omega.sum(axis=1)[rows] * np.log(spread)
    best = np.argmin(merit.reshape(len(y), -1), axis=1) + len(_STARTS) * np.arange(len(y))
    return IndexFits(u[best], centre, spread[best], descent.value[best], np.isfinite(merit[best]))


def _objective(n: Array, d: Array, target: Array, omega: Array, spread: Array, rows: Positions) -> Objective:
    """Objective of each problem and start at its own spread, for `newton.minimise`."""

    def evaluate(u: Array, which: Positions) -> tuple[Array, Array, Array]:
        theta, slopes = index_slopes(u, n, d)
        s, weight = spread[which, None], omega[rows[which]]
        residual = (theta - target[rows[which]]) / s
        size = np.abs(residual)
        loss = np.where(size <= HUBER, 0.5 * size**2, HUBER * (size - 0.5 * HUBER))
        # Iteratively reweighted: beyond the bend a residual pulls with constant force.
        pull = weight * np.minimum(1.0, HUBER / np.maximum(size, HUBER))
        off = u - _PRIOR_MEAN
        value = np.sum(weight * loss, axis=1) + 0.5 * np.sum(_PRIOR_PRECISION * off**2, axis=1)
        gradient = np.einsum("bpr,br->bp", slopes, pull * residual / s) + _PRIOR_PRECISION * off
        curvature = (slopes * (pull / s**2)[:, None]) @ slopes.transpose(0, 2, 1) + np.diag(_PRIOR_PRECISION)
        return value, gradient, curvature

    return in_blocks(evaluate, max(1, _BLOCK // target.shape[1]))


def _starts(n: Array, d: Array, target: Array, omega: Array) -> tuple[Array, Array]:
    """u (B·S, 5) and the spread of a plane in (1, n, d) around each problem, (B·S,)."""
    plane = np.stack([np.ones_like(n), n, d])
    normal = np.einsum("pr,br,qr->bpq", plane, omega, plane) + 1e-9 * np.eye(3)
    flat = np.linalg.solve(normal, np.einsum("pr,br,br->bp", plane, omega, target)[..., None])[..., 0]
    spread = _spread(flat @ plane - target, omega)
    mean = np.sum(omega * target, axis=1) / omega.sum(axis=1)
    starts = np.array([[0.0, side, np.log(alpha), 0.0, 0.0] for alpha, side in _STARTS])
    u = np.tile(starts, (len(target), 1))
    u[:, 0] = np.repeat(mean, len(_STARTS))
    return u, np.repeat(spread, len(_STARTS))


def _spread(residual: Array, omega: Array) -> Array:
    """1.4826 × the weighted median of |residual|, shape (B,): the standard deviation, if the errors are normal."""
    size = np.abs(residual)
    order = np.argsort(size, axis=1)
    mass = np.cumsum(np.take_along_axis(omega, order, axis=1), axis=1)
    middle = np.argmax(mass >= 0.5 * mass[:, -1:] * (1 - 1e-12), axis=1)
    median = np.take_along_axis(size, np.take_along_axis(order, middle[:, None], axis=1), axis=1)[:, 0]
    return np.maximum(1.4826 * median, LEAST_SPREAD)


def log_loss_of(passed: Array) -> Array:
    """y = log(−log p̄), NaN where nothing was solved or pass@k is unmeasured; any shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(passed > 0, np.log(-np.log(np.minimum(passed, 1 - 1e-12))), np.nan)
