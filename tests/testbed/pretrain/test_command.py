"""The command, what metrics tell, and several processes on one run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from t2scaling.cli.main import run
from t2scaling.testbed.pretrain import metrics, pretrain, read_run
from t2scaling.testbed.pretrain.metrics import Metrics, final_loss, read_metrics
from t2scaling.testbed.suite import Suite


def test_command_trains_what_is_missing(small_suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = small_suite.save(tmp_path / "suite.json")
    command = ["pretrain", str(suite), "-o", str(tmp_path / "runs"), "--device", "cpu", "--json"]
    assert run(command) == 0
    (done,) = json.loads(capsys.readouterr().out)
    assert done["run_id"] == "run"
    assert read_run(done["path"])["loss"] == done["loss"]
    assert (tmp_path / "corpus/corpus.json").exists()
    assert run([*command, "--run", "run"]) == 0
    assert json.loads(capsys.readouterr().out) == [done]
    assert run([*command, "--seed", "4"]) == 2
    assert "another" in capsys.readouterr().err


def test_metrics_reach_trackers_and_a_cut_row_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []

    def tracker(folder: Path, run_id: str) -> Callable[[dict[str, float] | None], None]:
        assert (folder, run_id) == (tmp_path, "name")
        return heard.append

    # Any importable module's name will do for one that is installed.
    monkeypatch.setitem(metrics._LISTENERS, "json", tracker)
    with Metrics(tmp_path, "name", 0, ("json",)) as rows:
        for step in (2, 4, 6):
            rows.row(step=step, cross_entropy=float(step))
    assert heard == [*read_metrics(tmp_path), None]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "cross_')
    with Metrics(tmp_path, "name", 4) as rows:
        rows.row(step=6, cross_entropy=7.0)
    assert [(row["step"], row["cross_entropy"]) for row in read_metrics(tmp_path)] == [(2, 2), (4, 4), (6, 7)]
    assert final_loss(tmp_path, last=0.7) == pytest.approx(5.5)


@pytest.mark.slow
def test_two_processes_share_a_run(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    """Each takes half of every batch; the loss is that of one process up to rounding."""
    suite = replace(small_suite, training=replace(small_suite.training, log_every=10))
    suite.save(tmp_path / "suite.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = (
        "from t2scaling.testbed.pretrain import pretrain; from t2scaling.testbed.suite import Suite; "
        f"pretrain(Suite.load({str(tmp_path / 'suite.json')!r}), 'run', {str(tmp_path)!r}, {str(corpus_dir)!r}, "
        "device='cpu')"
    )
    children = []
    for rank in range(2):
        env = os.environ | {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        }
        children.append(subprocess.Popen([sys.executable, "-c", program], env=env, stderr=subprocess.PIPE))
    errors = [child.communicate(timeout=600)[1] for child in children]
    assert [child.returncode for child in children] == [0, 0], errors
    alone = read_run(pretrain(suite, "run", tmp_path / "alone", corpus_dir, device="cpu"))
    shared = read_run(tmp_path / "run")
    assert shared["loss"]["validation"] == pytest.approx(alone["loss"]["validation"], abs=0.02)
    assert [row["step"] for row in read_metrics(tmp_path / "run")] == list(range(10, 61, 10))
    first = [read_metrics(folder)[0]["loss"] for folder in (tmp_path / "run", tmp_path / "alone" / "run")]
    assert first[0] == pytest.approx(first[1], rel=1e-4)
