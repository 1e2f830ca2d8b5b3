"""The names that users rely on, each called as the documentation shows it."""

from __future__ import annotations

import csv
import json

import numpy as np
import polars as pl
import pytest

import t2scaling as t2
from t2scaling.cli.main import run

BUDGETS = {"train_flops": 1e18, "inference_flops": 2e9}
LAWS = {
    "chinchilla": t2.laws.ChinchillaLaw(1.69, 406.4, 0.34, 410.7, 0.28),
    "loss": t2.laws.LossLaw(1.0, 400, 0.34, 1200, 0.37, 6, 0.2),
    "accuracy": t2.laws.AccuracyLaw(
        loss=t2.laws.ChinchillaLaw(1.69, 406.4, 0.34, 410.7, 0.28), theta=(3.0, 1.5, 0.9, 1.0, -0.1)
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """runs.csv: 20 runs × 8 questions of two tasks."""
    path = tmp_path_factory.mktemp("design") / "runs.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["run_id", "n_params", "n_tokens", "task", "question_id", "nll"])
        for N in (1e7, 4e7, 1.6e8, 6.4e8):
            for ratio in (3, 10, 30, 100, 300):
                nll = float(LAWS["chinchilla"].predict(N, N * ratio))
                for q in range(8):
                    for task in ("arc_easy", "sciq"):
                        out.writerow([f"{N:g}x{ratio}", N, N * ratio, task, f"q{q}", nll * (0.7 + 0.1 * q)])
    return path


@pytest.fixture(scope="module")
def fit(runs):
    return t2.fit(t2.read(runs), law="loss", task="arc_easy", k=[1, 2, 4, 8])


def test_read_takes_files_and_dataframes(runs, tmp_path):
    obs = t2.read(str(runs))
    assert isinstance(obs.runs, pl.DataFrame)
    assert isinstance(obs.outcomes, pl.DataFrame)
    frame = pl.read_csv(runs)
    frame.write_parquet(tmp_path / "runs.parquet")
    frame.write_ndjson(tmp_path / "runs.jsonl")
    for same in (frame, frame.to_dict(as_series=False), tmp_path / "runs.parquet", tmp_path / "runs.jsonl"):
        assert t2.read(same).outcomes.equals(obs.outcomes)


def test_fit_result(fit, tmp_path):
    assert isinstance(fit.law, t2.LossLaw)
    assert fit.status is t2.FitStatus.CONVERGED or fit.status is t2.FitStatus.AT_BOUND
    assert fit.status.value in fit.explain()
    assert {row["parameter"] for row in fit.summary()} == {"E", "A", "alpha", "B", "beta", "G", "gamma"}
    assert json.loads(fit.to_json())["task"] == "arc_easy"
    again = t2.FitResult.load(fit.save(tmp_path / "fit.json"))
    assert again.to_json() == fit.to_json()


def test_predict_broadcasts_and_refuses_what_a_law_cannot_say(fit, runs):
    N, D, k = np.array([1e7, 1e8])[:, None, None], np.array([1e9, 1e10, 1e11])[:, None], np.array([1.0, 2, 4, 8])
    assert fit.predict(N, D, k).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="pass_at_k"):
        fit.predict(N, D, k, metric="pass_at_k")
    mean = t2.fit(t2.read(runs), law="loss", task="arc_easy", k=[1, 2, 4, 8], target="neg_log_mean")
    passed = mean.predict(N, D, k, metric="pass_at_k")
    assert passed == pytest.approx(np.exp(-mean.predict(N, D, k, metric="neg_log_pass_at_k")))
    assert np.all((passed > 0) & (passed < 1))


def test_laws_predict_with_arrays():
    N, D, k = np.array([1e8, 1e9]), np.array([1e10, 1e11]), np.array([[1.0], [4.0], [16.0]])
    assert LAWS["chinchilla"].predict(N, D).shape == (2,)
    assert LAWS["chinchilla"].predict(1e9, 1e11).shape == ()
    for name in ("loss", "accuracy"):
        value = LAWS[name].predict(N, D, k)
        assert value.shape == (3, 2)
        assert value[1, 1] == pytest.approx(float(LAWS[name].predict(1e9, 1e11, 4)))


def test_pass_at_k():
    expected = np.array([[0.3, 11 / 12], [1.0, np.nan]])
    assert t2.passk.pass_at_k([10, 4], [3, 4], [1, 5]) == pytest.approx(expected, nan_ok=True)
    assert t2.passk.pass_at_k_from_nll(-np.log(0.5), [1, 2.0]) == pytest.approx([0.5, 0.75])
    assert t2.passk.pass_at_k_from_nll(690.0, 10) == pytest.approx(10 * np.exp(-690.0), rel=1e-12)


@pytest.mark.parametrize("law", ["loss", "accuracy"])
def test_a_law_works_wherever_a_fit_does(law):
    two = t2.plan(LAWS[law], **BUDGETS)
    assert 6 * two.n_params * two.n_tokens == pytest.approx(1e18)
    assert 2 * two.n_params * two.k == pytest.approx(2e9)
    assert two.tokens_per_param == pytest.approx(two.n_tokens / two.n_params)
    life = t2.plan(LAWS[law], total_flops=1e20, tokens_served=1e9)
    assert 6 * life.n_params * life.n_tokens + 2 * life.n_params * life.k * 1e9 == pytest.approx(1e20)


def test_plan_of_a_fit(fit):
    plan = t2.plan(fit, **BUDGETS)
    assert plan.chinchilla.n_params >= plan.n_params
    if plan.chinchilla.k >= 1:
        assert plan.value <= plan.chinchilla.value


PLAN_KEYS = {"law": str, "task": str, "train_flops": float, "inference_flops": float, "optimum": dict,
             "chinchilla": dict, "warnings": list}  # fmt: skip
NUMBERS = ("n_params", "n_tokens", "k", "tokens_per_param", "value")


def test_plan_json_has_the_documented_keys(runs, tmp_path, capsys):
    path = str(tmp_path / "fit.json")
    assert run(["fit", str(runs), "--task", "sciq", "--bootstrap", "20", "--k", "1,2,4,8", "-o", path]) == 0
    capsys.readouterr()
    assert run(["plan", path, "--train-flops", "1e18", "--inference-flops", "2e9", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {key: type(content[key]) for key in PLAN_KEYS} == PLAN_KEYS
    for name in ("optimum", "chinchilla"):
        assert all(isinstance(content[name][key], float) for key in NUMBERS)
    assert content["optimum"]["metric"] == "pass_at_k"
    assert set(content["optimum"]["interval"]) == set(NUMBERS)
    assert all(low <= high for low, high in content["optimum"]["interval"].values())


def test_the_packaged_suite_loads():
    assert t2.load_suite("simulated").tasks
