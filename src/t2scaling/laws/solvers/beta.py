"""Success over questions as a Beta distribution whose mean and concentration follow one number x per run.

    μ = θ2/(1 + exp(θ1·(x − θ0)))      ν = exp(θ3 + θ4·x), held within [1e-6, 1e6]      a = μν, b = (1 − μ)ν
    E[(1 − p)^k] = B(a, b + k)/B(a, b)                                   (arXiv 2604.01411, §3)

x is the task's loss in Approach 2; any other index of ability serves. All functions are elementwise.
"""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.passk import log_gamma_second_difference

Number = float | Array

LOG_NU = float(np.log(1e6))  # |log ν| at most


def mean_success(x: ArrayLike, theta: tuple[Number, ...]) -> tuple[Array, Array]:
    """μ and its spread s = μ·(1 − μ/θ2), from which dμ/dx = −θ1·s and dμ/dlog θ1 = −θ1·(x − θ0)·s."""
    from scipy.special import expit

    t0, t1, ceiling = (np.asarray(value, dtype=float) for value in theta[:3])
    z = t1 * (np.asarray(x, dtype=float) - t0)
    mean = ceiling * expit(-z)
    return np.asarray(mean), np.asarray(mean * expit(z))


def concentration(x: ArrayLike, level: Number, tilt: Number) -> tuple[Array, Flags]:
    """ν = exp(level + tilt·x), held within its range, and whether it lies inside (where its slope is not zero)."""
    log_nu = level + tilt * np.asarray(x, dtype=float)
    return np.exp(np.clip(log_nu, -LOG_NU, LOG_NU)), np.abs(log_nu) < LOG_NU


def log_beta_fail(a: ArrayLike, b: ArrayLike, k: ArrayLike) -> Array:
    """log of E[(1 − p)^k] = B(a, b + k)/B(a, b) for p ~ Beta(a, b); arrays broadcast.

    >>> round(float(log_beta_fail(1.0, 1.0, 1.0)), 6)  # a uniform success rate fails once in two
    -0.693147
    """
    return -log_gamma_second_difference(b, a, k)


def log_beta_fail_slopes(x: ArrayLike, theta: tuple[Number, ...], k: ArrayLike) -> tuple[Array, Array]:
    """Derivatives of log E[(1 − p)^k] in x and in log k.

    log fail = lnΓ(b + k) − lnΓ(b) + lnΓ(ν) − lnΓ(ν + k). Differences of digammas are taken before they cancel: for
    small means a = μν is tiny beside b.
    """
    k = np.asarray(k, dtype=float)
    mean, spread = mean_success(x, theta)
    nu, inside = concentration(x, theta[3], theta[4])
    nu_slope = np.where(inside, theta[4] * nu, 0.0)
    a, b = mean * nu, (1 - mean) * nu
    far = digamma_difference(b, k)
    near, tail = digamma_difference(b, a), digamma_difference(b + k, a)
    return theta[1] * spread * nu * far + nu_slope * (near - tail - mean * far), -k * tail


_SHIFT = 8
_ASYMPTOTIC = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)


def digamma_difference(z: ArrayLike, step: ArrayLike) -> Array:
    """ψ(z + step) − ψ(z) for z > 0 and step ≥ 0, without cancellation for small steps or large z.

    The recurrence ψ(z + 1) = ψ(z) + 1/z lifts z above 8, where the asymptotic series (Abramowitz & Stegun 6.3.18) is
    exact to rounding.
    """
    z, step = np.asarray(z, dtype=float), np.asarray(step, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.zeros(np.broadcast_shapes(z.shape, step.shape))
        for i in range(_SHIFT):
            total = total + step / ((z + i) * (z + i + step))
        low = z + _SHIFT
        high = low + step
        total = total + np.log1p(step / low) + step / (2 * low * high)
        # 1/low² − 1/high² = d·s with d the difference and s the sum of the reciprocals, and so on for higher powers.
        x, y = 1 / low**2, 1 / high**2
        gap = step * (low + high) / (low * high) ** 2
        powers = np.zeros_like(total)
        for n, coefficient in enumerate(_ASYMPTOTIC):
            powers = x * powers + y**n
            total = total + coefficient * gap * powers
    return total
