"""The cheapest model of a given loss when so many tokens will be served: Sardana et al. 2024 (arXiv 2401.00448).

min 6·N·D + 2·N·served  subject to  E + A·N^−alpha + B·D^−beta = loss. Their condition for D,
    (beta·B/alpha + B)·D^−beta + (served·beta·B/(3·alpha))·D^−(beta+1) = loss − E,
falls in D, and its logarithm is convex in log D, so Newton's method converges from the left.
"""

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.costs import PAPER
from t2scaling.errors import require
from t2scaling.laws import ChinchillaLaw

# Tokens served that cost as much as one training token, per parameter: 3.
_PER_TOKEN = float(PAPER.train(1, 1) / PAPER.serve(1, 1))


def inference_aware_optimum(law: ChinchillaLaw, loss: ArrayLike, tokens_served: ArrayLike) -> tuple[Array, Array]:
    """(N, D) of least total FLOPs that reach `loss` when `tokens_served` are served, broadcast.

    tokens_served = 0 is Chinchilla's own optimum. Raises ArgumentError if the loss is not above the law's floor E.
    """
    target, served = np.asarray(loss, dtype=float) - law.E, np.asarray(tokens_served, dtype=float)
    reaches = f"lie above E = {law.E:g}: no model of this law reaches it"
    require(bool(np.all(target > 0)), "loss", float(np.min(loss)), reaches)
    require(bool(np.all(served >= 0)), "tokens_served", float(np.min(served)), "not be negative")
    base, extra = law.B * (1 + law.beta / law.alpha), served * law.beta * law.B / (_PER_TOKEN * law.alpha)
    # With nothing served the condition is solved by this D, which is below the root otherwise: a start from the left.
    x = np.log(base / target) / law.beta + np.zeros_like(served)
    for _ in range(200):
        plain, more = base * np.exp(-law.beta * x), extra * np.exp(-(law.beta + 1) * x)
        gap = np.log((plain + more) / target)
        move = gap * (plain + more) / (law.beta * plain + (law.beta + 1) * more)
        x = x + move
        if np.all(np.abs(move) <= 1e-15 * np.abs(x)):
            break
    D = np.exp(x)
    return (law.A / (target - law.B * D**-law.beta)) ** (1 / law.alpha), D
