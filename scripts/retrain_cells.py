"""Retrains cells of the `world` suite with the shipped recipe and compares their losses with the shipped measurements.

    python scripts/retrain_cells.py out/retrained
    python scripts/retrain_cells.py out/retrained --runs w12-d2-c1.6e11 w24-d2-c3.2e11 --seed 7

By default the three cells of the third-highest budget that are nearest to its ends and its middle, with the seeds that
they were shipped with. For every task the mean NLL of the retrained run stands beside the shipped one, and their
difference beside the scatter over seeds at the same budget: the standard deviation of one run, pooled over the cells
that have several seeds. Exits with 1 where a difference is more than four times that.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

from t2scaling.observations import load_observations, read
from t2scaling.observations.suites import SUITES
from t2scaling.testbed.evaluate import evaluate_tasks, open_run
from t2scaling.testbed.pretrain import prepare_corpus, pretrain
from t2scaling.testbed.suite import Suite, world

SIGMAS = 4.0


def chosen(suite: Suite) -> list[str]:
    """The smallest, a middle and the largest cell of the third-highest budget."""
    level = sorted({cell.level for cell in suite.cells})[-3]
    row = sorted((c for c in suite.cells if c.level == level and not c.seed), key=lambda cell: cell.n_params)
    return [row[place].run_id for place in (0, len(row) // 2, -1)]


def means(frame: pl.DataFrame) -> pl.DataFrame:
    """Mean NLL of every run on every task."""
    return frame.group_by("run_id", "n_params", "n_tokens", "task").agg(pl.col("nll").mean())


def scatter(shipped: pl.DataFrame) -> dict[str, float]:
    """Task → standard deviation over seeds of one run's mean NLL, pooled over all cells with several seeds."""
    cells = shipped.group_by("n_params", "n_tokens", "task").agg(pl.col("nll").var(), pl.len())
    cells = cells.filter(pl.col("len") > 1)
    pooled = cells.group_by("task").agg((pl.col("nll") * (pl.col("len") - 1)).sum() / (pl.col("len") - 1).sum())
    return {task: math.sqrt(variance) for task, variance in pooled.iter_rows()}


def main(out: Path, runs: list[str], seed: int, shipped_at: str) -> int:
    suite = replace(world(), seed=seed)
    observations = load_observations(shipped_at) if shipped_at in SUITES else read(shipped_at)
    base = observations.frame().filter(pl.col("stage") == "base", pl.col("nll").is_not_null())
    shipped, wanted = means(base), runs or chosen(suite)
    prepare_corpus(suite, out / "corpus")
    for run_id in wanted:
        folder = pretrain(suite, run_id, out / "runs", out / "corpus", device="cpu")
        evaluate_tasks(open_run(folder), suite.tasks, out / "evals")
    anew, noise, worst = means(read(out / "evals").frame()), scatter(shipped), 0.0
    for run_id, task, now in anew.sort("run_id", "task").select("run_id", "task", "nll").iter_rows():
        then = shipped.filter(pl.col("run_id") == run_id, pl.col("task") == task)["nll"].item()
        sigmas = abs(now - then) / noise[task]
        worst = max(worst, sigmas)
        beside = f"{sigmas:5.2f} sd of seeds ({noise[task]:.4f})"
        print(f"{run_id:22} {task:11} shipped {then:8.4f}  retrained {now:8.4f}  {beside}")
    print(f"largest difference: {worst:.2f} standard deviations over seeds; allowed {SIGMAS:g}")
    return int(worst > SIGMAS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for text, runs and measurements")
    parser.add_argument("--runs", nargs="*", default=[], help="run ids of the recipe")
    parser.add_argument("--seed", type=int, default=0, help="added to every run's seed; 0 is as shipped")
    parser.add_argument("--shipped", default="world", help="the measurements to compare with; the shipped ones")
    given = parser.parse_args()
    sys.exit(main(given.out, given.runs, given.seed, given.shipped))
