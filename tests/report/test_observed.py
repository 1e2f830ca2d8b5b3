"""What figures take from a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2scaling.report.agreement import errors
from t2scaling.report.observed import values_at
from t2scaling.report.runs import levels, overtrained, samples_at


def test_values_are_the_fitted_ones_on_the_grid_of_k(loss_fit, accuracy_fit):
    for at, k in enumerate(loss_fit.curves.k):
        np.testing.assert_allclose(values_at(loss_fit, k), loss_fit.curves.value[:, at], rtol=1e-9)
        np.testing.assert_allclose(values_at(accuracy_fit, k), accuracy_fit.curves.pass_at_k[:, at], rtol=1e-9)


def test_values_between_grid_points_are_exact_from_the_questions_and_close_without(simulated, accuracy_fit, loss_fit):
    data = simulated.measurements("macro")
    k = np.where(np.arange(len(data.N)) % 3 == 0, np.nan, 7.3)
    for fitted in (accuracy_fit, loss_fit):
        exact = values_at(fitted, k, data)
        np.testing.assert_allclose(values_at(fitted, k), exact, rtol=5e-3)
    p = np.exp(-data.nll)
    wanted = ((1 - (1 - p) ** 7.3) * data.question_weight).sum(axis=1)
    np.testing.assert_allclose(values_at(accuracy_fit, k, data), np.where(np.isnan(k), np.nan, wanted), rtol=1e-9)


def test_values_beyond_the_data_are_undefined(loss_fit, chinchilla_fit):
    assert np.isnan(values_at(loss_fit, loss_fit.curves.k[-1] * 1.1)).all()
    assert np.isnan(values_at(loss_fit, np.nan)).all()
    assert np.isnan(values_at(chinchilla_fit, 2.0)).all()
    np.testing.assert_array_equal(values_at(chinchilla_fit, 1.0), chinchilla_fit.curves.value[:, 0])


def test_values_stop_at_the_samples_that_a_run_has(loss_fit):
    value = loss_fit.curves.value.copy()
    value[3, 5:] = np.nan
    short = replace(loss_fit, curves=replace(loss_fit.curves, value=value))
    k = loss_fit.curves.k
    at_last, beyond = values_at(short, k[4]), values_at(short, k[5])
    assert at_last[3] == pytest.approx(value[3, 4])
    assert np.isnan(beyond[3])
    assert np.isfinite(np.delete(beyond, 3)).all()


def test_samples_below_one_are_undefined():
    np.testing.assert_array_equal(samples_at(np.array([1e8, 1e9, 2e9]), 2e9), [10.0, 1.0, np.nan])


def test_levels_are_the_twelve_budgets_and_hold_every_run_once(loss_fit):
    groups = levels(loss_fit.curves)
    assert len(groups) == 12
    assert all(group.exact for group in groups)
    assert sorted(np.concatenate([group.runs for group in groups])) == list(range(106))


def test_many_budgets_are_gathered(loss_fit, rng):
    flops = 10 ** rng.uniform(17, 20, 106)
    groups = levels(replace(loss_fit.curves, train_flops=flops))
    assert len(groups) <= 14
    assert not any(group.exact for group in groups)
    assert sorted(np.concatenate([group.runs for group in groups])) == list(range(106))


def test_errors_by_hand():
    predicted, observed = np.array([1.1, 0.8, 5.0, np.nan, 1.0]), np.array([1.0, 1.0, 4.0, 1.0, 0.0])
    off = errors(predicted, observed)
    assert off.n == 3
    assert off.mean == pytest.approx((0.1 + 0.2 + 0.25) / 3)
    assert off.median == pytest.approx(0.2)
    assert off.bias == pytest.approx((0.1 - 0.2 + 0.25) / 3)
    assert off.absolute == pytest.approx((0.1 + 0.2 + 1.0) / 3)
    assert (off.lowest, off.highest) == (1, 4)
    assert np.isnan(errors(np.array([1.0]), np.array([0.0])).mean)


def test_overtrained_runs_are_those_of_the_grid(loss_fit):
    assert overtrained(loss_fit.curves).sum() == 21
    assert not overtrained(replace(loss_fit.curves, overtrained=None)).any()
