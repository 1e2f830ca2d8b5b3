"""pass@k: the chance that at least one of k samples is right, from counts or from likelihoods.

Counts: a question sampled n times with c correct has the unbiased estimate (Chen et al. 2021, arXiv 2107.03374, Eq. 1)

    pass@k = 1 − C(n − c, k) / C(n, k).

Likelihoods: a question whose answer has probability p = exp(−nll) is passed with 1 − (1 − p)^k (arXiv 2604.01411, §3).

Arrays in, arrays out. Q questions and a scalar k give shape (Q,); an array of K values of k gives (Q, K): the shape
of the outcomes, then the shape of k. k may be real: the binomials become Gamma functions, which agree with the
estimator at integers and are smooth between them. What is undefined (k > n) is NaN, never a plausible number.
"""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Positions
from t2scaling.errors import ArgumentError

_STIRLING_FROM = 10.0
_BLOCK = 8192  # pairs at a time: the intermediates then stay in the cache
# Below this loss p = exp(−nll) is within rounding of −log(1 − p); above it the two are equal in double precision.
_TINY_FROM = 37.0


def pass_at_k(n: ArrayLike, c: ArrayLike, k: ArrayLike) -> Array:
    """Unbiased chance that at least one of k samples, drawn without replacement from n with c correct, is right.

    n, c   samples and correct samples per question, whole numbers, broadcast against each other
    k      samples allowed per question, at least 1; scalar or array
    Returns shape (n, c).shape + k.shape, NaN where n < k: no unbiased estimate exists there.
    Stable for n up to 10^7 and beyond; equal (n, c) pairs are computed once.
    Raises ArgumentError if c > n, a count is negative or no whole number, or k < 1.
    """
    k = _check_k(k)
    n, c = np.broadcast_arrays(_check_counts("n", n), _check_counts("c", c))
    _check_at_most(n, c)
    pairs, where = _distinct_pairs(n.ravel(), c.ravel())
    estimate = np.empty((pairs[0].size, k.size))
    for start in range(0, len(estimate), _BLOCK):
        block = slice(start, start + _BLOCK)
        estimate[block] = _pass_of_pairs(pairs[0][block, None], pairs[1][block, None], k.ravel()[None, :])
    return estimate[where].reshape(n.shape + k.shape)


def pass_at_k_from_nll(nll: ArrayLike, k: ArrayLike) -> Array:
    """1 − (1 − e^−nll)^k, to full precision for any nll ≥ 0 (p down to 1e-300) and real k ≥ 1.

    nll    negative log-likelihood of the right answer in nats, summed over its tokens; NaN stays NaN
    k      samples per question; scalar or array
    Returns shape nll.shape + k.shape. Raises ArgumentError if nll < 0 or k < 1.
    """
    k, nll = _check_k(k), np.asarray(nll, dtype=float)
    fail = log_fail_from_nll(nll).reshape(nll.shape + (1,) * k.ndim)
    with np.errstate(under="ignore"):
        return np.asarray(-np.expm1(k * fail))


def neg_log_pass_at_k_from_nll(nll: ArrayLike, k: ArrayLike) -> Array:
    """−log(1 − (1 − e^−nll)^k) in nats, finite even where pass@k underflows. Shapes and errors as above."""
    k, nll = _check_k(k), np.asarray(nll, dtype=float)
    fail = log_fail_from_nll(nll).reshape(nll.shape + (1,) * k.ndim)
    nll = nll.reshape(fail.shape)
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        # For tiny p the log of −log(1 − p) is −nll itself, which does not underflow.
        log_hazard = np.where(nll > _TINY_FROM, -nll, np.log(-fail)) + np.log(k)
        hazard = np.exp(np.minimum(log_hazard, 700.0))
        small = np.where(log_hazard < -_TINY_FROM, -log_hazard, -np.log(-np.expm1(-hazard)))
        return np.asarray(np.where(hazard > 0.7, -np.log1p(-np.exp(-hazard)), small))


def guessing(chance: ArrayLike, k: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Mean pass@k of a guesser that knows only the form of each question: 1 − E[(1 − chance)^k].

    chance   probability that one guess is right, shape (Q,), each in [0, 1]; NaN where it is not known
    k        samples per question; scalar or array
    weights  one weight per question (default: equal)
    Returns the shape of k: NaN where some question's chance is not known. What a model's pass@k has to beat.

    >>> guessing([0.25, 0.0], [1, 2]).round(5).tolist()
    [0.125, 0.21875]

    Raises ArgumentError if a chance is no probability, or k < 1.
    """
    k, chance = _check_k(k), np.asarray(chance, dtype=float)
    if np.any((chance < 0) | (chance > 1)) or chance.ndim != 1 or not chance.size:
        raise ArgumentError(f"`chance` = {chance!r:.80} must be a list of probabilities, between 0 and 1.")
    with np.errstate(divide="ignore", under="ignore"):
        passed = -np.expm1(np.multiply.outer(k, np.log1p(-chance)))  # k.shape + (Q,)
    share = np.ones(len(chance)) if weights is None else np.asarray(weights, dtype=float)
    return np.asarray(passed @ (share / share.sum()))


def mean_and_error(values: ArrayLike, weights: ArrayLike | None = None, axis: int = -1) -> tuple[Array, Array]:
    """Mean over questions and its standard error, the question being the unit; NaN questions are left out.

    values   per-question values with questions along `axis`
    weights  one weight per question (default: equal), rescaled to sum to 1 over the questions that count
    The error is NaN with fewer than two questions. A benchmark's questions vary far more than the draws within one,
    so the spread between questions is what the error has to carry.
    """
    x = np.moveaxis(np.asarray(values, dtype=float), axis, -1)
    w = np.ones(x.shape[-1]) if weights is None else np.asarray(weights, dtype=float)
    w = np.where(np.isnan(x), 0.0, w)
    count = np.count_nonzero(w, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        w = w / w.sum(axis=-1, keepdims=True)
        mean = np.sum(w * np.nan_to_num(x, posinf=np.inf), axis=-1)
        squares = np.sum((w * (np.nan_to_num(x, posinf=np.inf) - mean[..., None])) ** 2, axis=-1)
        error = np.sqrt(squares * np.where(count > 1, count / (count - 1.0), np.nan))
    return np.where(count > 0, mean, np.nan), error


def _check_k(k: ArrayLike) -> Array:
    k = np.asarray(k, dtype=float)
    if k.size and not np.all(k >= 1):
        raise ArgumentError(f"`k` = {np.min(k):g} is below one sample: ask for k ≥ 1.")
    return k


def _check_counts(name: str, counts: ArrayLike) -> Array:
    counts = np.asarray(counts, dtype=float)
    bad = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    if np.any(bad):
        index = int(np.argmax(bad.ravel()))
        raise ArgumentError(
            f"`{name}` = {counts.ravel()[index]:g} at index {index} is not a count: give whole numbers, 0 or more."
        )
    return counts


def _check_at_most(n: Array, c: Array) -> None:
    over = (c > n).ravel()
    if np.any(over):
        index = int(np.argmax(over))
        raise ArgumentError(
            f"`c` exceeds `n` for {int(over.sum())} question(s), first at index {index}: c={c.ravel()[index]:g}, "
            f"n={n.ravel()[index]:g}. Check that the correct samples were counted among the n."
        )


def _distinct_pairs(n: Array, c: Array) -> tuple[tuple[Array, Array], Positions]:
    """Distinct (n, c) pairs and, for each question, the index of its pair."""
    if n.size == 0:
        return (n, c), np.zeros(0, dtype=np.intp)
    width = c.max() + 1
    code = n * width + c
    if code.max() >= 2**53:  # the code would no longer be exact
        return (n, c), np.arange(n.size)
    low, span = code.min(), int(code.max() - code.min()) + 1
    if span <= max(4 * n.size, 1024):  # a table beats sorting, and counts of one benchmark are close together
        index = (code - low).astype(np.intp)
        present = np.zeros(span, dtype=bool)
        present[index] = True
        codes = np.flatnonzero(present)
        slot = np.empty(span, dtype=np.intp)
        slot[codes] = np.arange(codes.size)
        distinct, where = codes + low, slot[index]
    else:
        distinct, where = np.unique(code, return_inverse=True)
    pairs = np.floor_divide(distinct, width)
    return (pairs, distinct - pairs * width), where


def _pass_of_pairs(n: Array, c: Array, k: Array) -> Array:
    """The estimator with n, c and k broadcast: log C(n − c, k)/C(n, k) is a second difference of log Γ at n + 1."""
    n, c, k = np.broadcast_arrays(n, c, k)
    out = np.where(k > n, np.nan, 1.0)
    inside = (n - c - k > -1) & (k <= n)
    # With n − c < k some draw must be correct. The Gamma form says so at whole k; between whole numbers it joins
    # smoothly, so only n − c − k ≤ −1 is left at 1.
    out[inside] = -np.expm1(-log_gamma_second_difference((n - c - k + 1)[inside], c[inside], k[inside]))
    return out


def log_gamma_second_difference(y: ArrayLike, c: ArrayLike, k: ArrayLike) -> Array:
    """log Γ(y + c + k) − log Γ(y + c) − log Γ(y + k) + log Γ(y), for y, c, k ≥ 0; arrays broadcast.

    It is −log of the chance that k samples all fail: with y = n − c − k + 1 from counts, and with y = b, c = a for a
    success rate that is Beta(a, b). Taking the four log Γ apart would lose all digits for large y, and for tiny c. By
    Stirling's formula log Γ(x) = (x − 1/2) log x − x + S(x): the first part is combined by hand, so that every term is
    of the size of the result, and S is small.
    """
    y, c, k = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in (y, c, k)))
    x = y + c + k
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        by_c, by_k = _log_ratio(y + k, c), _log_ratio(y + c, k)
        both = _log_ratio(y * x, c * k)
        # log y = log x + by_c + by_k + both
        bulk = (y - 0.5) * both - k * by_c - c * by_k
        rest = _stirling_rest(x) - _stirling_rest(y + k) - _stirling_rest(y + c) + _stirling_rest(y)
    difference = np.where(y == 0, np.inf, np.maximum(bulk + rest, 0.0))
    return np.where((c == 0) | (k == 0), 0.0, difference)


def _log_ratio(part: Array, rest: Array) -> Array:
    """log(part / (part + rest)), to full precision whichever of the two is small."""
    whole = part + rest
    return np.where(rest < part, np.log1p(-rest / whole), np.log(part / whole))


def _stirling_rest(x: Array) -> Array:
    """S(x) = log Γ(x) − (x − 1/2) log x + x − log(2π)/2 for x > 0.

    The asymptotic series serves from 10 on; below it S(x) = S(x + 1) + (x + 1/2) log(1 + 1/x) − 1 leads up to there.
    """
    x = np.array(x, dtype=float)
    lift = np.zeros_like(x)
    low = x < _STIRLING_FROM
    while np.any(low):
        lift[low] += (x[low] + 0.5) * np.log1p(1 / x[low]) - 1
        x[low] += 1
        low = x < _STIRLING_FROM
    square = 1 / (x * x)
    series = 1 / 1188 - square * (691 / 360360 - square / 156)
    series = 1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * series)))
    return lift + series / x


def log_fail_from_nll(nll: ArrayLike) -> Array:
    """log(1 − p) with p = exp(−nll), by whichever form keeps its digits: expm1 for p near 1, log1p for small p.

    pass@k is 1 − exp(k·log(1 − p)). Raises ArgumentError if nll < 0.
    """
    nll = np.asarray(nll, dtype=float)
    if np.any(nll < 0):
        raise ArgumentError(
            f"`nll` = {np.nanmin(nll):g} is negative: give −log p of the right answer, not the log-probability itself."
        )
    with np.errstate(divide="ignore", under="ignore"):
        return np.where(nll < 0.7, np.log(-np.expm1(-nll)), np.log1p(-np.exp(-nll)))
