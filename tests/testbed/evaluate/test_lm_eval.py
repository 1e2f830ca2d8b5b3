"""The same questions, the same checkpoint, the same per-question NLL as lm-evaluation-harness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from t2scaling.testbed import tasks
from t2scaling.testbed.evaluate import evaluate
from t2scaling.testbed.tasks import Task, write_lm_eval

# What lm-eval and the libraries beneath it warn about is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

CHOICES = {"text": ["the moon", "a lamp ", "the garden", "a stone"], "label": ["A", "B", "C", "D"]}
NUMBERED = {"text": ["ice", "steam", "rock"], "label": ["1", "2", "3"]}
WRONG = {"distractor1": "light", "distractor2": "sand", "distractor3": "noise"}
# Rows of the hub's schemas, with what makes prompts differ: spaces at either end, no support, numbered labels, and a
# passage longer than the model's context.
ROWS: dict[str, list[dict[str, Any]]] = {
    "lambada_openai": [
        {"text": "Anna walked from the kitchen to the market. Boris was in the  market"},
        {"text": " ".join(["David walked to the harbour."] * 20) + " He saw the harbour"},
        {"text": '"Where," said Elena, "is the library?"'},
    ],
    "arc_easy": [
        {"id": "X_1", "question": "Where do plants grow? ", "choices": CHOICES, "answerKey": "C"},
        {"id": "X_2", "question": "What does boiling water become?", "choices": NUMBERED, "answerKey": "2"},
    ],
    "sciq": [
        {
            "question": "What do roots drink?",
            "correct_answer": "water",
            "support": " Roots drink water. \n",
            **WRONG,
        },
        {"question": "What falls from clouds?", "correct_answer": "rain", "support": "", **WRONG},
        {"question": "Where is  salt? ", "correct_answer": "the sea", "support": "\n", **WRONG},
    ],
    "openbookqa": [
        {"id": "7-1", "question_stem": "By night we see by ", "choices": CHOICES, "answerKey": "B"},
        {"id": "7-2", "question_stem": "A tide is made by", "choices": CHOICES, "answerKey": "A"},
    ],
}
SOURCES = {
    "lambada_openai": "lambada/lambada_openai",
    "arc_easy": "arc/arc_easy",
    "sciq": "sciq/sciq",
    "openbookqa": "openbookqa/openbookqa",
}


def harness(folder: Path, task: str, include: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What lm-eval says of each question of a task described in `include`."""
    lm_eval = pytest.importorskip("lm_eval")
    import datasets
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", include / "cache")
    results = lm_eval.simple_evaluate(
        HFLM(pretrained=str(folder), device="cpu", batch_size=7),
        tasks=[task],
        task_manager=TaskManager(include_path=str(include), include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
    )
    return sorted(results["samples"][task], key=lambda row: row["doc_id"])


def test_per_question_nll_matches(hf_folder: Path, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lm_eval(task, tmp_path)
    table = evaluate(hf_folder, tmp_path / "toy.jsonl", tmp_path / "evals", n_tokens=1e6)
    ours = dict(pl.read_parquet(table).select("question_id", "nll").iter_rows())
    rows = harness(hf_folder, "toy", tmp_path, monkeypatch)
    theirs = {row["doc"]["question_id"]: -float(row["filtered_resps"][0][0]) for row in rows}
    assert theirs.keys() == ours.keys()
    assert len(theirs) == 60
    np.testing.assert_allclose([ours[name] for name in theirs], list(theirs.values()), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ROWS)
def test_real_tasks_match_the_harness_own(
    hf_folder: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By lm-eval's own description of the task, read from the same local copy."""
    lm_eval = pytest.importorskip("lm_eval")
    copy = tmp_path / "copy" / "test.parquet"
    copy.parent.mkdir()
    pl.DataFrame(ROWS[name]).write_parquet(copy)
    description = yaml.safe_load((Path(lm_eval.__file__).parent / "tasks" / f"{SOURCES[name]}.yaml").read_text())
    description |= {"dataset_path": "parquet", "dataset_kwargs": {"data_files": {"test": str(copy)}}}
    for key in ("dataset_name", "training_split", "validation_split"):
        description.pop(key, None)
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(description))
    rows = harness(hf_folder, name, tmp_path, monkeypatch)
    theirs = [-float(row["filtered_resps"][_right(row)][0]) for row in rows]
    table = evaluate(hf_folder, tasks.load(name, path=copy.parent), tmp_path / "evals", n_tokens=1e6)
    assert len(theirs) == len(ROWS[name])
    np.testing.assert_allclose(pl.read_parquet(table)["nll"], theirs, rtol=1e-5, atol=1e-4)


def _right(row: dict[str, Any]) -> int:
    """Which of a question's answers is the right one; a task with one answer has only that."""
    return int(row["target"]) if len(row["filtered_resps"]) > 1 else 0
