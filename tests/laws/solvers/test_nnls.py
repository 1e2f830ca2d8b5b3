"""Small non-negative least squares against scipy's, one problem at a time."""

import numpy as np
import pytest
from scipy.optimize import nnls as scipy_nnls

from t2scaling.laws.solvers.nnls import nnls, solve_on


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_agrees_with_scipy_over_a_batch(rng, p):
    X = rng.standard_normal((300, 9, p))
    y = rng.standard_normal((300, 9))
    c = nnls(X.transpose(0, 2, 1) @ X, np.einsum("bmp,bm->bp", X, y))
    for i in range(300):
        expected, _ = scipy_nnls(X[i], y[i])
        np.testing.assert_allclose(c[i], expected, atol=1e-9)


def test_leading_axes_are_kept(rng):
    X = np.abs(rng.standard_normal((2, 5, 7, 3)))
    c = nnls(X.transpose(0, 1, 3, 2) @ X, X.sum(axis=2))
    assert c.shape == (2, 5, 3)
    assert np.all(c >= 0)


def test_dependent_columns_still_reach_the_best_value(rng):
    column = np.abs(rng.standard_normal(20))
    X = np.stack([column, 2 * column, np.ones(20)], axis=1)
    y = 3 * column + 1
    c = nnls(X.T @ X, X.T @ y)
    np.testing.assert_allclose(X @ c, y, atol=1e-9)


def test_columns_of_very_different_size(rng):
    X = np.abs(rng.standard_normal((30, 4))) * np.array([1e-9, 1.0, 1e6, 1e12])
    truth = np.array([2e9, 1.0, 3e-6, 4e-12])
    np.testing.assert_allclose(nnls(X.T @ X, X.T @ (X @ truth)), truth, rtol=1e-7)


def test_nothing_helps_gives_zero():
    X = np.ones((5, 2)) * [1.0, 2.0]
    assert np.all(nnls(X.T @ X, X.T @ -np.ones(5)) == 0)


def test_solve_on_reports_dependence():
    gram = np.ones((2, 2))
    assert not solve_on(gram, np.ones(2), np.array([True, True]))[1]
    c, valid = solve_on(gram, np.ones(2), np.array([True, False]))
    assert valid
    np.testing.assert_allclose(c, [1.0, 0.0])
