"""Grids: bounds on D/N, whole steps, batches that grow with D, shared trunks."""

from __future__ import annotations

import pytest

from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.suite import BatchRule, ModelShape, cell, fixed_batch, isoflop_grid, levels, share_batches

SHAPES = [ModelShape(width, 2, 1, 3 * width, 512) for width in (8, 16, 32)]
BATCH = BatchRule(tokens=1024, at=4e5, smallest=512, largest=8192)


def test_cells_keep_the_bounds_and_the_budget() -> None:
    grid = isoflop_grid(SHAPES, levels(1e10, 8e10, 2), seq_len=64, batch=BATCH, ratio=(3, 100), overtrained_ratio=500)
    assert {c.overtrained for c in grid} == {True, False}
    for c in grid:
        assert c.n_tokens % (c.batch_size * 64) == 0
        assert c.train_flops == 6.0 * c.n_params * c.n_tokens
        # D is rounded to whole steps, of which there are at least twenty.
        assert c.train_flops == pytest.approx(c.level, rel=1 / 40 + 1e-9)
        assert 3 * 0.97 <= c.tokens_per_param <= 500 * 1.03
        assert c.overtrained == (c.level / (6 * c.n_params**2) > 100)
    assert len({c.run_id for c in grid}) == len(grid)
    assert [c.level for c in grid] == sorted(c.level for c in grid)


def test_only_the_named_sizes_are_extended() -> None:
    grid = isoflop_grid(
        SHAPES,
        levels(1e10, 8e10, 2),
        seq_len=64,
        batch=BATCH,
        ratio=(3, 100),
        overtrained_ratio=1000,
        overtrained_shapes=SHAPES[:1],
    )
    assert {c.shape for c in grid if c.overtrained} == {SHAPES[0]}


def test_levels_reach_the_last_one() -> None:
    assert levels(1e10, 8e10, 2) == [1e10, 2e10, 4e10, 8e10]
    assert levels(1e10, 7.9e10, 2) == [1e10, 2e10, 4e10]
    with pytest.raises(ArgumentError, match="`step` = 1 must be above 1"):
        levels(1e10, 8e10, 1)


def test_the_batch_grows_with_the_square_root_of_tokens() -> None:
    assert BATCH.sequences(4e5, 64) == 16
    assert BATCH.sequences(16e5, 64) == 32
    assert BATCH.sequences(1e3, 64) == 8
    assert BATCH.sequences(1e12, 64) == 128
    assert fixed_batch(256 * 2048).sequences(1e9, 2048) == 256


def test_a_cell_has_at_least_one_step() -> None:
    assert cell(SHAPES[0], 1.0, seq_len=64, batch=BATCH).n_tokens == 8 * 64


def test_shared_batches_are_one_per_shape() -> None:
    grid = isoflop_grid(SHAPES, levels(1e10, 8e10, 2), seq_len=64, batch=BATCH, ratio=(3, 500))
    shared = share_batches(grid, 64)
    assert [c.run_id for c in shared] == [c.run_id for c in grid]
    for shape in SHAPES:
        assert len({c.batch_size for c in shared if c.shape == shape}) == 1
        assert len({c.batch_size for c in grid if c.shape == shape}) > 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ratio": (0, 10)}, "`ratio`"),
        ({"ratio": (20, 10)}, "`ratio`"),
        ({"overtrained_ratio": 50}, "`overtrained_ratio` = 50"),
        ({"ratio": (5000, 6000)}, "no size keeps D/N within"),
        ({"min_steps": 10**6}, "1000000 steps"),
    ],
)
def test_impossible_grids_are_refused(changes: dict[str, object], named: str) -> None:
    arguments = {"seq_len": 64, "batch": BATCH, "ratio": (3, 100)} | changes
    with pytest.raises(SuiteError, match=named):
        isoflop_grid(SHAPES, levels(1e10, 8e10, 2), **arguments)  # type: ignore[arg-type]
