"""The index of the bottleneck law: its limits, its slopes, and the robust fit of many problems at once."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws.solvers.bottleneck import fit_index, index, index_slopes, log_loss_of

N = np.repeat(np.geomspace(1e7, 1e9, 6), 6)
D = N * np.tile(np.geomspace(3, 3000, 6), 6)


def u_of(c=0.3, w=0.4, alpha=0.3, beta=0.25, gamma=0.6):
    return np.array([[c, np.log(w / (1 - w)), np.log(alpha), np.log(beta / alpha), np.log(gamma)]])


def centred():
    return np.log(N) - np.log(N).mean(), np.log(D) - np.log(D).mean()


def test_gamma_one_is_chinchillas_sum_without_a_floor():
    n, d = centred()
    w, alpha, beta, c = 0.4, 0.3, 0.25, 0.3
    by_hand = np.exp(c) * (w * np.exp(-alpha * n) + (1 - w) * np.exp(-beta * d))
    assert np.exp(index(u_of(gamma=1.0), n, d)[0]) == pytest.approx(by_hand, rel=1e-10)


def test_gamma_to_zero_is_the_harder_bottleneck_and_to_infinity_the_product():
    n, d = centred()
    w, alpha, beta, c = 0.4, 0.3, 0.25, 0.3
    sharp = index(u_of(w=0.5, gamma=1e-5), n, d)[0]
    assert sharp == pytest.approx(c + np.maximum(-alpha * n, -beta * d), abs=1e-4)
    soft = index(u_of(gamma=1e7), n, d)[0]
    assert soft == pytest.approx(c - w * alpha * n - (1 - w) * beta * d, abs=1e-4)


def test_the_slopes_are_those_of_differences():
    n, d = centred()
    u = np.concatenate([u_of(), u_of(0, 0.9, 1.2, 0.2, 0.1), u_of(-2, 0.05, 0.02, 0.3, 9.0)])
    _, slopes = index_slopes(u, n, d)
    for p in range(5):
        step = np.zeros(5)
        step[p] = 1e-6
        numeric = (index(u + step, n, d) - index(u - step, n, d)) / 2e-6
        assert slopes[:, p] == pytest.approx(numeric, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("gamma", [0.2, 1.0, 3.0])
def test_a_planted_index_is_found(gamma):
    n, d = centred()
    y = index(u_of(gamma=gamma), n, d)
    fits = fit_index(N, D, y)
    # The priors pull a little on parameters that 36 exact runs leave loose, not on what the index says.
    assert fits.index(N, D) == pytest.approx(y, abs=2e-3)
    A, a, B, b, found = fits.parameters()[0]
    assert found * np.log(A * N**-a + B * D**-b) == pytest.approx(fits.index(N, D)[0], abs=1e-9)


def test_a_few_spoilt_runs_do_not_move_the_rest():
    n, d = centred()
    y = index(u_of(), n, d) + 0.01 * np.sin(np.arange(36))
    spoilt = y.copy()
    spoilt[0, [3, 17]] += 3.0
    near, far = fit_index(N, D, y).index(N, D), fit_index(N, D, spoilt).index(N, D)
    assert np.median(np.abs(far - near)) < 0.02


def test_a_batch_says_what_each_problem_says_alone(rng):
    n, d = centred()
    y = np.concatenate([index(u_of(gamma=g), n, d) for g in (0.2, 1.0, 3.0)]) + 0.05 * rng.standard_normal((3, 36))
    weight = rng.integers(0, 3, (3, 36)).astype(float)
    together = fit_index(N, D, y, weight).u
    for row in range(3):
        assert together[row] == pytest.approx(fit_index(N, D, y[row : row + 1], weight[row : row + 1]).u[0], abs=1e-7)


def test_the_order_of_the_runs_does_not_matter(rng):
    n, d = centred()
    y = index(u_of(), n, d) + 0.05 * rng.standard_normal((1, 36))
    order = rng.permutation(36)
    shuffled = fit_index(N[order], D[order], y[:, order])
    assert shuffled.index(N, D) == pytest.approx(fit_index(N, D, y).index(N, D), abs=1e-6)


def test_a_run_counted_twice_is_a_run_listed_twice(rng):
    n, d = centred()
    y = index(u_of(), n, d) + 0.05 * rng.standard_normal((1, 36))
    weight = np.ones((1, 36))
    weight[0, 5] = 2
    listed = np.append(np.arange(36), 5)
    twice = fit_index(N[listed], D[listed], y[:, listed])
    # The weights sum to the number of runs, 36 against 37, which the priors feel a little.
    assert fit_index(N, D, y, weight).index(N, D) == pytest.approx(twice.index(N, D), abs=5e-3)


def test_runs_that_solve_nothing_are_left_out():
    n, d = centred()
    passed = np.exp(-np.exp(index(u_of(), n, d)))
    whole = fit_index(N[4:], D[4:], log_loss_of(passed[:, 4:])).index(N, D)
    passed[0, :4] = 0.0
    assert np.isnan(log_loss_of(passed)[0, :4]).all()
    assert fit_index(N, D, log_loss_of(passed)).index(N, D) == pytest.approx(whole, abs=1e-9)
