"""A forecast before the run and its score afterwards; more samples from few."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import t2scaling as t2
from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws import Measurements
from t2scaling.laws.registered import check, load, register, save
from t2scaling.laws.samples import more_samples, samples_needed

N = np.repeat(np.geomspace(5e6, 2e8, 5), 4)
D = N * np.tile(np.geomspace(5, 500, 4), 5)


def suite(N=N, D=D, questions=60):
    loss = 300 * N**-0.33 + 500 * D**-0.33
    z = np.random.default_rng(1).standard_normal(questions)
    names = tuple(f"r{i:02d}" for i in range(len(N)))
    nll = loss[:, None] * np.exp(0.5 * z)
    return Measurements("t", names, N, D, np.full(questions, 1 / questions), nll=nll, data_hash="abc")


@pytest.fixture(scope="module")
def fit():
    return t2.fit(suite(), k=[1, 4, 16])


def test_a_forecast_is_kept_and_scored(fit, tmp_path):
    made = register(fit, [4e8], [1e10, 4e11], [1, 4])
    assert made.data_hash == "abc"
    again = load(save(made, tmp_path / "forecast.json"))
    assert again == made
    rows = check(again, suite(np.array([4.01e8, 4e8]), np.array([1e10, 9e11])))
    assert [row["runs"] for row in rows] == [1, 1, 0, 0]
    assert rows[0]["measured"] == pytest.approx(np.exp(-suite(np.array([4.01e8]), np.array([1e10])).nll).mean())
    assert rows[0]["held"] == (rows[0]["low"] <= rows[0]["measured"] <= rows[0]["high"])
    assert np.isnan(rows[2]["measured"])
    assert rows[2]["held"] is None


def test_a_forecast_is_made_once_and_not_changed(fit, tmp_path):
    path = save(register(fit, 4e8, 1e10), tmp_path / "forecast.json")
    with pytest.raises(ArgumentError, match="made once"):
        save(register(fit, 4e8, 1e10), path)
    content = json.loads(path.read_text())
    content["predictions"][0]["value"] *= 1.01
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="changed since"):
        load(path)


def test_the_command_registers_and_checks(fit, tmp_path, capsys):
    fit.save(tmp_path / "fit.json")
    out = str(tmp_path / "forecast.json")
    argv = ["forecast", str(tmp_path / "fit.json"), "--register", "-N", "400M", "-D", "10B", "-k", "1,4", "-o", out]
    assert run(argv) == 0
    new = suite(np.array([4e8]), np.array([1e10]))
    rows = {"run_id": "new", "n_params": 4e8, "n_tokens": 1e10, "task": "t"}
    frame = pl.DataFrame([{**rows, "question_id": f"q{i}", "nll": float(nll)} for i, nll in enumerate(new.nll[0])])
    frame.write_parquet(tmp_path / "new.parquet")
    capsys.readouterr()
    assert run(["forecast", str(tmp_path / "new.parquet"), "--check", out, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["scored"] == 2
    assert content["relative_error"] < 0.2
    assert run(["forecast", str(tmp_path / "fit.json")]) == 2


def counted(rng, samples, runs=3, questions=150):
    p = rng.beta(0.5, 5.0, (runs, questions)) * (rng.random((runs, questions)) >= 0.3)
    n = np.full(p.shape, float(samples))
    names = tuple(f"r{i}" for i in range(runs))
    weight = np.full(questions, 1 / questions)
    return Measurements(
        "t", names, np.ones(runs), np.ones(runs), weight, n=n, c=rng.binomial(samples, p).astype(float)
    ), p


def test_beyond_the_samples_is_extrapolated_and_marked(rng):
    measured, p = counted(rng, 128)
    found = more_samples(measured, [1, 64, 4096])
    assert found.extrapolated.tolist() == [[False, False, True]] * 3
    truth = (1 - (1 - p) ** 4096).mean(axis=1)
    assert found.pass_at_k[:, 2] == pytest.approx(truth, rel=0.15)
    assert found.pass_at_k[:, 0] == pytest.approx((measured.c / measured.n).mean(axis=1))
    with pytest.raises(DataError, match="likelihoods"):
        more_samples(suite(), [4])


def test_the_samples_needed_keep_their_promise(rng):
    measured, _ = counted(rng, 256, runs=1)
    loose, tight = (samples_needed(measured, 64, error, np.random.default_rng(0))[0] for error in (0.3, 0.05))
    assert 8 <= loose < tight < np.inf
    errors = []
    for seed in range(12):
        few, p = counted(np.random.default_rng(seed), int(tight), runs=1)
        errors.append(np.log(more_samples(few, 64).pass_at_k[0, 0] / (1 - (1 - p[0]) ** 64).mean()))
    assert np.sqrt(np.mean(np.square(errors))) < 0.1
    with pytest.raises(ArgumentError, match="relative error"):
        samples_needed(measured, 64, 3, rng)


def test_the_command_marks_what_it_extrapolates(rng, tmp_path, capsys):
    measured, _ = counted(rng, 32, runs=2)
    rows = [
        {"run_id": f"r{r}", "n_params": 1e8, "n_tokens": 1e9 * (r + 1), "task": "t", "question_id": f"q{q}",
         "n_samples": 32, "n_correct": int(measured.c[r, q])}
        for r in range(2) for q in range(150)
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(tmp_path / "runs.parquet")
    argv = ["samples", str(tmp_path / "runs.parquet"), "-k", "1,8,512"]
    assert run([*argv, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["runs"][0]
    assert [cell["extrapolated"] for cell in first["pass_at_k"]] == [False, False, True]
    assert run(argv) == 0
    assert "~" in capsys.readouterr().out
