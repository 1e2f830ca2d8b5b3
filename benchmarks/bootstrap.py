"""Bootstrap refits in batches against a loop of single fits with the same solver and the same resamples.

    python benchmarks/bootstrap.py [--jobs 2]

106 runs × 500 questions at 12 k; runs and questions are drawn. The loop refits each resample with the full search that
a fit from scratch does; it is timed on a part of the replicates and scaled up.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from t2scaling.laws import FitData, FitOptions, FitResult, Measurements, fit, law_class
from t2scaling.laws.bootstrap import draw
from t2scaling.laws.curves import resampled_curves
from t2scaling.observations.figure8 import cells


def suite(rng: np.random.Generator, questions: int = 500) -> Measurements:
    """The grid of Figure 8 with log-normal questions and 5 % noise."""
    grid = cells()
    N = np.array([float(cell.n_params) for cell in grid])
    D = np.array([cell.train_flops for cell in grid]) / (6 * N)
    spread = np.exp(0.6 * rng.standard_normal(questions) - 0.18)
    nll = (4 + 220 * N**-0.25 + 900 * D**-0.3)[:, None] * spread
    nll = nll * np.exp(0.05 * rng.standard_normal(nll.shape))
    names = tuple(cell.name for cell in grid)
    return Measurements("simulated", names, N, D, np.full(questions, 1 / questions), nll=nll)


def loop(measurements: Measurements, full: FitResult, law: str, replicates: int, seed: int) -> np.ndarray:
    """Parameters of `replicates` single fits, one after the other."""
    weight, counts = draw(measurements, len(full.curves.N), replicates, "runs_and_questions", seed)
    whole, rows = FitData.of(full.curves, "inverse_variance"), []
    for b in range(replicates):
        value, passed = resampled_curves(measurements, full.curves, counts[b : b + 1])
        data = replace(whole, value=value, passed=passed, weight=weight[b : b + 1])
        rows.append(law_class(law).fit(data, FitOptions()).parameters[0])
    return np.array(rows)


def compare(law: str, replicates: int, sample: int, jobs: int) -> None:
    """Print both times, their ratio, and whether the refits agree."""
    measurements = suite(np.random.default_rng(0))
    k = np.geomspace(1, 193, 12)
    full = fit(measurements, law, k=k, quality=False)
    start = time.perf_counter()
    found = fit(measurements, law, k=k, bootstrap=replicates, seed=1, jobs=jobs, quality=False)
    batched = time.perf_counter() - start
    start = time.perf_counter()
    single = loop(measurements, full, law, sample, seed=1)
    looped = (time.perf_counter() - start) * replicates / sample
    exponents = [found.bootstrap.names.index(name) for name in ("alpha", "beta")]
    off = np.abs(found.bootstrap.samples[:sample, exponents] / single[:, exponents] - 1).max()
    print(f"{law:9s} {replicates:5d} refits, {jobs} job(s): {batched:7.2f} s, curves and full fit included")
    print(f"          loop of single fits: {looped:7.2f} s ({sample} timed); ratio {looped / batched:.1f}x; "
          f"largest difference in an exponent {off:.1e}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    compare("loss", 1000, 50, arguments.jobs)
    compare("accuracy", 200, 20, arguments.jobs)


if __name__ == "__main__":
    main()
