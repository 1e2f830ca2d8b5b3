"""Chance per question, samples per run and question, and the suites by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import t2scaling as t2
from t2scaling.errors import DataError
from t2scaling.observations import as_observations, load_observations, read
from t2scaling.passk import guessing

Table = dict[str, list[Any]]


def test_guessing_against_enumeration() -> None:
    chance = np.array([0.25, 0.0, 1.0, 0.1])
    for k in (1, 2, 7):
        misses = np.prod(np.broadcast_to(1 - chance, (k, 4)), axis=0)
        assert guessing(chance, k) == pytest.approx(np.mean(1 - misses))
    assert guessing([0.5, 0.1], [1, 2], [3, 1]) == pytest.approx([0.4, 0.75 * 0.75 + 0.19 * 0.25])
    assert guessing([1e-18], 1e3) == pytest.approx(1e-15, rel=1e-12)
    assert guessing([0.25], np.ones((2, 3))).shape == (2, 3)
    assert np.isnan(guessing([0.25, np.nan], 1))


@pytest.mark.parametrize("chance", [[1.5], [-0.1], [], 0.5])
def test_guessing_refuses_what_is_no_chance(chance: Any) -> None:
    with pytest.raises(t2.ArgumentError, match="chance"):
        guessing(chance, 1)


def test_chance_is_the_question_s(table: Table) -> None:
    assert read(table).measurements().chance is None
    table["chance"] = [0.25, 0.5, None] * 2
    np.testing.assert_array_equal(read(table).measurements().chance, [0.25, 0.5, np.nan])
    table["chance"] = [0.25, 0.5, None, None, None, 0.1]
    np.testing.assert_array_equal(read(table).measurements().chance, [0.25, 0.5, 0.1])
    table["chance"][3] = 0.3
    with pytest.raises(DataError, match=r"question `q0` of task `sums` has two values of `chance`: 0\.25 and 0\.3"):
        read(table).measurements()


def test_chance_in_a_macro_average_stands_beside_its_question(suite_frame: Any) -> None:
    frame = suite_frame(R=3, Q=4, tasks=("sums", "words"))
    frame = frame.with_columns(chance=pl.when(pl.col("task") == "words").then(0.5).otherwise(0.125))
    frame = frame.filter(~((pl.col("question_id") == "q1") & (pl.col("run_id") == "r0") & (pl.col("task") == "sums")))
    found = read(frame).measurements("macro")
    assert found.chance is not None
    assert found.chance.tolist() == [0.125] * 3 + [0.5] * 4
    assert guessing(found.chance, 1, found.question_weight) == pytest.approx(0.3125)


def test_samples_stand_where_measurements_have_their_counts(counts: Table) -> None:
    counts |= {"n_samples": [4] * 6, "n_correct": [1, 2, 0, 4, 1, 2], "n_params": [2e6] * 3 + [1e6] * 3}
    counts["wrong_counts"] = [[2, 1], [1, 1], [4], [], [3], None]
    counts["scores"] = [[0.1, 0.2, 0.3, 0.4 + i] for i in range(6)]
    shuffled = pl.DataFrame(counts)[[4, 0, 5, 2, 1, 3]]
    found = read(shuffled).samples("sums")
    arrays = read(counts).measurements()
    assert found.run_id == arrays.run_id == ("b", "a")
    assert found.question_id == ("q0", "q1", "q2")
    np.testing.assert_array_equal(found.n, arrays.n)
    np.testing.assert_array_equal(found.c, arrays.c)
    assert found.wrong_counts is not None
    assert [[None if cell is None else cell.tolist() for cell in row] for row in found.wrong_counts] == [
        [[], [3], None],
        [[2, 1], [1, 1], [4]],
    ]
    assert found.scores is not None
    assert [row[2][-1] for row in found.scores if row[2] is not None] == [5.4, 2.4]
    assert found.correct is None


def test_samples_need_counts(table: Table) -> None:
    with pytest.raises(DataError, match="n_samples and n_correct"):
        read(table).samples()


def test_whatever_holds_observations(table: Table, tmp_path: Any) -> None:
    expected = read(table)
    assert as_observations(expected) is expected
    path = expected.write(tmp_path / "t.parquet")
    for data in (table, pl.DataFrame(table), path, str(path)):
        assert as_observations(data).outcomes.equals(expected.outcomes)
    assert as_observations("simulated").outcomes.equals(load_observations("simulated").outcomes)


def test_suites_by_name() -> None:
    world = t2.load_observations("world")
    assert len(world.runs) == 181
    assert len(t2.load_observations("world-0.1.0").runs) == 195
    assert t2.load_suite is t2.load_observations
