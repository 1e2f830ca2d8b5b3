"""Shared trunks: a cell that branches off has the weights of one that ran by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from t2scaling.testbed.pretrain import checkpoint, pretrain, read_run
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.suite import Suite


@pytest.fixture
def pair(small_suite: Suite) -> Suite:
    """Two cells of one size, of 20 and 40 steps, on a shared trunk."""
    cell = small_suite.cells[0]
    runs = tuple(
        replace(cell, run_id=f"run-{n}", n_tokens=n * 256, train_flops=6.0 * cell.n_params * n * 256) for n in (20, 40)
    )
    return replace(small_suite, cells=runs, training=replace(small_suite.training, schedule="wsd"))


def test_the_trunk_is_trained_once_and_changes_nothing(pair: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    alone = {}
    for cell in pair.cells:
        pretrain(replace(pair, cells=(cell,)), cell.run_id, tmp_path / "alone" / cell.run_id, corpus_dir, device="cpu")
        alone[cell.run_id] = read_run(tmp_path / "alone" / cell.run_id / cell.run_id)["sha256"]
    for order in (("run-20", "run-40"), ("run-40", "run-20")):
        out = tmp_path / order[0]
        for run_id in order:
            pretrain(pair, run_id, out, corpus_dir, device="cpu")
            assert read_run(out / run_id)["sha256"] == alone[run_id]
        trunk = out / ".trunks" / pair.cells[0].shape.name
        assert [row["step"] for row in read_metrics(trunk)] == list(range(2, 33, 2))
        assert [path.name for path in checkpoint.checkpoints(trunk / "checkpoints")] == ["step-16", "step-32"]
        # A cell's own metrics are those of its decay.
        assert read_metrics(out / "run-20")[0]["step"] == 18
