"""The cheap part of the tables of docs/forecasting.md, on real measurements: who extrapolates, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.laws import FitOptions, curves, law_class
from t2scaling.laws.heldout import coverage, folds, spread, trials
from t2scaling.laws.regret import decisions
from t2scaling.laws.splits import splits

AXES = ("overtrained", "larger", "longer", "compute")


@pytest.fixture(scope="module")
def gsm8k(shared_data):
    suite = t2.read(shared_data / "pythia" / "gsm8k.parquet").measurements()
    return suite.take((suite.D >= 2e9) & (curves(suite, [1]).pass_at_k[:, 0] > 0))


def off(name, table, suite, split, key):
    found = trials(law_class(name), table, suite, split, FitOptions())
    return next(trial for trial in found if trial.metric == "pass_at_k").errors()[key]


def test_on_gsm8k_the_bottleneck_law_is_better_than_both_approaches_on_every_axis(gsm8k):
    table = curves(gsm8k, [1, 2, 8, 32, 128])
    found = []
    for axis in AXES:
        (split,) = splits(table, axis)
        found.append([off(name, table, gsm8k, split, "log") for name in ("bottleneck", "loss", "accuracy")])
    bottleneck, loss, accuracy = np.array(found).T
    assert bottleneck.mean() <= 0.55
    assert np.all((bottleneck < loss) & (bottleneck < accuracy))


def test_on_openbookqa_both_forms_hold_and_so_do_the_intervals(shared_data):
    suite = t2.read(shared_data / "gemstones" / "openbookqa.parquet").measurements().with_quantiles()
    table = curves(suite, [1, 4, 16, 64, 256])
    (split,) = splits(table, "longer", bound=1e11)
    assert off("bottleneck", table, suite, split, "relative") <= 0.135
    assert off("quantile", table, suite, split, "relative") <= 0.135
    assert off("nearest", table, suite, split, "relative") > 0.15
    cls, options = law_class("quantile"), FitOptions()
    inner = folds(cls, table, suite, split, options)
    for trial in trials(cls, table, suite, split, options):
        assert coverage(trial, spread(trial, inner))["covered_90"] >= 0.8


def test_on_world_its_choices_lose_little(shared_data):
    suite = t2.read(shared_data / "world_0.1.0" / "world.parquet").measurements(task="arithmetic", stage="base")
    made = decisions([law_class("bottleneck")], suite, [3.93e6], FitOptions())
    lost = 100 * np.array([one.regret for one in made])
    by_chance = 100 * np.array([one.best - one.mean for one in made])
    assert len(lost) == 14
    assert lost.mean() <= 1.0
    assert np.mean(lost <= 1) >= 0.8
    assert by_chance.mean() > 3 * lost.mean()
