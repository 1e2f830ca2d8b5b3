"""Does the near-optimal range hold the true optimum? Simulated suites of six truths, three outside every fitted family.

    python benchmarks/optimum_range.py [--draws 200] [--jobs 2]

Each suite has the 106 cells of Figure 8 of arXiv 2604.01411 and 300 questions, with 2 % noise per run and 8 % per
answer. The truth is the pass@k of the same questions without noise; its optimum lies inside for the budget given.
Printed: how often the range holds it (bar: 0.90), how wide it is, and what the plan itself loses.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

import t2scaling as t2
from t2scaling.allocate.spread import near_optimal
from t2scaling.laws import Measurements
from t2scaling.observations.figure8 import cells
from t2scaling.passk import pass_at_k_from_nll

Array = NDArray[np.float64]
Truth = Callable[[Array, Array, np.random.Generator, int], Array]
QUESTIONS, RUN_NOISE, ANSWER_NOISE = 300, 0.02, 0.08
SIZES = np.geomspace(2e6, 4e9, 200)


def chinchilla(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """A floor and two powers, log-normal over questions: Approach 1's own assumption."""
    loss = 3.5 + 2300 * N**-0.33 + 4000 * D**-0.32
    return loss[:, None] * np.exp(0.5 * rng.standard_normal(Q) - 0.125)


def bottleneck(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """The bottleneck law itself, γ = 0.4."""
    from scipy.stats import beta

    theta = 0.4 * np.log((N / 5e7) ** -0.75 + (D / 3e9) ** -0.75) + 1.0
    mean, nu = 1 / (1 + np.exp(1.6 * (theta - 0.1))), np.exp(0.6 - 0.2 * theta)
    share = rng.permutation((np.arange(Q) + 0.5) / Q)
    p = beta.ppf(share, (mean * nu)[:, None], ((1 - mean) * nu)[:, None])
    return -np.log(np.clip(p, 1e-250, 1 - 1e-12))


def unsolvable(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """A third of the questions out of reach."""
    z, hard = rng.standard_normal(Q), rng.random(Q) < 0.35
    loss = 0.8 + 1.8 * (N / 1e8) ** -0.3 + 2.0 * (D / 5e9) ** -0.33
    nll = loss[:, None] * np.exp(0.45 * z - 0.1)
    return np.where(hard, 25 + nll, nll)


def own_exponents(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """Outside every family: each question has a floor, a level and two exponents of its own."""
    a, b = (np.exp(np.log(0.3) + 0.35 * rng.standard_normal(Q)) for _ in range(2))
    level, floor = np.exp(1.2 + 0.6 * rng.standard_normal(Q)), 0.5 * np.exp(0.8 * rng.standard_normal(Q))
    return floor + level * ((N[:, None] / 1e8) ** -a + (D[:, None] / 5e9) ** -b)


def sudden(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """Outside every family: each question is learned at once, at a reach of its own."""
    n, d = np.log(N / 1e8), np.log(D / 5e9)
    reach = -np.logaddexp(-0.9 * n, -0.9 * d)
    threshold = rng.normal(-0.5, 2.5, Q)
    before, after = 6 + 2 * rng.standard_normal(Q) ** 2, 0.3 + 0.3 * rng.standard_normal(Q) ** 2
    learned = 1 / (1 + np.exp(-(reach[:, None] - threshold) / 0.35))
    return after * learned + before * (1 - learned) + 0.5 * np.exp(-0.25 * (n + d))[:, None]


def interaction(N: Array, D: Array, rng: np.random.Generator, Q: int) -> Array:
    """Outside every family: larger models learn faster from tokens, as in Farseer's law."""
    n = np.log(N / 1e8)
    loss = 1.0 + 2.2 * np.exp(-0.25 * n) + 2.5 * np.exp(-0.28 * np.exp(0.08 * n) * np.log(D / 5e9))
    return loss[:, None] * np.exp(0.6 * rng.standard_normal(Q) - 0.18)


# Truth → FLOPs per token served at which its optimum lies inside, at the suite's largest training budget.
TRUTHS: dict[str, tuple[Truth, float]] = {
    "own_exponents*": (own_exponents, 2e10),
    "interaction*": (interaction, 2e10),
    "chinchilla": (chinchilla, 2e10),
    "bottleneck": (bottleneck, 2e9),
    "sudden*": (sudden, 2e9),
    "unsolvable": (unsolvable, 2e10),
}
TRAIN = 2.56e19


def draw(name: str, seed: int) -> dict[str, float]:
    """One suite: whether the range holds the true N, its width, and the regret of the plan in points."""
    truth, serve = TRUTHS[name]
    N = np.array([float(cell.n_params) for cell in cells()])
    D = np.array([cell.train_flops for cell in cells()]) / (6 * N)
    noise = np.random.default_rng([seed, 1])
    nll = truth(N, D, np.random.default_rng(seed), QUESTIONS)
    nll = nll * np.exp(RUN_NOISE * noise.standard_normal(len(N)))[:, None]
    nll = nll * np.exp(ANSWER_NOISE * noise.standard_normal(nll.shape))
    names = tuple(str(i) for i in range(len(N)))
    suite = Measurements(name, names, N, D, np.full(QUESTIONS, 1 / QUESTIONS), nll=nll)
    fit = t2.fit(suite, inference_flops=serve)
    sizes = SIZES[serve / 2 >= SIZES]
    tokens, k = TRAIN / (6 * sizes), serve / (2 * sizes)
    without = truth(sizes, tokens, np.random.default_rng(seed), QUESTIONS)
    value = np.array([pass_at_k_from_nll(row, samples).mean() for row, samples in zip(without, k, strict=True)])
    best = sizes[np.argmax(value)]
    low, high = near_optimal(fit, sizes, tokens, k)["n_params"]
    chosen = np.argmax(fit.law.predict(sizes, tokens, k))
    return {
        "inside": float(sizes[0] < best < sizes[-1]),
        "held": float(low <= best <= high),
        "width": high / low,
        "regret": 100 * float(value.max() - value[chosen]),
    }


def rows(draws: int, jobs: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Means over draws for every truth (the median of the width), as they are done."""
    with ProcessPoolExecutor(jobs) as pool:
        for name in TRUTHS:
            found = list(pool.map(partial(draw, name), range(draws), chunksize=5))
            means = {key: float(np.mean([row[key] for row in found])) for key in ("inside", "held", "regret")}
            yield name, {**means, "width": float(np.median([row["width"] for row in found]))}


def show(draws: int, jobs: int) -> None:
    """The table, for people; the bar is 0.90."""
    print(f"near-optimal range (one point), {draws} suites of each truth; * outside every fitted family")
    print(f"{'truth':16}{'optimum inside':>16}{'range holds it':>16}{'its width in N':>16}{'regret, points':>16}")
    for name, row in rows(draws, jobs):
        cells = f"{row['inside']:>16.3f}{row['held']:>16.3f}{row['width']:>15.1f}×{row['regret']:>16.2f}"
        print(f"{name:16}{cells}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    show(given.draws, given.jobs)
