"""What is refused before anything is trained."""

from __future__ import annotations

import resource
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError, PrerequisiteError, SuiteError
from t2scaling.testbed.corpus import open_corpus
from t2scaling.testbed.pretrain import (
    DiskError,
    DivergedError,
    bytes_needed,
    check_plan,
    prepare_corpus,
    pretrain,
    read_run,
)
from t2scaling.testbed.suite import ModelShape, Suite, paper

Usage = namedtuple("Usage", "total used free")


def with_vocabulary(suite: Suite, vocab_size: int) -> Suite:
    cell = suite.cells[0]
    shape = replace(cell.shape, vocab_size=vocab_size)
    return replace(suite, cells=(replace(cell, shape=shape, n_params=shape.n_params()),), vocab_size=vocab_size)


def test_a_vocabulary_that_the_tokenizer_does_not_have(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"`vocab_size` = 600 .* has 512 entries"):
        pretrain(with_vocabulary(small_suite, 600), "run", tmp_path, corpus_dir)
    assert list(tmp_path.iterdir()) == []


def test_a_corpus_that_is_not_there(small_suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="corpus"):
        pretrain(small_suite, "run", tmp_path, tmp_path / "corpus")


def test_a_corpus_too_small_for_its_held_out_part(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="`heldout_tokens` = 60000"):
        pretrain(replace(small_suite, heldout_tokens=60_000), "run", tmp_path, corpus_dir)


def test_a_disk_too_full_for_the_plan(small_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    total = ModelShape(8, 2, 1, 24, 512).n_params("total")
    needed = bytes_needed(small_suite, ["run"])
    assert needed == total * 4 + total * 12 * 3
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, needed - 1))
    with pytest.raises(SuiteError, match="free: choose another folder"):
        check_plan(small_suite, ["run"], tmp_path / "not" / "yet")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, needed))
    check_plan(small_suite, ["run"], tmp_path)


def test_the_papers_suite_needs_a_large_disk() -> None:
    suite = paper()
    assert 100e9 < bytes_needed(suite, [cell.run_id for cell in suite.cells]) < 200e9


@pytest.mark.parametrize("limit", [1, 4000], ids=["metrics", "weights"])
def test_a_limit_on_the_size_of_files_is_one_paragraph(
    small_suite: Suite, corpus_dir: Path, tmp_path: Path, limit: int
) -> None:
    """As where the disk is full; started again without the limit, the run ends as if nothing had been."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(DiskError, match=r"cannot be written to any more .* start the same command again"):
            pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "run" / "run.json").exists()
    pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu")
    assert read_run(tmp_path / "run")["steps"] == 60


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_that_no_generator_takes(small_suite: Suite, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ArgumentError, match=f"`seed` = {seed} must lie between 0 and"):
        replace(small_suite, seed=seed)
    assert run(["pretrain", "tiny", "--seed", str(seed)]) == 2
    assert f"`--seed` = {seed} must lie" in capsys.readouterr().err


def test_a_seed_changes_no_word_of_the_text(small_suite: Suite, corpus_dir: Path) -> None:
    """Weights and order alone; another text has a seed of its own, and is refused where this one lies."""
    assert prepare_corpus(replace(small_suite, seed=5), corpus_dir).manifest == open_corpus(corpus_dir).manifest
    other = replace(small_suite, corpus={"kind": "builtin", "seed": 5})
    assert (other.text_seed, small_suite.text_seed) == (5, 0)
    with pytest.raises(SuiteError, match="holds a corpus with source"):
        prepare_corpus(other, corpus_dir)


def test_unknown_devices_and_trackers(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`device` = 'tpu'"):
        pretrain(small_suite, "run", tmp_path, corpus_dir, device="tpu")
    with pytest.raises(PrerequisiteError, match="tensorbord"):
        pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu", trackers=("tensorbord",))


def test_a_diverging_run_is_reported(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    wild = replace(small_suite, training=replace(small_suite.training, learning_rate=1e30))
    with pytest.raises(DivergedError, match="lower `learning_rate` = 1e\\+30"):
        pretrain(wild, "run", tmp_path, corpus_dir, device="cpu")


def test_the_command_names_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pretrain", "tiny", "--run", "w10-d2-c1e8"]) == 2
    assert "did you mean `w10-d2-c1e9`" in capsys.readouterr().err


def test_a_folder_of_another_plan(small_suite: Suite, corpus_dir: Path, tmp_path: Path) -> None:
    def stop(row: dict[str, float]) -> None:
        if row["step"] == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(small_suite, "run", tmp_path, corpus_dir, device="cpu", report=stop)
    other = replace(small_suite, training=replace(small_suite.training, learning_rate=2e-2))
    with pytest.raises(SuiteError, match="a run of another plan"):
        pretrain(other, "run", tmp_path, corpus_dir, device="cpu")
    # How often it is logged is no other plan.
    same = replace(small_suite, training=replace(small_suite.training, log_every=5, checkpoint_seconds=60))
    pretrain(same, "run", tmp_path, corpus_dir, device="cpu")
    with pytest.raises(SuiteError, match="a run of another plan"):
        pretrain(other, "run", tmp_path, corpus_dir, device="cpu")
