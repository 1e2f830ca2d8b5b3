"""Forecasts of hidden runs: what is hidden, how errors are counted, and who is judged."""

from __future__ import annotations

import json

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.allocate.spread import near_optimal
from t2scaling.errors import ArgumentError
from t2scaling.laws import Measurements, curves
from t2scaling.laws.heldout import Trial
from t2scaling.laws.registry import law_class
from t2scaling.laws.regret import decisions, pass_at_own_k
from t2scaling.laws.splits import AXES, Split, axis_values, inner_splits, splits

LEVELS = np.repeat([1e17, 4e17, 1.6e18, 6.4e18, 2.6e19, 1e20], 6)
N = np.tile(np.geomspace(5e6, 5e8, 6), 6)
D = LEVELS / (6 * N)


@pytest.fixture(scope="module")
def suite() -> Measurements:
    rng = np.random.default_rng(3)
    loss = 1.0 + 300 * N**-0.33 + 500 * D**-0.33
    nll = loss[:, None] * np.exp(0.5 * rng.standard_normal(150) + 0.03 * rng.standard_normal((36, 1)))
    names = tuple(f"r{i:02d}" for i in range(36))
    return Measurements("t", names, N, D, np.full(150, 1 / 150), nll=nll, train_flops=LEVELS, data_hash="x")


@pytest.fixture(scope="module")
def found(suite):
    return t2.backtest(suite, axis=("compute", "samples"), k=[1, 2, 4, 8, 16], inference_flops=2e9)


@pytest.mark.parametrize("axis", ["overtrained", "larger", "longer", "compute"])
def test_runs_at_or_below_the_bound_are_fitted_and_the_others_judged(suite, axis):
    table = curves(suite, [1, 4])
    (split,) = splits(table, axis, quantile=0.5)
    values = axis_values(table, axis)
    assert values[split.train].max() <= split.bound < values[split.held_out].min()
    assert np.all(split.train ^ split.held_out)
    (given,) = splits(table, axis, bound=split.bound)
    assert np.array_equal(given.train, split.train)
    for inner in inner_splits(table, split, fewest=6):
        assert not np.any((inner.train | inner.held_out) & split.held_out)


def test_one_size_after_the_other_is_left_out(suite):
    table = curves(suite, [1])
    parts = splits(table, "size")
    assert [part.held_out.sum() for part in parts] == [6] * 6
    assert len({part.bound for part in parts}) == 6


def test_samples_hide_large_k(suite):
    table = curves(suite, [1, 2, 4, 8, 16])
    (split,) = splits(table, "samples", bound=4)
    said = np.full(table.value.shape, 0.5)
    trial = Trial("x", "pass_at_k", "neg_log_mean", split, table, table.pass_at_k, said)
    assert trial.judged.sum() == 36 * 2
    assert np.isfinite(trial.within).sum() == 36 * 3


def test_errors_are_those_by_hand(suite):
    table = curves(suite, [1, 4])
    rows = np.arange(36) >= 34
    observed, said = np.full((36, 2), 0.5), np.full((36, 2), 0.6)
    observed[34, 0] = 0.0  # nothing to be relative to
    split = Split("compute", 1.0, ~rows, rows)
    errors = Trial("x", "pass_at_k", "neg_log_mean", split, table, observed, said).errors()
    assert errors["points"] == 3
    assert errors["relative"] == pytest.approx(0.2)
    assert errors["absolute"] == pytest.approx(0.1)
    assert errors["log"] == pytest.approx(np.log(1.2))
    assert errors["bias"] == errors["even"] == pytest.approx(np.log(0.6 / 0.4))
    small = Trial("x", "neg_log_pass_at_k", "neg_log_mean", split, table, np.full((36, 2), 0.01), said).errors()
    assert np.isnan(small["relative"])
    assert small["absolute"] == pytest.approx(0.59)


def test_the_default_laws_stand_beside_the_nearest_run_and_the_floor(found):
    by_law = {row["law"]: row for row in found.table if row["metric"] == "pass_at_k"}
    assert set(by_law) == {"quantile", "bottleneck", "loss", "accuracy", "nearest", "floor"}
    assert by_law["bottleneck"]["relative"] < 0.5 * by_law["nearest"]["relative"]
    assert {row["axis"] for row in found.rows} == {"compute", "samples"}
    assert all(0 <= row["covered_50"] <= row["covered_90"] <= 1 for row in found.rows if row["law"] != "floor")


def test_the_loss_law_is_judged_on_its_own_mean_and_on_pass_at_k(found):
    rows = {(row["metric"], row["target"]) for row in found.rows if row["law"] == "loss"}
    assert rows == {("neg_log_pass_at_k", "mean_neg_log"), ("pass_at_k", None)}


def test_as_json_frame_and_figure(found, tmp_path):
    content = json.loads(found.save(tmp_path / "backtest.json").read_text())
    assert len(content["rows"]) == len(found.rows) == found.to_frame().height
    assert set(found.coverage["quantile"]) == {"50", "80", "90"}
    titles = [axes.get_title() for axes in found.plot().axes]
    assert any("bottleneck law" in title for title in titles)


def test_a_decision_is_the_run_that_the_law_prefers(suite):
    law = law_class("nearest")
    made = decisions([law], suite, [2e9], t2.laws.FitOptions())
    assert len(made) == 2 + 3 + 4
    top = next(one for one in made if one.train_flops == pytest.approx(1e20))
    k = np.maximum(2e9 / (2 * N), 1)
    own = pass_at_own_k(suite, k)
    assert own[5] == pytest.approx(curves(suite, [k[5]]).pass_at_k[5, -1])
    assert top.best == pytest.approx(own[LEVELS == 1e20].max())
    assert all(0 <= one.regret <= one.best - one.mean + 1 for one in made)


def test_the_near_optimal_range_holds_the_best_point_and_grows_with_the_loss(suite):
    fit = t2.fit(suite, inference_flops=2e9)
    sizes = np.geomspace(1e6, 1e9, 200)
    curve = sizes, 1e20 / (6 * sizes), 1e9 / sizes
    near, wide = near_optimal(fit, *curve), near_optimal(fit, *curve, loss=0.05)
    best = sizes[np.argmax(fit.law.predict(*curve))]
    (low, high), (lowest, highest) = near["n_params"], wide["n_params"]
    assert lowest <= low <= best <= high <= highest


def test_impossible_arguments_are_named(suite):
    for words, options in (
        ("did you mean compute", {"axis": "comput"}),
        ("one axis", {"bound": 1e18}),
        ("give one", {"axis": "compute", "bound": 1e18, "quantile": 0.5}),
        ("nothing above", {"axis": "compute", "bound": 1e30}),
        ("between 0 and 1", {"axis": "compute", "quantile": 2}),
    ):
        with pytest.raises(ArgumentError, match=words):
            t2.backtest(suite, law="nearest", k=[1, 4], **options)
    assert set(AXES) >= {"overtrained", "larger", "longer", "compute", "samples", "size"}


def test_a_law_that_cannot_be_fitted_leaves_a_note(suite):
    made = t2.backtest(suite, law="loss", axis="compute", k=[1])
    assert not [row for row in made.rows if row["law"] == "loss"]
    assert any("loss on the axis compute" in note for note in made.notes)
