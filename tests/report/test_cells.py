"""Readings of cells, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws.measurements import Measurements
from t2scaling.report import cells


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
    assert [list(level) for level in cells.levels(suite())] == [[0, 1, 2], [3, 4]]


def test_only_levels_of_three_cells_can_have_an_inner_minimum():
    assert cells.inner_minima(suite()) == [True]
    falling = suite(nll=np.array([[3.0, 5.0], [1.0, 2.0], [0.5, 1.0], [2.0, 2.0], [1.0, 1.0]]))
    assert cells.inner_minima(falling) == [False]


def test_own_k_is_what_the_size_affords():
    # C_inf = 800 buys N = 400 exactly one sample, and N = 100 four.
    np.testing.assert_allclose(cells.own_k(suite(), 800), [4, 2, 1, 4, 1])
    assert np.isnan(cells.own_k(suite(), 700)[2])


def test_a_reading_is_the_mean_over_questions_with_its_error():
    read = cells.reading(suite(), 1, 2.0)
    p = np.exp([-1.0, -2.0])
    passed = 1 - (1 - p) ** 2
    assert read.pass_at_k == pytest.approx(passed.mean())
    assert read.se == pytest.approx(passed.std(ddof=1) / np.sqrt(2))
    assert (read.run_id, read.n_params, read.k) == ("b", 200, 2)


def test_counts_are_read_by_the_unbiased_estimate():
    counted = suite(nll=None, n=np.full((5, 2), 4.0), c=np.array([[1.0, 2.0]] * 5))
    assert cells.reading(counted, 0, 1.0).pass_at_k == pytest.approx(0.375)
    assert cells.reading(counted, 0, 4.0).pass_at_k == 1
    np.testing.assert_allclose(cells.task_loss(counted), -np.log(0.375))


def test_selection_keeps_runs_together():
    kept = cells.select(suite(), np.array([False, True, False, True, False]))
    assert kept.run_id == ("b", "d")
    assert kept.nll is not None
    np.testing.assert_array_equal(kept.nll, [[1, 2], [2, 2]])
    np.testing.assert_array_equal(cells.overtrained(kept), [False, True])
    assert kept.question_weight.size == 2
