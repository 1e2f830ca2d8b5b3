"""Forecast first, then train: what is written before, which cells stand for the points, and how they are judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2scaling.allocate import plan
from t2scaling.artefacts import sha256
from t2scaling.errors import FitError, SuiteError
from t2scaling.laws import fit
from t2scaling.observations import Observations
from t2scaling.testbed.study.config import ValidateSection
from t2scaling.testbed.study.forecast import Forecast, judge, make, shape_near
from t2scaling.testbed.suite import Cell, Suite, world

E0, A, ALPHA, B, BETA = 5.0, 60.0, 0.5, 400.0, 0.45
QUESTIONS = 40


def likelihoods(cells: tuple[Cell, ...], noise: float = 0.0) -> Observations:
    """What runs that follow a Chinchilla law would measure: one task, losses spread over the questions."""
    rng = np.random.default_rng(0)
    spread = np.linspace(0.4, 1.6, QUESTIONS)
    frames = []
    for cell in cells:
        loss = E0 + A * cell.n_params**-ALPHA + B * cell.n_tokens**-BETA
        rows = {
            "run_id": cell.run_id, "n_params": cell.n_params, "n_tokens": float(cell.n_tokens), "task": "spatial",
            "overtrained": cell.overtrained, "seed": cell.seed,
        }  # fmt: skip
        nll = loss * spread * np.exp(rng.normal(0, noise))
        frames.append(pl.DataFrame({**rows, "question_id": [f"q{i}" for i in range(QUESTIONS)], "nll": nll}))
    return Observations.from_frame(pl.concat(frames), {"n_params": "with_head", "nll": "sum"}, where="a made-up suite")


@pytest.fixture(scope="module")
def suite() -> Suite:
    return world()


@pytest.fixture(scope="module")
def written(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> tuple[Forecast, Path, Observations]:
    observations = likelihoods(suite.cells)
    path = tmp_path_factory.mktemp("forecast") / "observations.parquet"
    observations.write(path)
    section = ValidateSection(laws=("loss",), tasks=("spatial",), train_flops=(1.28e12,), inference_flops=(2e6,))
    return make(observations, path, suite, section), path, observations


def test_the_forecast_says_what_it_was_made_of(written, suite):
    forecast, path, _ = written
    assert forecast.observations_sha256 == sha256(path)
    assert set(forecast.fitted_on) == {cell.run_id for cell in suite.cells if not cell.overtrained}
    assert set(forecast.laws["loss spatial 2e+06"]) >= {"alpha", "beta"}


def test_both_points_of_the_law_get_cells_with_three_seeds(written, suite):
    forecast, _, _ = written
    assert {point.kind for point in forecast.points} == {"optimum", "chinchilla"}
    cells = forecast.cells().cells
    for point in forecast.points:
        assert point.cell_params == pytest.approx(point.n_params, rel=0.1)
        assert point.cell_tokens * point.cell_params * 6 == pytest.approx(1.28e12, rel=0.02)
        assert point.cell_k == pytest.approx(2e6 / (2 * point.cell_params))
        seeds = [cell.seed for cell in cells if cell.run_id.split("-s")[0] == point.run_id]
        assert sorted(seeds) == [0, 1, 2]
    assert not {cell.run_id for cell in cells} & {cell.run_id for cell in suite.cells}


def test_predictions_are_the_laws_at_the_cell(written):
    forecast, _, observations = written
    ordinary = observations.frame().filter(~pl.col("overtrained"))
    law = fit(Observations.from_frame(ordinary), law="loss", task="spatial", inference_flops=2e6)
    for point in forecast.points:
        expected = law.predict(point.cell_params, point.cell_tokens, point.cell_k, metric="neg_log_pass_at_k")
        assert point.predicted["neg_log_pass_at_k"] == pytest.approx(float(expected), rel=1e-6)


def test_measurements_stand_beside_predictions(written):
    forecast, _, _ = written
    cells = forecast.cells().cells
    rows = judge(forecast, likelihoods(cells, noise=0.05))
    assert len(rows) == sum(len(point.predicted) for point in forecast.points)
    assert {row["metric"] for row in rows} >= {"neg_log_pass_at_k"}
    for row in rows:
        assert row["runs"] == 3
        assert row["standard_error"] > 0
        assert abs(row["measured"] - row["predicted"]) < 0.3 * abs(row["predicted"]) + 4 * row["standard_error"]
    same = judge(forecast, likelihoods(cells))
    assert all(row["standard_error"] == pytest.approx(0, abs=1e-12) for row in same)


def test_a_forecast_survives_its_file_and_is_made_once(written, tmp_path):
    forecast, _, _ = written
    path = forecast.save(tmp_path / "forecast.json")
    assert Forecast.load(path) == forecast
    with pytest.raises(SuiteError, match="a forecast is made once"):
        forecast.save(path)
    path.write_text(json.dumps({"points": []}))
    with pytest.raises(SuiteError, match="observations_sha256"):
        Forecast.load(path)


def test_points_that_cannot_be_trained_say_why(suite, written):
    _, path, observations = written
    section = ValidateSection(laws=("loss",), tasks=("spatial",), train_flops=(1e18,), inference_flops=(2e6,))
    with pytest.raises(SuiteError, match=r"no point can be trained: .*(parameters|tokens are more than)"):
        make(observations, path, suite, section)


def test_a_law_that_names_no_point_or_cannot_be_planned_with_gets_no_cell(suite, written, monkeypatch):
    def odd(fitted, **budgets):
        if fitted.law.name == "accuracy":
            raise FitError("nothing can be planned with this fit.", fitted)
        made = plan(fitted, **budgets)
        return replace(made, optimum=replace(made.optimum, n_params=float("nan")))

    monkeypatch.setattr("t2scaling.allocate.plan", odd)
    _, path, observations = written
    section = ValidateSection(
        laws=("loss", "accuracy"), tasks=("spatial",), train_flops=(1.28e12,), inference_flops=(2e6,)
    )
    nowhere, there, refused = make(observations, path, suite, section).points
    assert (nowhere.run_id, nowhere.note) == (None, "the law names no point")
    assert there.kind == "chinchilla"
    assert there.run_id
    assert refused.run_id is None
    assert "nothing can be planned" in refused.note


@pytest.mark.parametrize("n_params", [9_000, 23_000, 41_000, 150_000, 351_000])
def test_a_shape_between_the_suites(suite, n_params):
    shape = shape_near(suite, n_params)
    assert shape.n_params() == pytest.approx(n_params, rel=0.08)
    assert shape.vocab_size == suite.vocab_size


def test_a_size_of_the_suite_is_its_own_shape(suite):
    for shape in {cell.shape for cell in suite.cells}:
        assert shape_near(suite, shape.n_params()) == shape


def test_batches_lie_between_the_suites(written, suite):
    forecast, _, _ = written
    batches = [cell.batch_size for cell in suite.cells]
    assert all(min(batches) <= cell.batch_size <= max(batches) for cell in forecast.cells().cells)
    assert replace(suite, cells=forecast.cells().cells).train_flops == forecast.cells().train_flops
