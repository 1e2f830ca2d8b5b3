"""Exact majority@k for 10,000 questions against 2,000 random subsets per question: seconds, and how far apart they are.

    python benchmarks/majority.py [--questions 10000]

n = 256 samples of each question over 20 distinct answers (Dirichlet(0.3) chances), k in 1, 4, 16, 64, one core.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from t2scaling.strategies import majority

SAMPLES, ANSWERS, K, SUBSETS = 256, 20, (1, 4, 16, 64), 2000


def sampled(counts: np.ndarray, k: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean and standard error of the plurality over random subsets of k (multivariate hypergeometric draws)."""
    votes = rng.multivariate_hypergeometric(counts, k, size=SUBSETS)
    top = votes == votes.max(axis=1, keepdims=True)
    won = top[:, 0] / top.sum(axis=1)
    return float(won.mean()), float(won.std() / np.sqrt(SUBSETS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=10_000)
    count = parser.parse_args().questions
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.full(ANSWERS, 0.3), size=count)
    counts = np.array([rng.multinomial(SAMPLES, row) for row in chances])
    start = time.process_time()
    exact = majority(counts, K)
    seconds = time.process_time() - start
    some = min(count, 200)
    start = time.process_time()
    z = []
    for row, values in zip(counts[:some], exact, strict=False):
        for k, value in zip(K, values, strict=True):
            mean, error = sampled(row, k, rng)
            z.append((mean - value) / error if error > 0 else 0.0)
    random = (time.process_time() - start) * count / some
    print(f"exact, {count} questions, k = {K}: {seconds:.1f} s of one core")
    print(f"{SUBSETS} random subsets per question and k: {random:.1f} s (timed on {some} questions)")
    print(
        f"ratio random/exact: {random / seconds:.1f}; z of the differences: mean {np.mean(z):+.2f}, sd {np.std(z):.2f}"
    )


if __name__ == "__main__":
    main()
