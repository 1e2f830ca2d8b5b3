"""Interruptions: killed runs, damaged checkpoints, two processes on one run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
import torch

from t2scaling.testbed.lease import BusyError
from t2scaling.testbed.pretrain import checkpoint, pretrain, read_run
from t2scaling.testbed.pretrain.lock import run_lock
from t2scaling.testbed.pretrain.metrics import read_metrics
from t2scaling.testbed.suite import Suite

Spawn = Callable[..., BaseProcess]


@pytest.fixture(scope="module")
def whole(small_suite: Suite, corpus_dir: Path, spawn: Spawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run without interruption."""
    out = tmp_path_factory.mktemp("whole")
    child = spawn(small_suite, "run", out, corpus_dir)
    child.join()
    assert child.exitcode == 0
    return out / "run"


def wait_for_step(folder: Path, step: int, child: BaseProcess) -> None:
    while child.is_alive():
        if (folder / "metrics.jsonl").exists():
            rows = read_metrics(folder)
            if rows and rows[-1]["step"] >= step:
                return
        time.sleep(0.001)


def test_killed_runs_end_with_the_same_weights(
    small_suite: Suite, corpus_dir: Path, spawn: Spawn, tmp_path: Path, rng: np.random.Generator
) -> None:
    run = small_suite.cells[0]
    longer = replace(run, n_tokens=2 * run.n_tokens)  # half of its steps are left for a machine that is late to kill
    suite = replace(small_suite, cells=(longer,))
    whole = pretrain(suite, "run", tmp_path / "whole", corpus_dir, device="cpu")
    folder = tmp_path / "run"
    killed = 0
    for step in sorted(rng.choice(np.arange(2, 56), size=4, replace=False)):
        child = spawn(suite, "run", tmp_path, corpus_dir)
        wait_for_step(folder, int(step), child)
        time.sleep(float(rng.uniform(0, 0.02)))  # at any moment: within a step, or while a checkpoint is written
        child.kill()
        child.join()
        killed += child.exitcode == -9
    assert killed == 4
    assert not (folder / "run.json").exists()
    last = spawn(suite, "run", tmp_path, corpus_dir)
    last.join()
    assert last.exitcode == 0
    assert (folder / "model/model.safetensors").read_bytes() == (whole / "model/model.safetensors").read_bytes()
    facts, expected = read_run(folder), read_run(whole)
    assert facts["sha256"] == expected["sha256"]
    assert facts["loss"] == expected["loss"]
    compared = ("step", "loss", "cross_entropy", "grad_norm", "learning_rate")
    rows = [[[row[name] for name in compared] for row in read_metrics(path)] for path in (folder, whole)]
    assert rows[0] == rows[1]
    assert not list(folder.glob("**/.*.tmp"))


class Interrupted(Exception):
    """Stands for whatever ends a run early."""


def interrupted(suite: Suite, corpus_dir: Path, out: Path, at_step: int) -> Path:
    """A run that was stopped after `at_step`, with all of its checkpoints."""

    def stop(row: dict[str, float]) -> None:
        if row["step"] == at_step:
            raise Interrupted

    with pytest.raises(Interrupted):
        pretrain(suite, "run", out, corpus_dir, device="cpu", report=stop)
    return out / "run" / "checkpoints"


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-7])


def one_bit(folder: Path) -> None:
    file = folder / "optimizer.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "harm",
    [
        cut_short,
        one_bit,
        lambda folder: (folder / "state.json").unlink(),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text('{"state.json": '),
    ],
    ids=["cut short", "one bit", "file missing", "no manifest", "half a manifest"],
)
def test_a_damaged_checkpoint_is_passed_over(
    small_suite: Suite, corpus_dir: Path, whole: Path, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    root = interrupted(small_suite, corpus_dir, tmp_path, 12)
    before, newest = checkpoint.checkpoints(root)
    assert (before.name, newest.name) == ("step-8", "step-10")
    harm(newest)
    folder, notes = checkpoint.latest(root)
    assert folder == before
    assert len(notes) == 1
    assert "step-10 is passed over" in notes[0]
    pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu")
    assert read_run(tmp_path / "run")["notes"] == notes
    assert read_run(tmp_path / "run")["sha256"] == read_run(whole)["sha256"]


def test_checkpoints_are_on_the_disk_before_they_have_their_name(
    small_suite: Suite, corpus_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    renamed: dict[str, set[str]] = {}
    fsync, rename = os.fsync, Path.rename

    def flush(handle: int) -> None:
        flushed.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    def named(path: Path, target: Path) -> Path:
        renamed[Path(target).name] = {file.name for file in flushed if file.parent == path}
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "rename", named)
    root = interrupted(small_suite, corpus_dir, tmp_path, 4)
    assert {"model.safetensors"} < {file.name for file in (root / "step-2").iterdir()} <= renamed["step-2"]


def test_nothing_undamaged_means_from_the_start(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    root = interrupted(small_suite, corpus_dir, tmp_path, 6)
    for folder in checkpoint.checkpoints(root):
        cut_short(folder)
    steps = []
    pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu", report=lambda row: steps.append(row["step"]))
    assert steps[0] == 2


def test_checkpoints_load_in_transformers(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    root = interrupted(small_suite, corpus_dir, tmp_path, 6)
    midway = AutoModelForCausalLM.from_pretrained(checkpoint.latest(root)[0])
    pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "run/model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run/model")
    assert tokenizer.vocab_size == model.config.vocab_size == 512
    ids = torch.tensor([tokenizer("The box is in the house.")["input_ids"]])
    with torch.no_grad():
        losses = [float(m(input_ids=ids, labels=ids).loss) for m in (midway, model)]
    assert losses[1] < losses[0]


def test_a_finished_run_is_not_trained_again(small_suite: Suite, corpus_dir: Path, whole: Path) -> None:
    before = (whole / "run.json").stat().st_mtime_ns
    assert pretrain(small_suite, "run", whole.parent, corpus_dir, device="cpu") == whole
    assert (whole / "run.json").stat().st_mtime_ns == before


def test_a_run_in_training_is_refused(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    with run_lock(tmp_path / "run"), pytest.raises(BusyError, match="by another process"):
        pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu")


def test_what_a_killed_holder_left_half_written_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / ".step-4.77.tmp").mkdir(parents=True)
    (tmp_path / ".model.77.tmp").mkdir()
    (tmp_path / ".run.json.x.tmp").write_text("{")
    (tmp_path / "checkpoints" / "step-2").mkdir()
    with run_lock(tmp_path):
        assert not list(tmp_path.glob("**/.*.tmp"))
        assert (tmp_path / "checkpoints" / "step-2").is_dir()


def test_two_processes_train_a_run_once(
    small_suite: Suite, corpus_dir: Path, whole: Path, spawn: Spawn, tmp_path: Path
) -> None:
    children = [spawn(small_suite, "run", tmp_path, corpus_dir) for _ in range(2)]
    for child in children:
        child.join()
    assert 0 in [child.exitcode for child in children]
    steps = [row["step"] for row in read_metrics(tmp_path / "run")]
    assert steps == list(range(2, 61, 2))
    assert read_run(tmp_path / "run")["sha256"] == read_run(whole)["sha256"]


def test_the_seed_decides_the_weights(small_suite: Suite, corpus_dir: Path, whole: Path, tmp_path: Path) -> None:
    pretrain(replace(small_suite, seed=1), "run", tmp_path, corpus_dir, device="cpu")
    assert read_run(tmp_path / "run")["sha256"] != read_run(whole)["sha256"]


def test_run_json_tells_the_facts(small_suite: Suite, whole: Path) -> None:
    facts = json.loads((whole / "run.json").read_text())
    cell = small_suite.cells[0]
    assert facts["n_params"] == cell.n_params
    assert facts["n_tokens"] == cell.n_tokens == 60 * 256
    assert facts["train_flops"] == 6.0 * cell.n_params * cell.n_tokens
    assert facts["convention"] == "with_head"
    assert facts["unique_tokens"] == cell.n_tokens
    assert 1 < facts["loss"]["validation"] < np.log(512)
    assert facts["seconds"] > 0
