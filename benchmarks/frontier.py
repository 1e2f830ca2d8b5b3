"""Optima at 10,000 budgets, against one `scipy.optimize.minimize_scalar` per budget in the same run.

    python benchmarks/frontier.py [--budgets 10000] [--reference 500]

The reference solves a share of the budgets, evenly chosen, and its time is scaled up; both must agree on N. It
searches log N between 1e4 parameters and C_inf/2, bounded, to 1e-8; the accuracy law is scanned on 64 points first,
as it need not have one valley. Aims on one core: 0.2 s for the loss law, 2 s for the accuracy law.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from t2scaling.allocate import frontier
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, Law, LossLaw

LAWS: dict[str, Law] = {
    "loss": LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2),
    "accuracy": AccuracyLaw(ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37), (10, 0.6, 0.9, 1, -0.1)),
}
AIMS = {"loss": 0.2, "accuracy": 2.0}
INFERENCE_FLOPS = 2e9


def main() -> None:
    """Print a line per law."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--budgets", type=int, default=10_000)
    parser.add_argument("--reference", type=int, default=500, help="budgets that the reference solves")
    options = parser.parse_args()
    budgets = np.geomspace(1e17, 1e25, options.budgets)
    chosen = np.linspace(0, options.budgets - 1, options.reference).astype(int)
    for name, law in LAWS.items():
        ours = min(timed(lambda law=law: frontier(law, train_flops=budgets, inference_flops=INFERENCE_FLOPS))[0]
                   for _ in range(3))  # fmt: skip
        line = frontier(law, train_flops=budgets, inference_flops=INFERENCE_FLOPS)
        seconds, sizes = timed(lambda law=law: np.array([reference(law, budgets[i]) for i in chosen]))
        apart = np.max(np.abs(np.log(sizes / line.n_params[chosen])))
        assert apart < 1e-3, f"{name}: the reference is {apart:.2g} away in log N"
        theirs = seconds * options.budgets / options.reference
        print(
            f"{name:9s} {options.budgets} budgets: {ours:.3f} s (aim {AIMS[name]} s); "
            f"minimize_scalar loop {theirs:.1f} s; ratio {theirs / ours:.0f}x; largest gap in log N {apart:.1e}"
        )


def reference(law: Law, train_flops: float) -> float:
    """N by a bounded scalar search."""
    sign = -1 if law.metric == "pass_at_k" else 1

    def badness(log_n: float) -> float:
        N = np.exp(log_n)
        return sign * float(law.predict(N, train_flops / (6 * N), INFERENCE_FLOPS / (2 * N)))

    lo, hi = np.log(1e4), np.log(INFERENCE_FLOPS / 2)
    if sign < 0:
        grid = np.linspace(lo, hi, 64)
        best = int(np.argmin([badness(x) for x in grid]))
        lo, hi = grid[max(best - 1, 0)], grid[min(best + 1, 63)]
    return float(np.exp(minimize_scalar(badness, bounds=(lo, hi), method="bounded", options={"xatol": 1e-8}).x))


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """(seconds, result)."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
