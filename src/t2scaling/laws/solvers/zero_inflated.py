"""The zero-inflated beta-binomial: what c of n samples right, question by question, say of k samples not yet drawn.

A share π of the questions is never solved; the others have success rates p ~ Beta(a, b), so that

    P(c | n) = π·1[c = 0] + (1 − π)·C(n, c)·B(a + c, b + n − c)/B(a, b),
    pass@k   = (1 − π)·(1 − B(a, b + k)/B(a, b)).

Fitted over questions, many runs at once, with unequal n (Kazdan et al. 2025, arXiv 2510.05197, without the inflation).
Unsolvable questions are hard to tell from a Beta with much mass near zero: π is a priori Beta(1, 2), which costs little
where there are none, and below `ENOUGH` samples per question it is not looked for. The rest is maximum likelihood.
Inside, u = (log a, log b, logit π). Shapes: B runs, Q questions.
"""

from dataclasses import dataclass

import numpy as np

from t2scaling.arrays import Array, Positions
from t2scaling.laws.solvers.newton import minimise

ENOUGH = 100  # samples per question from which a share of unsolvable questions is looked for
_LOWER = np.array([np.log(1e-3), np.log(1e-2), -12.0])
_UPPER = np.array([np.log(1e3), np.log(1e7), 12.0])
_STARTS = [(log_a, share) for log_a in (-1.5, 0.0) for share in (-8.0, -1.0)]


@dataclass(frozen=True)
class ZeroInflatedFits:
    """share (B,): π, a (B,), b (B,)."""

    share: Array
    a: Array
    b: Array

    def pass_at_k(self, k: Array) -> Array:
        """Mean pass@k of every run, shape (B, K), for any k."""
        from t2scaling.passk import log_gamma_second_difference

        fail = -log_gamma_second_difference(self.b[:, None], self.a[:, None], np.asarray(k, dtype=float))
        return -(1 - self.share)[:, None] * np.expm1(fail)


def fit_zero_inflated(n: Array, c: Array, inflate: bool | None = None) -> ZeroInflatedFits:
    """Fit every run of n samples with c correct, both (B, Q), n = 0 where a question is missing.

    inflate   whether π is looked for; by default where the typical run has `ENOUGH` samples per question
    """
    if inflate is None:
        inflate = float(np.median(n[n > 0])) >= ENOUGH
    rate = np.clip(np.sum(c, axis=1) / np.maximum(np.sum(n, axis=1), 1), 1e-7, 1 - 1e-7)
    starts = [start for start in _STARTS if inflate or start[1] == -8.0]
    u = np.array([[[log_a, log_a + np.log((1 - p) / p), share] for log_a, share in starts] for p in rate])
    lower, upper = _LOWER.copy(), _UPPER.copy()
    if not inflate:
        u[..., 2], lower[2], upper[2] = -np.inf, -np.inf, -np.inf
    rows = np.repeat(np.arange(len(n)), len(starts))
    P = 3 if inflate else 2

    def evaluate(x: Array, which: Positions) -> tuple[Array, Array, Array]:
        return _objective(x, n[rows[which]], c[rows[which]])

    descent = minimise(evaluate, u.reshape(-1, 3)[:, :P], lower[:P], upper[:P], max_iter=200, tolerance=1e-10)
    best = np.argmin(descent.value.reshape(len(n), -1), axis=1) + len(starts) * np.arange(len(n))
    x = descent.x[best]
    share = 1 / (1 + np.exp(-x[:, 2])) if inflate else np.zeros(len(x))
    return ZeroInflatedFits(share, np.exp(x[:, 0]), np.exp(x[:, 1]))


def _objective(x: Array, n: Array, c: Array) -> tuple[Array, Array, Array]:
    """−log likelihood − log prior (without C(n, c)), its gradient, and as curvature the sum of outer products of the
    scores, for each run at x (B, P).
    """
    from scipy.special import gammaln, psi

    a, b = np.exp(x[:, 0, None]), np.exp(x[:, 1, None])
    missing = n == 0
    log_beta = gammaln(a + c) + gammaln(b + n - c) - gammaln(a + b + n) - gammaln(a) - gammaln(b) + gammaln(a + b)
    both = psi(a + b) - psi(a + b + n)
    by_a = a * (psi(a + c) - psi(a) + both)
    by_b = b * (psi(b + n - c) - psi(b) + both)
    scores = [by_a, by_b]
    total = log_beta
    if x.shape[1] == 3:
        logit = x[:, 2, None]
        log_share, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
        none = c == 0
        total = np.where(none, np.logaddexp(log_share, log_rest + log_beta), log_rest + log_beta)
        # Chance that the question is of the solvable kind, given its count.
        solvable = np.where(none, np.exp(log_rest + log_beta - total), 1.0)
        share = np.exp(log_share)
        scores = [by_a * solvable, by_b * solvable, (1 - solvable) - share]
    score = np.where(missing[:, None], 0.0, np.stack(scores, axis=1))
    value, gradient = -np.sum(np.where(missing, 0.0, total), axis=1), -score.sum(axis=2)
    curvature = score @ score.transpose(0, 2, 1) + 1e-9 * np.eye(x.shape[1])
    if x.shape[1] == 3:
        share = np.exp(log_share[:, 0])
        value -= log_rest[:, 0]
        gradient[:, 2] += share
        curvature[:, 2, 2] += share * (1 - share)
    return value, gradient, curvature
