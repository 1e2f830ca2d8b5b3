"""The vLLM engine against a stand-in with vLLM's interface, which computes with transformers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from t2scaling.errors import PrerequisiteError
from t2scaling.testbed.evaluate import evaluate
from t2scaling.testbed.tasks import Task


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "stand_in"))
    yield
    sys.modules.pop("vllm", None)


@pytest.mark.usefixtures("vllm")
def test_likelihoods_are_those_of_transformers(run_dir: Path, task: Task, tmp_path: Path) -> None:
    theirs = pl.read_parquet(evaluate(run_dir, task, tmp_path / "a", backend="vllm"))
    ours = pl.read_parquet(evaluate(run_dir, task, tmp_path / "b"))
    np.testing.assert_allclose(theirs["nll"], ours["nll"], rtol=0, atol=1e-5 * ours["nll"].max())
    assert theirs.drop("nll").equals(ours.drop("nll"))


@pytest.mark.usefixtures("vllm")
def test_samples_extend_and_agree_with_the_likelihood(run_dir: Path, task: Task, tmp_path: Path) -> None:
    few = Task("toy", "generated", {"test": task.questions("test")[:6]})
    options: dict[str, Any] = {"mode": "sample", "backend": "vllm"}
    evaluate(run_dir, few, tmp_path / "a", n_samples=10, **options)
    more = pl.read_parquet(evaluate(run_dir, few, tmp_path / "a", n_samples=30, **options))
    once = pl.read_parquet(evaluate(run_dir, few, tmp_path / "b", n_samples=30, **options))
    assert more.equals(once)
    p = np.exp(-pl.read_parquet(evaluate(run_dir, few, tmp_path / "c"))["nll"].to_numpy())
    difference = more["n_correct"].to_numpy().sum() - 30 * p.sum()
    assert abs(difference) < 3.5 * np.sqrt(30 * (p * (1 - p)).sum())


def test_without_vllm_the_way_out_is_told(
    run_dir: Path, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(PrerequisiteError, match="leave --backend out"):
        evaluate(run_dir, task, tmp_path, backend="vllm")
