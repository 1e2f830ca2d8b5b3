"""The paper's stage 1: E on a grid of 40 values, the rest by L-BFGS-B."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws import fit_chinchilla
from t2scaling.laws.solvers.powers import design
from t2scaling.laws.solvers.restarts import GRID, fit_profile
from t2scaling.laws.solvers.varpro import fit_powers


def runs(rng, E=1.9):
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e8, 1e11, 4)))
    return N, D, (E + 400 * N**-0.34 + 1200 * D**-0.37) * np.exp(0.01 * rng.standard_normal(len(N)))


def test_the_grid_is_the_papers():
    assert len(GRID) == 40
    assert (GRID[0], GRID[-1]) == (0.01, 0.95)


def test_the_best_of_the_grid_is_found(rng):
    N, D, loss = runs(rng)
    y, weight = loss[:, None], np.ones(len(N))
    found = fit_profile(N, D, y, weight, starts=3)
    E = found.coefficients[0, 0]
    assert np.min(np.abs(GRID * loss.min() - E)) < 1e-9
    # The neighbours on the grid are no better: with E fixed the rest is an exact fit of the loss less E.
    for other in GRID * loss.min():
        rest = fit_powers(design(N, D, np.ones(1), y[None] - other, weight[None]))
        if rest.coefficients[0, 0] == 0:  # an exact fit of two terms alone
            assert rest.value[0] >= found.value[0] * (1 - 1e-9)


def test_it_is_never_below_the_exact_fit_and_close_to_it(rng):
    N, D, loss = runs(rng)
    exact = fit_chinchilla(N, D, loss)
    found = fit_profile(N, D, loss[:, None], np.ones(len(N)), starts=3)
    assert exact.objective <= found.value[0] <= 1.02 * exact.objective
    assert found.coefficients[0, 0] == pytest.approx(exact.law.E, abs=loss.min() * (GRID[1] - GRID[0]))
