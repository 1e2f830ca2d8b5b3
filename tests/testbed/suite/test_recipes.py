"""Recipes against what they promise, and the paper's grid cell by cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from t2scaling.errors import SuiteError
from t2scaling.testbed import tasks
from t2scaling.testbed.suite import (
    RECIPES,
    Suite,
    custom,
    english,
    load_suite,
    paper,
    suite_cost,
    tiny,
    world,
    wsd_flops,
)

# Figure 8 of arXiv 2604.01411: D/N of each cell at the exact N, "*" where overtrained, "." where there is no cell.
FIGURE_8 = """
1.25e16 77.8 37 21.6 8.56 4.12 2.53 1.52 . . . . . . . . .
2.5e16 . 74 43.3 17.1 8.24 5.07 3.03 1.27 . . . . . . . .
5e16 . 148* 86.6 34.3 16.5 10.1 6.07 2.53 1.16 0.708 . . . . . .
1e17 . 296* 173* 68.5 33 20.3 12.1 5.06 2.32 1.42 0.75 . . . . .
2e17 . 592* 346* 137* 65.9 40.5 24.3 10.1 4.64 2.83 1.5 0.683 . . . .
4e17 . 1184* 693* 274* 132* 81.1 48.5 20.2 9.27 5.67 3 1.37 . . . .
8e17 . . 1386* . 264* . 97.1 40.5 18.5 11.3 6 2.73 . . . .
1.6e18 . . 2771* . 527* . 194* 81 37.1 22.7 12 5.47 2.21 1.29 0.712 .
3.2e18 . . . . . . . . 74.2 45.3 24 10.9 4.43 2.57 1.42 0.656
6.4e18 . . 11084* . . 1298* . . 148* 90.7 48 21.9 8.85 5.15 2.85 1.31
1.28e19 . . . . . . . . . . 96 43.7 17.7 10.3 5.7 2.62
2.56e19 . . . . . . 3106* . 594* . 192* 87.5 35.4 20.6 11.4 5.25
"""


def test_the_papers_grid_is_figure_8() -> None:
    suite = paper()
    sizes = sorted({cell.n_params for cell in suite.cells})
    cells = {(cell.level, cell.n_params): cell for cell in suite.cells}
    printed = {}
    for line in FIGURE_8.split("\n")[1:-1]:
        level, *entries = line.split()
        assert len(entries) == len(sizes) == 16
        printed.update({(float(level), n): text for n, text in zip(sizes, entries, strict=True) if text != "."})
    assert cells.keys() == printed.keys()
    for key, text in printed.items():
        cell, wanted = cells[key], float(text.rstrip("*"))
        assert cell.overtrained == text.endswith("*")
        exact = cell.level / (6 * cell.n_params**2)
        assert exact == pytest.approx(wanted, rel=0.005)  # three digits, some rounded down
        # D is a whole number of steps, so at most half a step away.
        assert abs(cell.n_tokens - exact * cell.n_params) <= 256 * 2048 / 2
    assert len(cells) == 106
    assert sum(cell.overtrained for cell in suite.cells) == 21


def test_the_papers_settings() -> None:
    suite = paper()
    training = suite.training
    assert {(cell.batch_size, suite.seq_len) for cell in suite.cells} == {(256, 2048)}
    assert (training.learning_rate, training.beta1, training.beta2) == (3e-3, 0.9, 0.95)
    assert (training.weight_decay, training.clip, training.z_loss) == (1e-4, 1.0, 1e-4)
    assert training.warmup_tokens_per_param == 1
    assert training.schedule == "cosine"
    assert {training.peak_rate(cell.shape.width) for cell in suite.cells} == {3e-3}


def test_world_is_dense_enough() -> None:
    suite = world()
    ratios = [cell.tokens_per_param for cell in suite.cells]
    assert len(suite.cells) >= 60
    assert len({cell.level for cell in suite.cells}) >= 8
    assert len({cell.shape for cell in suite.cells}) >= 7
    assert sum(cell.overtrained for cell in suite.cells) >= 12
    assert min(ratios) < 5
    assert max(ratios) > 1000


def test_tiny_is_small() -> None:
    assert len(tiny().cells) <= 16
    assert suite_cost(tiny(), "cpu").hours < 60 / 3600


@pytest.mark.parametrize("schedule", ["cosine", "wsd"])
@pytest.mark.parametrize("name", RECIPES)
def test_suites_survive_their_file(name: str, schedule: str) -> None:
    suite = RECIPES[name](seed=3, schedule=schedule)
    assert suite.seed == 3
    assert suite.training.schedule == schedule
    assert Suite.from_json(suite.to_json()) == suite


def test_a_misspelt_recipe_gets_a_suggestion() -> None:
    with pytest.raises(SuiteError, match="did you mean `world`"):
        load_suite("wrold")


def test_shared_trunks_by_hand() -> None:
    suite = tiny(schedule="wsd")
    total = 0.0
    for shape in {cell.shape for cell in suite.cells}:
        runs = [cell for cell in suite.cells if cell.shape == shape]
        per_step = runs[0].batch_size * suite.seq_len
        steps = [cell.n_tokens // per_step for cell in runs]
        decays = [max(1, round(0.2 * n)) for n in steps]
        trunk = max(n - d for n, d in zip(steps, decays, strict=True))
        total += 6.0 * shape.n_params() * per_step * (trunk + sum(decays))
    assert wsd_flops(suite) == pytest.approx(total)
    cost = suite_cost(suite)
    assert cost.wsd_fraction == pytest.approx(total / suite.train_flops)
    assert cost.flops == cost.wsd_flops < cost.cosine_flops


def test_english_is_what_the_text_can_bear() -> None:
    suite = english("books")
    first = [cell for cell in suite.cells if cell.seed == 0]
    sizes = {cell.n_params for cell in first}
    budgets = sorted({cell.level for cell in first})
    assert len(first) >= 45
    assert len(budgets) >= 7
    assert budgets[-1] >= 2.5e13
    assert sum(size > 0.5e6 for size in sizes) > len(sizes) / 2 >= 3.5
    assert 4.9e6 < max(sizes) < 5.1e6
    assert max(cell.n_tokens for cell in first) < suite.corpus_tokens - suite.heldout_tokens
    assert suite.corpus == {"kind": "files", "path": "books"}
    assert set(suite.tasks) == set(tasks.NAMES)
    again = [cell for cell in suite.cells if cell.seed == 1]
    assert {replace(cell, seed=0, run_id=cell.run_id.removesuffix("-s1")) for cell in again} == {
        cell for cell in first if cell.level in budgets[-2:]
    }
    assert {suite.run_seed(cell) for cell in suite.cells} == {0, 1}


def test_a_suite_of_ones_own() -> None:
    suite = custom(
        {"kind": "files", "path": "books", "field": "body"},
        sizes=[[16, 2, 1, 48], [24, 2, 1, 64]],
        budgets=["1e9", 4e9],
        vocab_size=2048,
        seq_len=64,
        text_tokens="12k",
        heldout_tokens=256,
        ratio=[0.01, 100],
        min_steps=1,
        batch={"tokens": 512},
        training={"learning_rate": 1e-3},
        tasks=["arithmetic"],
    )
    assert {cell.shape.vocab_size for cell in suite.cells} == {2048}
    assert {cell.level for cell in suite.cells} == {1e9, 4e9}
    assert len(suite.cells) == 3  # the smaller model at the larger budget needs more text than there is
    assert max(cell.n_tokens for cell in suite.cells) <= 12_000 - 256
    assert (suite.training.learning_rate, suite.training.warmup_fraction) == (1e-3, 0.1)
    assert suite.text_seed == 0
