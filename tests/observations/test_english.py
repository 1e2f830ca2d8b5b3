"""The suite of real English: its grid, what its losses show, and the forecast that was older than its larger cells."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2scaling.artefacts import sha256
from t2scaling.laws import fit
from t2scaling.observations import Observations, load_suite
from t2scaling.observations.suites import suite_manifest
from t2scaling.report.observed import inner_minima, task_loss
from t2scaling.report.results import findings
from t2scaling.report.runs import levels

REAL = ("arc_easy", "lambada_openai", "openbookqa", "sciq")


@pytest.fixture(scope="module")
def english() -> Observations:
    return load_suite("english")


def test_grid(english: Observations) -> None:
    base = english.runs.filter(pl.col("stage") == "base")
    first = base.filter(pl.col("seed") == 0)
    assert len(first) >= 45
    assert first["n_params"].n_unique() >= 7
    assert len(levels(english.measurements("sciq"))) == 7
    assert first["train_flops"].max() >= 2.5e13  # type: ignore[operator]
    assert (first["n_params"].unique() > 500_000).sum() >= 5
    assert len(english.tasks) == 8
    top = base.filter(pl.col("train_flops") > 1.2e13)
    assert len(top) == 2 * top["n_params", "n_tokens"].n_unique()  # two seeds of each
    assert set(top.filter(pl.col("seed") == 0)["run_id"]) == set(english.measurements("sciq", "ft").run_id)
    assert english.measurements("macro", "sft").run_id == english.measurements("sciq", "ft").run_id
    # No run saw a token twice.
    assert (base["unique_tokens"] == base["n_tokens"]).all()


@pytest.mark.parametrize("task", REAL)
def test_losses_on_real_tasks_follow_a_chinchilla_law(english: Observations, task: str) -> None:
    data = english.measurements(task)
    assert sum(inner_minima(data)) >= 4
    law = fit(data, law="chinchilla", quality=False).law
    off = np.abs(law.predict(data.N, data.D) / task_loss(data) - 1)
    assert off.mean() < 0.03


def test_a_guesser_does_better_so_pairs_are_told_in_nats(english: Observations) -> None:
    for task in REAL:
        pairs = findings.shifts(english.measurements(task), "base", 1e7)
        assert len(pairs) == 7
        assert {row.metric for row in pairs} == {"neg_log_pass_at_k"}


def test_the_forecast_is_older_than_the_cells_it_is_about(english: Observations) -> None:
    path = Path(__file__).parents[2] / "docs" / "forecasts" / "english.json"
    forecast = json.loads(path.read_text())
    assert forecast["observations_sha256"] == sha256(path.with_suffix(".parquet"))
    seen = english.runs.filter(pl.col("run_id").is_in(forecast["fitted_on"]))
    assert len(seen) == len(forecast["fitted_on"])
    assert seen["train_flops"].max() < 6.5e12  # type: ignore[operator]
    (verdict,) = suite_manifest("english")["verdicts"]
    told = {(p["law"], p["run_id"], m, v) for p in forecast["points"] for m, v in p["predicted"].items()}
    judged = {(p["law"], p["run_id"], p["metric"], p["predicted"]) for p in verdict["points"]}
    assert judged == told


def test_files_are_small_and_belong_together() -> None:
    data = resources.files("t2scaling.observations") / "data"
    sizes = [path.stat().st_size for name in ("world", "english") for path in [Path(str(data / f"{name}.parquet"))]]
    assert sum(sizes) < 8_000_000
    assert suite_manifest("english")["observations_sha256"] == sha256(Path(str(data / "english.parquet")))
