"""From frames to arrays: weights, shared questions, stages, kinds of outcome, speed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.observations import read
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


def test_macro_average_is_over_the_tasks_of_its_stage(suite_frame: Build) -> None:
    base = suite_frame(tasks=("sums", "words")).with_columns(stage=pl.lit("base"))
    tuned = suite_frame(tasks=("sums",)).with_columns(stage=pl.lit("sft"))
    table = read(pl.concat([base, tuned]))
    assert table.measurements("macro", "base").question_weight.size == 10
    assert table.measurements("macro", "sft").question_weight.size == 5


def test_runs_that_share_nothing(suite_frame: Build) -> None:
    frame = suite_frame(R=2, Q=2).with_columns(pl.col("question_id") + pl.col("run_id"))
    # Two runs with two questions each of their own: one run with its questions is the best that can be kept.
    assert read(frame).measurements().nll.shape == (1, 2)
    nothing = [np.zeros((2, 3), bool)]
    with pytest.raises(DataError, match="share no question of `sums`"):
        select(["sums"], ["a", "b"], nothing)


def best_of_all_cuts(present: np.ndarray, bounds: list[int]) -> tuple[int, int]:
    """(cells, runs) of the largest full block, by trying every set of runs."""
    best = (0, 0)
    for chosen in range(1, 2 ** len(present)):
        runs = [i for i in range(len(present)) if chosen >> i & 1]
        full = present[runs].all(axis=0)
        if all(full[a:b].any() for a, b in pairwise(bounds)):
            best = max(best, (len(runs) * int(full.sum()), len(runs)))
    return best


def test_largest_full_block_against_every_cut(rng: np.random.Generator) -> None:
    for _ in range(300):
        widths = rng.integers(1, 6, size=rng.integers(1, 4))
        bounds = [0, *np.cumsum(widths).tolist()]
        present = rng.random((rng.integers(1, 8), bounds[-1])) < rng.uniform(0.2, 1)
        runs, questions = largest_full_block(present, np.array(bounds))
        assert (len(runs) * len(questions), len(runs)) == best_of_all_cuts(present, bounds)
        assert present[np.ix_(runs, questions)].all()
        assert all(((questions >= a) & (questions < b)).any() for a, b in pairwise(bounds)) == bool(len(runs))


def test_one_run_with_ids_of_its_own_costs_no_other_run(suite_frame: Build) -> None:
    odd = pl.when(pl.col("run_id") == "r7").then(pl.col("question_id") + "-b").otherwise("question_id")
    found = read(suite_frame(R=20, Q=12).with_columns(odd.alias("question_id"))).measurements()
    assert found.nll is not None
    assert found.nll.shape == (19, 12)
    assert "r7" not in found.run_id


def test_of_equal_cuts_the_one_with_more_runs_is_kept() -> None:
    present = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]], bool)  # 1 × 4, 2 × 2 or 3 × 2 cells
    assert largest_full_block(present[:2], np.array([0, 4]))[0].tolist() == [0, 1]
    assert largest_full_block(present, np.array([0, 4]))[0].tolist() == [0, 1, 2]


def test_irregular_gaps_keep_no_less_than_leaving_out_the_worst_runs(rng: np.random.Generator) -> None:
    present = rng.random((60, 150)) > 0.05
    runs, questions = largest_full_block(present, np.array([0, 150]))
    order = np.argsort(-present.sum(axis=1), kind="stable")
    prefixes = np.arange(1, 61) * np.logical_and.accumulate(present[order], axis=0).sum(axis=1)
    assert present[np.ix_(runs, questions)].all()
    assert len(runs) * len(questions) >= prefixes.max()


@pytest.mark.parametrize("form", ["{}.0", " {}", "{}.0 ", "{}.00"])
def test_ids_that_differ_in_form_only_are_one(suite_frame: Build, form: str) -> None:
    number = pl.col("question_id").str.strip_prefix("q")
    other = pl.when(pl.col("run_id") == "r2").then(pl.format(form, number)).otherwise(number)
    table = read(suite_frame(R=4, Q=12).with_columns(other.alias("question_id")))
    assert table.measurements().nll.shape == (4, 12)
    assert any("differ only in form are read as one" in note for note in table.report.notes)


def test_float_ids_of_a_dataframe_are_whole_numbers(table: dict[str, Any]) -> None:
    found = read({**table, "question_id": [0.0, 1.0, 2.5] * 2})
    assert found.outcomes["question_id"].to_list() == ["0", "1", "2.5"] * 2


def test_ids_that_a_run_tells_apart_stay_apart(table: dict[str, Any]) -> None:
    found = read({**table, "question_id": ["1", "1.0", "2"] * 2})
    assert found.outcomes["question_id"].to_list() == ["1", "1.0", "2"] * 2
    assert found.measurements().nll.shape == (2, 3)


def test_ids_that_look_alike_are_named(table: dict[str, Any]) -> None:
    found = read({**table, "question_id": ["Q1", "Q2", "007", "q1", "Q2", "7"]})
    assert any("`007` and `7`" in note and "`Q1` and `q1`" in note for note in found.report.notes)
    assert found.measurements().nll.shape == (1, 3)


def test_ids_that_look_alike_in_different_tasks_are_nothing_to_note(table: dict[str, Any]) -> None:
    other = {**table, "task": ["words"] * 6, "question_id": ["Q0", "Q1", "Q2"] * 2}
    found = read(pl.concat([pl.DataFrame(table), pl.DataFrame(other)]))
    assert not any("look alike" in note for note in found.report.notes)


def test_names_lose_white_space_at_their_ends(table: dict[str, Any]) -> None:
    found = read({**table, "run_id": ["a ", " a", "a", "b", "b", "b\t"], "task": ["sums", "sums "] * 3})
    assert found.measurements().run_id == ("a", "b")


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


def test_a_task_of_two_million_cells_is_whole() -> None:
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
    found = table.measurements()
    assert found.nll.shape == (R, Q)
    assert found.nll.sum() == pytest.approx(frame["nll"].sum())
