"""Approach 1 by variable projection against the paper's protocol of 500 random restarts of L-BFGS-B.

    python benchmarks/fit_approach1.py                     one fit on 106 × 12 points, timed both ways
    python benchmarks/fit_approach1.py --problems 200 --jobs 2    objectives of 200 random problems (an hour of CPU)

Both minimise the same sum of squares under the same bounds with exact gradients, in one process; the reference works
on the raw seven parameters as the paper describes (arXiv 2604.01411, App. F).
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from t2scaling.laws.solvers.powers import design
from t2scaling.laws.solvers.restarts import fit_restarts
from t2scaling.laws.solvers.varpro import PowerFits, fit_powers
from t2scaling.observations.figure8 import cells


def figure8_problem(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """N, D (106,), k (12,), y (106, 12): the grid of Figure 8, a planted law, 2 % noise per run and 0.5 % per point."""
    grid = cells()
    N = np.array([float(cell.n_params) for cell in grid])
    D = np.array([cell.train_flops for cell in grid]) / (6 * N)
    k = np.geomspace(1, 193, 12)
    mean = 1 + (400 * N**-0.34 + 1200 * D**-0.37)[:, None] + 6 * k**-0.2
    run, cell = rng.standard_normal((len(N), 1)), rng.standard_normal(mean.shape)
    return N, D, k, mean * (1 + 0.02 * run + 0.005 * cell)


def random_problem(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """12–40 runs, 3–9 k, noise of 0.1 to 20 %, E at zero in half of them, one D/N ratio in some."""
    R, K = int(rng.integers(12, 40)), int(rng.integers(3, 10))
    N, D = np.exp(rng.uniform(np.log(5e6), np.log(2e9), R)), np.exp(rng.uniform(np.log(5e7), np.log(1e11), R))
    if rng.random() < 0.15:
        D = 20 * N * np.exp(0.02 * rng.standard_normal(R))
    k = np.geomspace(1, 10 ** rng.uniform(0.7, 3), K)
    alpha, beta, gamma = rng.uniform(0.1, 0.8, 3)
    of_N, of_D, of_k = np.exp(rng.uniform(np.log(0.1), np.log(10), 3))
    E = rng.uniform(0, 4) * (rng.random() < 0.5)
    mean = E + (of_N * (N / 1e8) ** -alpha + of_D * (D / 2e9) ** -beta)[:, None] + of_k * k**-gamma
    noise = 10 ** rng.uniform(-3, -0.7)
    run, cell = rng.standard_normal((R, 1)), rng.standard_normal((R, K))
    return N, D, k, np.abs(mean * (1 + noise * run) + 0.3 * noise * cell)


def variable_projection(N: np.ndarray, D: np.ndarray, k: np.ndarray, y: np.ndarray) -> PowerFits:
    """The default fit, set-up included."""
    return fit_powers(design(N, D, k, y[None], np.ones((1, len(N)))))


def timed(function, *arguments, repeat: int = 1, **options):
    """Result and the shortest of `repeat` wall times in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function(*arguments, **options)
        times.append(time.perf_counter() - start)
    return result, min(times)


def one_fit(restarts: int, seed: int) -> None:
    """Time the fit of 106 × 12 points both ways."""
    N, D, k, y = figure8_problem(np.random.default_rng(seed))
    fast, fast_time = timed(variable_projection, N, D, k, y, repeat=5)
    slow, slow_time = timed(fit_restarts, N, D, k, y, np.ones(len(N)), restarts=restarts, seed=seed)
    print(f"106 × 12 points, {restarts} restarts, one process")
    for name, found, seconds in (("variable projection", fast, fast_time), ("restarts", slow, slow_time)):
        exponents = " ".join(f"{value:.6f}" for value in found.exponents[0])
        print(f"  {name:20s} {seconds:10.4f} s   objective {found.value[0]:.12g}   alpha beta gamma {exponents}")
    print(
        f"  ratio {slow_time / fast_time:,.0f}x   objective above the reference by {excess(fast, slow):.1e} (relative)"
    )


def compare(index: int, restarts: int, seed: int) -> tuple[float, float]:
    """One random problem both ways: the excess of our objective (relative), and the ratio of times."""
    N, D, k, y = random_problem(np.random.default_rng([seed, index]))
    fast, fast_time = timed(variable_projection, N, D, k, y)
    slow, slow_time = timed(fit_restarts, N, D, k, y, np.ones(len(N)), restarts=restarts, seed=index)
    return excess(fast, slow), slow_time / fast_time


def many_problems(count: int, restarts: int, seed: int, jobs: int) -> None:
    """Compare objectives over random problems, `jobs` at a time; says how far it is after every tenth."""
    above, ratios = [], []
    with ProcessPoolExecutor(jobs) as pool:
        found = pool.map(partial(compare, restarts=restarts, seed=seed), range(count))
        for index, (over, ratio) in enumerate(found):
            above.append(over)
            ratios.append(ratio)
            if over > 1e-9:
                print(f"  problem {index}: above the reference by {over:.2e}", flush=True)
            if index % 10 == 9:
                print(f"  {index + 1} of {count}: largest excess {max(above):.1e}", flush=True)
    print(f"{count} random problems, {restarts} restarts each")
    print(f"  above the reference by more than 1e-9: {sum(value > 1e-9 for value in above)}")
    print(f"  below it by more than 1e-9: {sum(value < -1e-9 for value in above)};  largest excess {max(above):.1e}")
    print(f"  median ratio of times {np.median(ratios):,.0f}x")


def excess(found: PowerFits, reference: PowerFits) -> float:
    """By how much the objective exceeds the reference's, relative."""
    return float(found.value[0] / reference.value[0] - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=0, help="random problems to compare instead of timing one fit")
    parser.add_argument("--restarts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="problems at a time")
    arguments = parser.parse_args()
    if arguments.problems:
        many_problems(arguments.problems, arguments.restarts, arguments.seed, arguments.jobs)
    else:
        one_fit(arguments.restarts, arguments.seed)


if __name__ == "__main__":
    main()
