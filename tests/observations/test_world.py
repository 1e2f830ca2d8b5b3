"""The suite that ships with the package: what it has to contain, and that its two kinds of measurement agree."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2scaling.artefacts import sha256
from t2scaling.costs import sample_flops
from t2scaling.laws import fit
from t2scaling.observations import Observations, load_suite
from t2scaling.observations.suites import suite_manifest
from t2scaling.passk import pass_at_k, pass_at_k_from_nll
from t2scaling.report.observed import guesses, inner_minima, readings, task_loss
from t2scaling.report.runs import levels, over_seeds, samples_at


@pytest.fixture(scope="module")
def world() -> Observations:
    return load_suite("world")


def test_grid(world: Observations) -> None:
    base = world.runs.filter(pl.col("stage") == "base")
    ratio = base["n_tokens"] / base["n_params"]
    assert len(base) >= 60
    assert base["n_params"].n_unique() >= 7
    assert len(levels(world.measurements("macro"))) >= 8
    assert ratio.min() < 5  # type: ignore[operator]
    assert ratio.max() > 1000  # type: ignore[operator]
    assert base["overtrained"].sum() >= 12
    # No run saw a document twice.
    assert (base["unique_tokens"] == base["n_tokens"]).all()


def test_the_top_three_levels_have_three_seeds_and_were_tuned(world: Observations) -> None:
    base = world.runs.filter(pl.col("stage") == "base")
    top = base.filter(pl.col("train_flops") > 3e11)
    seeds = top.group_by("n_params", "n_tokens").agg(pl.col("seed").n_unique())["seed"]
    assert (seeds == 3).all()
    for stage in ("ft", "sft"):
        rows = world.outcomes.filter(pl.col("stage") == stage)
        assert set(rows["run_id"]) == set(top.filter(pl.col("seed") == 0)["run_id"])
        assert rows["task"].n_unique() == 3


def test_a_guesser_stays_far_below_the_best_cell(world: Observations) -> None:
    assert world.outcomes["chance"].max() <= 1e-4  # type: ignore[operator]
    for task in ("macro", *world.tasks):
        data = world.measurements(task)
        one = float(sample_flops(data.N.max(), 1))
        for budget in (one, 16 * one):
            k = samples_at(data.N, budget)
            passed, guess = over_seeds(data, readings(data, k).pass_at_k), guesses(data, k)
            for level in levels(data):
                best = level.runs[passed[level.runs].argmax()]
                if level.train_flops > 7e10:  # no conclusion rests on less
                    assert guess[best] < 0.2 * passed[best], (task, budget, level.train_flops)


def test_files_are_small_and_belong_together() -> None:
    data = resources.files("t2scaling.observations") / "data"
    with resources.as_file(data / "world.parquet") as path:
        assert path.stat().st_size < 5_000_000
        manifest = suite_manifest("world")
        assert manifest["observations_sha256"] == sha256(path)
    assert {"seed", "versions", "train_flops", "seconds", "machine"} <= manifest.keys()
    assert suite_manifest("simulated") == {}


def test_loss_falls_smoothly_with_inner_minima(world: Observations) -> None:
    data = world.measurements("macro")
    assert sum(inner_minima(data)) >= 5
    law = fit(data, law="chinchilla").law
    predicted, observed = law.predict(data.N, data.D), task_loss(data)
    assert np.mean(np.abs(predicted - observed) / observed) < 0.06


def test_sampling_and_likelihood_agree_within_sampling_error(world: Observations) -> None:
    # All runs draw with the random numbers of the question, so that runs can be compared; questions are independent.
    both = world.outcomes.filter(pl.col("n_samples").is_not_null(), pl.col("nll").is_not_null())
    assert both["run_id"].n_unique() >= 60
    for k in (1, 8, 32):
        estimate = pass_at_k(both["n_samples"].to_numpy(), both["n_correct"].to_numpy(), k)
        excess = both.select("task", "question_id").with_columns(
            pl.Series("excess", estimate - pass_at_k_from_nll(both["nll"].to_numpy(), k))
        )
        sums = excess.group_by("task", "question_id").agg(pl.col("excess").sum())["excess"].to_numpy()
        assert len(sums) >= 500
        assert abs(sums.sum()) < 3.5 * np.sqrt(np.square(sums).sum()), k


def test_wrong_answers_were_counted(world: Observations) -> None:
    counted = world.outcomes.filter(pl.col("n_samples").is_not_null())
    wrong = counted["wrong_counts"].list.sum()
    assert (wrong == counted["n_samples"] - counted["n_correct"]).all()


def test_the_forecasts_were_kept(world: Observations) -> None:
    verdicts = suite_manifest("world")["verdicts"]
    for verdict in verdicts:
        assert {point["kind"] for point in verdict["points"]} == {"optimum", "chinchilla"}
        assert all(point["runs"] == 3 for point in verdict["points"])
    forecast = json.loads((Path(__file__).parents[2] / "docs" / "forecasts" / "world.json").read_text())
    told = {(p["law"], p["run_id"], m, v) for p in forecast["points"] for m, v in p["predicted"].items()}
    assert told == {(p["law"], p["run_id"], p["metric"], p["predicted"]) for p in verdicts[-1]["points"]}
