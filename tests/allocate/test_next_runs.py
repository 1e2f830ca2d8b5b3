"""Which runs to train next."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.allocate.next_runs import next_runs
from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError
from t2scaling.laws import Measurements

LEVELS = np.repeat([1e17, 4e17, 1.6e18, 6.4e18], 5)
N = np.tile(np.geomspace(5e6, 2e8, 5), 4)
D = LEVELS / (6 * N)


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(3)
    loss = 1.0 + 300 * N**-0.33 + 500 * D**-0.33
    nll = loss[:, None] * np.exp(0.5 * rng.standard_normal(80) + 0.03 * rng.standard_normal((20, 1)))
    names = tuple(f"r{i:02d}" for i in range(20))
    return t2.fit(Measurements("t", names, N, D, np.full(80, 1 / 80), nll=nll, data_hash="x"), k=[1, 4, 16])


def test_the_first_is_the_best_of_the_largest_level_and_all_fit_the_budget(fit):
    budget = 4e19
    runs = next_runs(fit, budget, inference_flops=2e9)
    assert sum(one.train_flops for one in runs) <= budget
    top = [one for one in runs if one.train_flops > 0.5 * runs[0].train_flops]
    assert runs[0].train_flops == pytest.approx(2.56e19)
    sizes = np.unique(N)
    tokens = 2.56e19 / (6 * sizes)
    allowed = tokens / sizes <= 2 * np.max(D / N)  # not far beyond the tokens per parameter that were measured
    said = fit.law.predict(sizes, tokens, np.maximum(2e9 / (2 * sizes), 1))
    best = fit.law.predict(runs[0].n_params, runs[0].n_tokens, 2e9 / (2 * runs[0].n_params))
    assert best >= said[allowed].max()
    assert len(top) == 1
    assert len(runs) > 1


def test_no_run_is_there_already_or_twice(fit):
    runs = next_runs(fit, 1e20)
    places = {(round(np.log(one.n_params), 3), round(np.log(one.n_tokens), 3)) for one in runs}
    assert len(places) == len(runs)
    for one in runs:
        assert not np.any((np.abs(np.log(N / one.n_params)) < 0.04) & (np.abs(np.log(D / one.n_tokens)) < 0.04))


def test_after_the_first_the_least_known_comes_first(fit):
    near, far = (2e7, 2e9), (1e8, 5e12)
    places = np.array([near, far, (3e7, 3e9)]).T
    runs = next_runs(fit, 1e29, candidates=(places[0], places[1]))
    assert runs[0].n_params == far[0]  # the largest level
    assert len(runs) == 3
    with pytest.raises(ArgumentError, match="cheapest new one"):
        next_runs(fit, 1e7, candidates=(places[0], places[1]))
    with pytest.raises(ArgumentError, match="`train_flops` = 1e300 is over a hundred times"):
        next_runs(fit, 1e300)
    with pytest.raises(ArgumentError, match="`inference_flops` = 0 must be above zero"):
        next_runs(fit, 1e20, 0)


def test_the_command_writes_runs(fit, tmp_path, capsys):
    fit.save(tmp_path / "fit.json")
    out = tmp_path / "next.json"
    assert run(["next", str(tmp_path / "fit.json"), "--train-flops", "4e19", "-o", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads(out.read_text())
    assert content["runs"][0].keys() == {"n_params", "n_tokens", "train_flops", "why"}


def test_with_a_suite_they_become_one_that_a_study_takes(tmp_path, capsys):
    from t2scaling.testbed.suite import Suite, recipes

    suite = replace(recipes.tiny(), corpus_tokens=10**8)
    (tmp_path / "suite.json").write_text(suite.to_json())
    sizes = np.array([cell.n_params for cell in suite.cells], dtype=float)
    tokens = np.array([cell.n_tokens for cell in suite.cells], dtype=float)
    rng = np.random.default_rng(0)
    loss = 1 + 30 * sizes**-0.33 + 50 * tokens**-0.33
    nll = loss[:, None] * np.exp(0.5 * rng.standard_normal(60))
    names = tuple(cell.run_id for cell in suite.cells)
    made = t2.fit(Measurements("t", names, sizes, tokens, np.full(60, 1 / 60), nll=nll, data_hash="x"), k=[1, 4])
    made.save(tmp_path / "fit.json")
    budget = f"{4 * max(cell.train_flops for cell in suite.cells):g}"
    argv = ["next", str(tmp_path / "fit.json"), "--train-flops", budget, "--suite", str(tmp_path / "suite.json")]
    assert run([*argv, "-o", str(tmp_path / "next.json")]) == 0
    assert "study file" in " ".join(capsys.readouterr().out.split())
    assert all(cell.n_tokens > 0 for cell in Suite.load(tmp_path / "next.json").cells)
