"""From frames to arrays: weights, shared questions, stages, kinds of outcome, speed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.laws import curves, fit
from t2scaling.observations import LargeTable, is_large, read, stream_curves
from t2scaling.observations.shared import largest_full_block, select

Build = Callable[..., pl.DataFrame]


def test_runs_are_sorted_by_size_and_tokens(suite_frame: Build) -> None:
    found = read(suite_frame()[::-1]).measurements()
    assert found.run_id == ("r0", "r1", "r2", "r3")
    assert found.N.tolist() == [1e6, 2e6, 3e6, 4e6]
    assert found.D.tolist() == [4e9, 3e9, 2e9, 1e9]
    np.testing.assert_allclose(found.nll, 1 + 0.1 * np.arange(4)[:, None] + 0.01 * np.arange(5))
    np.testing.assert_allclose(found.train_flops, 6 * found.N * found.D)
    assert found.question_weight.tolist() == [0.2] * 5
    assert found.question_group is None


def test_stated_flops_are_kept(suite_frame: Build) -> None:
    frame = suite_frame().with_columns(train_flops=pl.when(pl.col("run_id") == "r1").then(7e15))
    found = read(frame).measurements()
    assert found.train_flops.tolist() == [6 * 1e6 * 4e9, 7e15, 6 * 3e6 * 2e9, 6 * 4e6 * 1e9]


def test_macro_gives_each_task_the_same_weight(suite_frame: Build) -> None:
    frame = pl.concat([suite_frame(Q=5, tasks=("sums",)), suite_frame(Q=2, tasks=("words",))])
    table = read(frame)
    found = table.measurements("macro")
    assert found.task == "macro"
    assert found.question_weight.tolist() == [0.1] * 5 + [0.25] * 2
    assert found.question_group.tolist() == [0] * 5 + [1] * 2
    means = [table.measurements(task).nll.mean(axis=1) for task in ("sums", "words")]
    np.testing.assert_allclose(found.nll @ found.question_weight, np.mean(means, axis=0))


def test_which_task_must_be_said(suite_frame: Build) -> None:
    table = read(suite_frame(tasks=("sums", "words")))
    with pytest.raises(DataError, match=r"2 tasks: `sums`, `words`.*`macro`"):
        table.measurements()
    with pytest.raises(DataError, match=r"no task `word` \(did you mean `words`\?\)"):
        table.measurements("word")


def test_question_that_some_runs_lack_is_left_out(suite_frame: Build) -> None:
    frame = suite_frame(R=4, Q=5).filter(~((pl.col("question_id") == "q3") & pl.col("run_id").is_in(["r0", "r2"])))
    found = read(frame).measurements()
    assert found.nll.shape == (4, 4)
    assert not np.isnan(found.nll).any()
    assert found.conventions["left_out"] == "1 of 5 questions, which not all of the runs have"


def test_run_that_lacks_most_questions_is_left_out(suite_frame: Build) -> None:
    frame = suite_frame(R=4, Q=8).filter(~((pl.col("run_id") == "r2") & (pl.col("question_id") > "q1")))
    found = read(frame).measurements()
    assert found.run_id == ("r0", "r1", "r3")
    assert found.nll.shape == (3, 8)
    assert found.N.tolist() == [1e6, 2e6, 4e6]
    assert "r2 (2 of 8 questions)" in found.conventions["left_out"]


def test_run_without_a_task_is_left_out_of_the_macro_average(suite_frame: Build) -> None:
    frame = suite_frame(tasks=("sums", "words")).filter(~((pl.col("run_id") == "r1") & (pl.col("task") == "words")))
    table = read(frame)
    assert table.measurements("macro").run_id == ("r0", "r2", "r3")
    assert table.measurements("sums").run_id == ("r0", "r1", "r2", "r3")


def test_macro_average_is_over_the_tasks_of_its_stage(suite_frame: Build, tmp_path: Path) -> None:
    base = suite_frame(tasks=("sums", "words")).with_columns(stage=pl.lit("base"))
    tuned = suite_frame(tasks=("sums",)).with_columns(stage=pl.lit("sft"))
    table = read(pl.concat([base, tuned]))
    assert table.measurements("macro", "base").question_weight.size == 10
    assert table.measurements("macro", "sft").question_weight.size == 5
    streamed = stream_curves(table.write(tmp_path / "a.parquet"), "macro", [1, 2], stage="sft")
    np.testing.assert_allclose(
        streamed.value, curves(table.measurements("macro", "sft"), [1, 2], streamed.target).value
    )


def test_runs_that_share_nothing(suite_frame: Build) -> None:
    frame = suite_frame(R=2, Q=2).with_columns(pl.col("question_id") + pl.col("run_id"))
    # Two runs with two questions each of their own: one run with its questions is the best that can be kept.
    assert read(frame).measurements().nll.shape == (1, 2)
    nothing = [np.zeros((2, 3), bool)]
    with pytest.raises(DataError, match="share no question of `sums`"):
        select(["sums"], ["a", "b"], nothing)


def test_largest_full_block_against_every_cut(rng: np.random.Generator) -> None:
    for _ in range(200):
        R, Q = rng.integers(1, 7, size=2)
        present = rng.random((R, Q)) < rng.uniform(0.5, 1)
        bounds = np.array([0, Q])
        runs, questions = largest_full_block(present, bounds)
        kept = len(runs) * len(questions)
        order = np.argsort(-present.sum(axis=1), kind="stable")
        best = max(m * present[order[:m]].all(axis=0).sum() for m in range(1, R + 1))
        assert kept == best
        assert present[np.ix_(runs, questions)].all()
        assert len(questions) == present[runs].all(axis=0).sum() or not kept


def test_every_task_keeps_a_question() -> None:
    # Without the middle run both tasks are whole; with it the second task would lose all of its questions.
    present = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]], bool)
    runs, questions = largest_full_block(present, np.array([0, 5, 6]))
    assert runs.tolist() == [0, 2]
    assert questions.tolist() == [0, 1, 2, 3, 4, 5]


def test_kinds_of_outcome(suite_frame: Build) -> None:
    frame = suite_frame(tasks=("sums", "words")).with_columns(
        pl.when(pl.col("task") == "sums").then("nll"),
        n_samples=pl.when(pl.col("task") == "words").then(9),
        n_correct=pl.when(pl.col("task") == "words").then(2),
    )
    table = read(frame)
    assert table.measurements("sums").kind == "nll"
    assert table.measurements("words").kind == "counts"
    with pytest.raises(DataError, match="nll and others counts"):
        table.measurements("macro")
    with pytest.raises(DataError, match="`kind` is counts, but `sums` hold no n_samples"):
        table.measurements("sums", kind="counts")


def test_pivot_is_fast() -> None:
    R, Q = 770, 2376
    frame = pl.DataFrame(
        {
            "run_id": np.repeat([f"r{r:04d}" for r in range(R)], Q),
            "n_params": np.repeat(np.arange(1, R + 1) * 1e6, Q),
            "n_tokens": 1e9,
            "task": "sums",
            "question_id": np.tile([f"q{q}" for q in range(Q)], R),
            "nll": np.arange(R * Q) / (R * Q),
        }
    )
    table = read(frame)
    start = time.perf_counter()
    found = table.measurements()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    frame.sort("question_id", "run_id")
    sorting = time.perf_counter() - start
    assert found.nll.shape == (R, Q)
    assert found.nll.sum() == pytest.approx(frame["nll"].sum())
    assert seconds < 30 * sorting  # about as fast alone; the rest is for a busy machine


@pytest.mark.parametrize("rows", [1, 7, 25, 10**6])
@pytest.mark.parametrize("task", ["sums", "macro"])
def test_streamed_curves_are_those_of_the_whole_table(
    suite_frame: Build, tmp_path: Path, rows: int, task: str, rng: np.random.Generator
) -> None:
    frame = suite_frame(R=6, Q=5, tasks=("sums", "words"))
    gap = (pl.col("question_id") == "q3") & (pl.col("run_id") == "r2")
    frame = frame.filter(~gap)[rng.permutation(58).tolist()]
    frame.write_parquet(tmp_path / "t.parquet")
    whole = curves(read(tmp_path / "t.parquet").measurements(task), [1, 2, 8.5])
    part = stream_curves(tmp_path / "t.parquet", task, [1, 2, 8.5], rows_at_once=rows)
    assert part.data_hash == whole.data_hash
    assert part.run_id == whole.run_id
    assert part.conventions == whole.conventions
    assert part.task == whole.task
    for name in ("N", "D", "k", "value", "pass_at_k", "se", "train_flops"):
        np.testing.assert_allclose(getattr(part, name), getattr(whole, name), rtol=1e-13)


@pytest.mark.parametrize("inference_flops", [None, 1e9])
@pytest.mark.parametrize("counted", [True, False])
def test_default_k_of_a_stream(
    suite_frame: Build, tmp_path: Path, inference_flops: float | None, counted: bool
) -> None:
    frame = suite_frame(R=6, Q=5)
    if counted:
        n = 20 + 7 * pl.int_range(pl.len())
        frame = frame.drop("nll").with_columns(n_samples=n, n_correct=n // 3)
    frame.write_parquet(tmp_path / "t.parquet")
    streamed = stream_curves(tmp_path / "t.parquet", None, inference_flops=inference_flops, rows_at_once=10)
    found = fit(read(frame), inference_flops=inference_flops).curves
    np.testing.assert_allclose(streamed.k, found.k)
    np.testing.assert_allclose(streamed.value, found.value)


def test_fit_streams_a_large_table(suite_frame: Build, tmp_path: Path, t2: Any, monkeypatch: Any) -> None:
    suite_frame(R=8, Q=5).write_parquet(tmp_path / "t.parquet")
    options = ("fit", tmp_path / "t.parquet", "--k", "1,2,4", "--bootstrap", "3", "--over", "runs", "--json")
    code, whole, _ = t2(*options)
    assert code == 0
    monkeypatch.setattr("t2scaling.observations.is_large", lambda path: True)
    code, streamed, told = t2(*options)
    assert code == 0
    assert "averaged over its questions" in told
    assert json.loads(streamed)["law"] == json.loads(whole)["law"]
    assert json.loads(streamed)["data_hash"] == json.loads(whole)["data_hash"]


def test_streaming_refuses_what_reading_refuses(suite_frame: Build, tmp_path: Path) -> None:
    def refuse(frame: pl.DataFrame, match: str) -> None:
        frame.write_parquet(tmp_path / "t.parquet")
        with pytest.raises(DataError, match=match):
            stream_curves(tmp_path / "t.parquet", None, [1], rows_at_once=6)

    frame = suite_frame()
    refuse(pl.concat([frame, frame[3:4]]), "repeats 1 question.*`q3`")
    refuse(frame.with_columns(-pl.col("nll")), "wrong sign")
    refuse(frame.drop("n_tokens"), "lacks the column `n_tokens`")
    refuse(frame.with_row_index("n").with_columns(n_params=pl.col("n") + 1.0), "values of `n_params`")
    refuse(frame.clear(), "no rows")


def test_is_large_goes_by_the_footer(suite_frame: Build, tmp_path: Path) -> None:
    suite_frame().write_parquet(tmp_path / "t.parquet")
    suite_frame().write_csv(tmp_path / "t.csv")
    assert is_large(tmp_path / "t.parquet", rows=19)
    assert not is_large(tmp_path / "t.parquet", rows=20)
    assert not is_large(tmp_path / "t.csv", rows=1)
    assert not is_large(tmp_path / "none.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    assert not is_large(tmp_path / "broken.parquet")


def test_large_table_knows_its_runs(suite_frame: Build, tmp_path: Path) -> None:
    suite_frame(tasks=("sums", "words")).write_parquet(tmp_path / "t.parquet")
    table: Any = LargeTable(tmp_path / "t.parquet")
    assert table.tasks == ("sums", "words")
    assert table.runs["run_id"].to_list() == ["r0", "r1", "r2", "r3"]
