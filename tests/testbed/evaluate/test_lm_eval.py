"""The same file, the same checkpoint, the same per-question NLL as lm-evaluation-harness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2scaling.testbed.evaluate import evaluate
from t2scaling.testbed.tasks import Task, write_lm_eval

# What lm-eval and the libraries beneath it warn about is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_per_question_nll_matches(hf_folder: Path, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    import datasets
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write_lm_eval(task, tmp_path)
    table = evaluate(hf_folder, tmp_path / "toy.jsonl", tmp_path / "evals", n_tokens=1e6)
    ours = dict(pl.read_parquet(table).select("question_id", "nll").iter_rows())
    results = lm_eval.simple_evaluate(
        HFLM(pretrained=str(hf_folder), device="cpu", batch_size=7),
        tasks=["toy"],
        task_manager=TaskManager(include_path=str(tmp_path), include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
    )
    theirs = {row["doc"]["question_id"]: -float(row["filtered_resps"][0][0]) for row in results["samples"]["toy"]}
    assert theirs.keys() == ours.keys()
    assert len(theirs) == 60
    np.testing.assert_allclose([ours[name] for name in theirs], list(theirs.values()), rtol=1e-5, atol=1e-4)
