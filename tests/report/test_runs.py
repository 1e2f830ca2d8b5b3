"""Facts and readings of runs, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws.measurements import Measurements
from t2scaling.report import observed, runs


def suite(**changes: object) -> Measurements:
    """Five cells: three at C = 6e6 within rounding, two at 2.4e7, with two questions."""
    N = np.array([100.0, 200.0, 400.0, 100.0, 400.0])
    D = np.array([10_000.0, 5_100.0, 2_500.0, 40_000.0, 10_000.0])
    nll = np.array([[3.0, 5.0], [1.0, 2.0], [2.0, 4.0], [2.0, 2.0], [1.0, 1.0]])
    fields: dict = {
        "task": "toy",
        "run_id": tuple("abcde"),
        "N": N,
        "D": D,
        "question_weight": np.array([0.5, 0.5]),
        "nll": nll,
        "train_flops": 6 * N * D,
        "overtrained": np.array([False, False, False, True, False]),
    }
    return Measurements(**{**fields, **changes})


def test_levels_hold_the_cells_of_about_one_budget_by_size():
    assert [list(level.runs) for level in runs.levels(suite())] == [[0, 1, 2], [3, 4]]


def test_only_levels_of_three_cells_can_have_an_inner_minimum():
    assert observed.inner_minima(suite()) == [True]
    falling = suite(nll=np.array([[3.0, 5.0], [1.0, 2.0], [0.5, 1.0], [2.0, 2.0], [1.0, 1.0]]))
    assert observed.inner_minima(falling) == [False]


def test_own_k_is_what_the_size_affords():
    # C_inf = 800 buys N = 400 exactly one sample, and N = 100 four.
    np.testing.assert_allclose(runs.samples_at(suite().N, 800), [4, 2, 1, 4, 1])
    assert np.isnan(runs.samples_at(suite().N, 700)[2])


def test_a_reading_is_the_mean_over_questions_with_its_error():
    k = np.array([np.nan, 2.0, 1.0, 1.0, 3.0])
    read = observed.readings(suite(), k)
    p = np.exp([-1.0, -2.0])
    passed = 1 - (1 - p) ** 2
    assert read.pass_at_k[1] == pytest.approx(passed.mean())
    assert read.se[1] == pytest.approx(passed.std(ddof=1) / np.sqrt(2))
    assert read.pass_at_k[4] == pytest.approx(1 - (1 - np.exp(-1)) ** 3)
    assert np.isnan(read.pass_at_k[0])
    np.testing.assert_allclose(observed.question_values(suite(), 1, 2.0), passed)


def test_counts_are_read_by_the_unbiased_estimate():
    counted = suite(nll=None, n=np.full((5, 2), 4.0), c=np.array([[1.0, 2.0]] * 5))
    read = observed.readings(counted, np.array([1.0, 4.0, 4.0, 1.0, 2.0]))
    np.testing.assert_allclose(read.pass_at_k, [0.375, 1, 1, 0.375, (0.5 + 5 / 6) / 2])
    np.testing.assert_allclose(observed.task_loss(counted), -np.log(0.375))


def test_selection_keeps_runs_together():
    kept = suite().take(np.array([False, True, False, True, False]))
    assert kept.run_id == ("b", "d")
    assert kept.nll is not None
    np.testing.assert_array_equal(kept.nll, [[1, 2], [2, 2]])
    np.testing.assert_array_equal(runs.overtrained(kept), [False, True])
    assert kept.question_weight.size == 2
