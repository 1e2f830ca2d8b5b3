"""What figures take from a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2scaling.report.observed import levels, overtrained, relative_error, samples_at, values_at


def test_values_are_the_fitted_ones_on_the_grid_of_k(loss_fit, accuracy_fit):
    for at, k in enumerate(loss_fit.curves.k):
        np.testing.assert_allclose(values_at(loss_fit, k), loss_fit.curves.value[:, at], rtol=1e-9)
        np.testing.assert_allclose(values_at(accuracy_fit, k), accuracy_fit.curves.pass_at_k[:, at], rtol=1e-9)


def test_values_between_grid_points_are_close_to_the_truth(simulated, accuracy_fit):
    """The interpolation in log k against pass@k computed at that k from the likelihoods themselves."""
    from t2scaling.laws import curves

    k = 7.3
    exact = curves(simulated.measurements("macro"), np.array([1.0, k]), "mean_neg_log").pass_at_k[:, 1]
    np.testing.assert_allclose(values_at(accuracy_fit, k), exact, rtol=5e-3)


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


def test_relative_error_by_hand():
    predicted, observed = np.array([1.1, 0.8, 5.0, np.nan, 1.0]), np.array([1.0, 1.0, 4.0, 1.0, 0.0])
    mean, median = relative_error(predicted, observed)
    assert mean == pytest.approx((0.1 + 0.2 + 0.25) / 3)
    assert median == pytest.approx(0.2)
    assert np.isnan(relative_error(np.array([1.0]), np.array([0.0]))).all()


def test_overtrained_runs_are_those_of_the_grid(loss_fit):
    assert overtrained(loss_fit.curves).sum() == 21
    assert not overtrained(replace(loss_fit.curves, overtrained=None)).any()
