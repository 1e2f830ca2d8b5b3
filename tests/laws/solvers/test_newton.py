"""Damped Newton in a box: bowls, narrow valleys, corners, saddles."""

import numpy as np

from t2scaling.laws.solvers.newton import in_blocks, minimise


def bowl(centre, matrix):
    def evaluate(x, index):
        off = x - centre
        value = 0.5 * np.einsum("bp,pq,bq->b", off, matrix, off) + 1.0
        return value, off @ matrix, np.broadcast_to(matrix, (len(x), *matrix.shape)).copy()

    return evaluate


def rosenbrock(x, index):
    a, b = x.T
    value = 100 * (b - a**2) ** 2 + (1 - a) ** 2 + 1e-3
    gradient = np.stack([-400 * a * (b - a**2) - 2 * (1 - a), 200 * (b - a**2)], axis=1)
    hessian = np.empty((len(x), 2, 2))
    hessian[:, 0, 0], hessian[:, 1, 1] = 1200 * a**2 - 400 * b + 2, 200
    hessian[:, 0, 1] = hessian[:, 1, 0] = -400 * a
    return value, gradient, hessian


def test_inner_minimum_of_a_batch(rng):
    found = minimise(rosenbrock, rng.uniform(-2, 2, (40, 2)), [-3, -3], [3, 3])
    assert found.converged.all()
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)


def test_bounded_minimum_solves_the_quadratic_programme(rng):
    """A narrow valley whose inner minimum lies outside: the bounded one has other coordinates, not clipped ones."""
    matrix = np.array([[1.0, 0.999], [0.999, 1.0]])
    found = minimise(bowl(np.array([2.0, 0.0]), matrix), rng.uniform(0, 1, (20, 2)), [0, -5], [1, 5])
    # With x0 held at 1 the best x1 is −0.999·(1 − 2).
    np.testing.assert_allclose(found.x, np.tile([1.0, 0.999], (20, 1)), atol=1e-7)
    assert found.converged.all()


def test_corner():
    found = minimise(bowl(np.array([5.0, 5.0]), np.eye(2)), np.zeros((1, 2)), [-1, -1], [1, 1])
    np.testing.assert_array_equal(found.x, [[1.0, 1.0]])


def test_a_step_whose_square_overflows_is_only_long():
    def tilt(x, index):
        curvature = np.broadcast_to(np.eye(2) * 1e-220, (len(x), 2, 2)).copy()
        return 1e-60 * (3 - x.sum(axis=1)), np.full_like(x, -1e-60), curvature

    np.testing.assert_array_equal(minimise(tilt, np.zeros((1, 2)), [-1, -1], [1, 1]).x, [[1.0, 1.0]])


def test_leaves_a_saddle():
    def saddle(x, index):
        a, b = x.T
        value = a**2 + (b**2 - 1) ** 2 + 1
        gradient = np.stack([2 * a, 4 * b * (b**2 - 1)], axis=1)
        hessian = np.zeros((len(x), 2, 2))
        hessian[:, 0, 0], hessian[:, 1, 1] = 2, 12 * b**2 - 4
        return value, gradient, hessian

    found = minimise(saddle, np.array([[0.5, 1e-3]]), [-2, -2], [2, 2])
    np.testing.assert_allclose(np.abs(found.x), [[0.0, 1.0]], atol=1e-7)


def test_iteration_limit_is_reported():
    assert not minimise(rosenbrock, np.array([[-2.0, 2.0]]), [-3, -3], [3, 3], max_iter=2).converged[0]


def test_blocks_change_nothing(rng):
    start = rng.uniform(-2, 2, (7, 2))
    whole = minimise(rosenbrock, start, [-3, -3], [3, 3])
    parts = minimise(in_blocks(rosenbrock, 3), start, [-3, -3], [3, 3])
    np.testing.assert_array_equal(whole.x, parts.x)


def test_a_start_without_a_value_is_given_up():
    def half(x, index):
        value, gradient, hessian = bowl(np.zeros(1), np.eye(1))(x, index)
        return np.where(x[:, 0] > 0, value, np.nan), gradient, hessian

    found = minimise(half, np.array([[0.5], [-0.5]]), [-1], [1])
    assert found.value[1] == np.inf
    assert not found.converged[1]
    assert found.value[0] < 1.2
