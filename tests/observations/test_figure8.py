"""The paper's Figure 8 grid: counts, sizes and the tokens per parameter that the figure prints."""

from __future__ import annotations

import pytest

from t2scaling.observations.figure8 import SIZES, budgets, cells


def test_grid_has_106_cells_of_which_21_overtrained():
    grid = cells()
    assert len(grid) == 106
    assert sum(cell.overtrained for cell in grid) == 21
    assert len({cell.name for cell in grid}) == 106
    assert len({cell.train_flops for cell in grid}) == 12


def test_budgets_double_from_1e16():
    assert budgets()[0] == 1.25e16
    assert budgets()[-1] == pytest.approx(2.56e19)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_sizes_follow_from_their_shapes(size):
    """Porian et al. 2024: N = (4w + 3·d_ff)·w·depth + 50432·w with d_ff the next multiple of 256 above 8w/3."""
    assert size.d_ff == 256 * -(-8 * size.width // (3 * 256))
    layers = (4 * size.width + 3 * size.d_ff) * size.width * size.depth
    assert size.n_params == layers + 50432 * size.width


@pytest.mark.parametrize(
    ("name", "tokens_per_param", "overtrained"),
    [
        ("5M-1.25e16", 77.8, False),
        ("37M-1.25e16", 1.52, False),
        ("7M-5e16", 148, True),
        ("220M-2e17", 0.683, False),
        ("9M-6.4e18", 11084, True),
        ("37M-2.56e19", 3106, True),
        ("149M-2.56e19", 192, True),
        ("901M-2.56e19", 5.25, False),
    ],
)
def test_tokens_per_parameter_as_printed(name, tokens_per_param, overtrained):
    cell = next(cell for cell in cells() if cell.name == name)
    assert cell.train_flops / (6 * cell.n_params**2) == pytest.approx(tokens_per_param, rel=5e-3)
    assert cell.overtrained is overtrained


def test_tokens_span_50_million_to_120_billion():
    tokens = [cell.train_flops / (6 * cell.n_params) for cell in cells()]
    assert min(tokens) == pytest.approx(5.6e7, rel=0.01)
    assert max(tokens) == pytest.approx(1.151e11, rel=0.01)
    assert min(cell.train_flops / (6 * cell.n_params**2) for cell in cells()) > 0.65
