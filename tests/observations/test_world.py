"""The suite that ships with the package: what it has to contain, and that its two kinds of measurement agree."""

from __future__ import annotations

from importlib import resources

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, chi2

from t2scaling.artefacts import sha256
from t2scaling.laws import fit
from t2scaling.observations import Observations, load_suite
from t2scaling.observations.suites import suite_manifest
from t2scaling.passk import pass_at_k, pass_at_k_from_nll
from t2scaling.report.observed import inner_minima, task_loss
from t2scaling.report.runs import levels


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


def test_every_cell_was_tuned_on_three_tasks(world: Observations) -> None:
    base = world.runs.filter(pl.col("stage") == "base")["run_id"]
    for stage in ("ft", "sft"):
        rows = world.outcomes.filter(pl.col("stage") == stage)
        assert set(rows["run_id"]) == set(base)
        assert rows["task"].n_unique() == 3


def test_files_are_small_and_belong_together() -> None:
    data = resources.files("t2scaling.observations") / "data"
    with resources.as_file(data / "world-0.1.0.parquet") as path:
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
    # Per run, the mean over questions of (estimate from counts − pass@k from the likelihood), in its own standard
    # deviation, which is exact: the counts are binomial. The squares add up to chi-squared, one degree per run.
    both = world.outcomes.filter(pl.col("n_samples").is_not_null(), pl.col("nll").is_not_null())
    assert both["run_id"].n_unique() >= 60
    n = int(both["n_samples"][0])
    assert (both["n_samples"] == n).all()
    c = np.arange(n + 1)
    for k in (1, 8, 32):
        scores = []
        for _, rows in both.group_by("run_id"):
            p = np.exp(-rows["nll"].to_numpy())
            truth = pass_at_k_from_nll(rows["nll"].to_numpy(), k)
            spread = binom.pmf(c, n, p[:, None]) @ pass_at_k(n, c, k) ** 2 - truth**2
            estimate = pass_at_k(rows["n_samples"].to_numpy(), rows["n_correct"].to_numpy(), k)
            scores.append((estimate - truth).sum() / np.sqrt(np.maximum(spread, 0).sum()))
        total = float(np.square(scores).sum())
        assert chi2.ppf(1e-4, len(scores)) < total < chi2.ppf(1 - 1e-4, len(scores)), k
