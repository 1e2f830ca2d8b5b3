"""pass@k of a million questions at twelve k: `t2scaling.passk.pass_at_k` against the usual loop over questions.

The reference is the product form of Chen et al. 2021 evaluated with NumPy for one question and one k at a time, the
way most evaluation harnesses do it. It is timed on a slice of the questions and scaled up; the slice's values are
compared with ours. Run: python benchmarks/passk.py [questions]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from t2scaling.passk import pass_at_k


def one_at_a_time(n: int, c: int, k: int) -> float:
    """1 − Π (1 − k/i) over i = n − c + 1 … n, and 1 where n − c < k."""
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def main(questions: int = 1_000_000, slice_size: int = 5_000) -> None:
    rng = np.random.default_rng(0)
    k = np.unique(np.geomspace(1, 256, 12).round()).astype(int)
    for label, n in (("n = 256 for all", np.full(questions, 256)), ("unequal n", rng.integers(256, 4096, questions))):
        c = rng.binomial(n, rng.beta(0.3, 3.0, questions))
        start = time.perf_counter()
        ours = pass_at_k(n, c, k)
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        loop = np.array(
            [[one_at_a_time(a, b, m) for m in k] for a, b in zip(n[:slice_size], c[:slice_size], strict=True)]
        )
        reference = (time.perf_counter() - start) * questions / slice_size
        error = np.max(np.abs(loop - ours[:slice_size]))
        print(
            f"pass@k, {questions:,} questions × {k.size} k, {label}: {seconds:.2f} s; per-question NumPy loop "
            f"{reference:.0f} s (from {slice_size:,} questions); ratio {reference / seconds:.0f}×; "
            f"largest difference {error:.1e}"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
