"""A shared trunk with a short decay per budget (wsd) against one cosine run per cell, on the `tiny` suite.

    python benchmarks/wsd_vs_cosine.py [--recipe tiny] [--out FOLDER]

Both schedules train the same cells in the same batches (the trunk needs one batch size per model size, so the cosine
runs get it too). Printed for each cell: validation loss in nats per token under either schedule and their difference;
then the FLOPs of both, planned and spent. About a minute on one core. With --out the runs are kept, and an interrupted
comparison goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from t2scaling.testbed.pretrain import prepare_corpus, pretrain, read_run
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.suite import Suite, load_suite, suite_cost


def train(suite: Suite, folder: Path, corpus: Path) -> list[float]:
    """Validation loss of each cell, nats per token."""
    runs = [pretrain(suite, cell.run_id, folder, corpus, device="cpu") for cell in suite.cells]
    return [read_run(run)["loss"]["validation"] for run in runs]


def flops_spent(suite: Suite, folder: Path) -> float:
    """6·N·tokens of every step that was taken, as the metrics tell: of trunks and of runs."""
    size = {cell.shape.name: cell for cell in suite.cells}
    steps = {cell.run_id: (cell, read_metrics(folder / cell.run_id)) for cell in suite.cells}
    steps |= {path.name: (size[path.name], read_metrics(path)) for path in (folder / ".trunks").glob("*")}
    every = suite.training.log_every
    total = 0.0
    for cell, rows in steps.values():
        # A row stands for the steps since the last multiple of `log_every`, or for what is left of a run.
        taken = sum(row["step"] % every or every for row in rows)
        total += 6.0 * cell.n_params * taken * cell.batch_size * suite.seq_len
    return total


def compare(recipe: str, out: Path) -> None:
    """Train both suites and print the table."""
    wsd = load_suite(recipe, schedule="wsd")
    wsd = replace(wsd, training=replace(wsd.training, log_every=1))
    cosine = replace(wsd, training=replace(wsd.training, schedule="cosine"))
    prepare_corpus(wsd, out / "corpus")
    losses = {
        suite.training.schedule: train(suite, out / suite.training.schedule, out / "corpus") for suite in (cosine, wsd)
    }
    print(f"{'cell':<18}{'N':>9}{'D/N':>8}{'cosine':>9}{'wsd':>9}{'wsd − cosine':>14}")
    for cell, a, b in zip(wsd.cells, losses["cosine"], losses["wsd"], strict=True):
        print(f"{cell.run_id:<18}{cell.n_params:>9,}{cell.tokens_per_param:>8.1f}{a:>9.4f}{b:>9.4f}{b - a:>+14.4f}")
    change = np.array(losses["wsd"]) - np.array(losses["cosine"])
    planned = suite_cost(wsd).wsd_fraction
    spent = flops_spent(wsd, out / "wsd") / flops_spent(cosine, out / "cosine")
    print(f"mean {change.mean():+.4f}, from {change.min():+.4f} to {change.max():+.4f} nats per token")
    print(f"FLOPs of wsd over cosine: {planned:.1%} planned, {spent:.1%} spent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.out is not None:
        compare(arguments.recipe, arguments.out)
        return
    with tempfile.TemporaryDirectory() as scratch:
        compare(arguments.recipe, Path(scratch))


if __name__ == "__main__":
    main()
