"""Prints how far a guesser gets against the best checkpoint, at every training budget of a suite.

    python scripts/guessing_table.py world
    python scripts/guessing_table.py out/world/observations.parquet --inference-flops 7e5 1.1e7

The guesser knows only the form of a question (column `chance`) and has as many guesses as the best checkpoint's
inference budget buys samples. Runs of one N and D are averaged over their seeds. Exits with 1 where the guesser reaches
more than a fifth of the checkpoint's pass@k.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from t2scaling.observations import Observations, load_observations, read
from t2scaling.observations.suites import SUITES
from t2scaling.report.observed import guesses, readings
from t2scaling.report.results.findings import MOST_GUESSED
from t2scaling.report.runs import levels, over_seeds, samples_at
from t2scaling.units import format_number

Row = tuple[float, float, int, float, float, float]


def rows(observations: Observations, task: str, budgets: list[float]) -> list[Row]:
    """(training FLOPs, inference FLOPs, N, k, best pass@k, guesser's pass@k) of every level and inference budget."""
    data = observations.measurements(task)
    if data.chance is None or data.nll is None:
        sys.exit(f"{task}: the table says nothing of chance, or has no likelihoods")
    found = []
    for budget in budgets:
        k = samples_at(data.N, budget)
        passed, guess = over_seeds(data, readings(data, k).pass_at_k), guesses(data, k)
        for level in levels(data):
            able = level.runs[np.isfinite(passed[level.runs])]
            if able.size:
                best = able[passed[able].argmax()]
                found.append(
                    (
                        level.train_flops,
                        budget,
                        int(data.N[best]),
                        float(k[best]),
                        float(passed[best]),
                        float(guess[best]),
                    )
                )
    return found


def main(source: str, budgets: list[float]) -> int:
    observations = load_observations(source) if source in SUITES else read(Path(source))
    if not budgets:
        one = 2.0 * float(observations.runs["n_params"].max())
        budgets = [one, 16 * one]
    over = 0
    print("| task | C | C_inf | best N | k | its pass@k | guesser | share |\n|---|---|---|---|---|---|---|---|")
    for task in ("macro", *observations.tasks):
        for train, serve, size, k, best, guess in rows(observations, task, budgets):
            over += guess > MOST_GUESSED * best
            print(
                f"| {task} | {format_number(train)} | {format_number(serve)} | {format_number(size)} | {k:.1f} | "
                f"{best:.2%} | {guess:.3%} | {guess / best:.1%} |"
            )
    print(f"\nThe guesser reaches more than {MOST_GUESSED:.0%} of the best checkpoint in {over} rows.")
    return int(over > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a shipped suite, or a table of observations")
    help_ = "per token; one and 16 samples of the largest model by default"
    parser.add_argument("--inference-flops", type=float, nargs="*", default=[], help=help_)
    given = parser.parse_args()
    sys.exit(main(given.source, given.inference_flops))
