"""`t2 fit` and `t2 predict` on a small table."""

import csv
import json

import numpy as np
import pytest

from t2scaling.cli.main import run
from t2scaling.laws import FitResult, load_law
from t2scaling.strategies import parse


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV of 16 runs × 20 questions with likelihoods."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("table") / "runs.csv"
    spread = np.exp(0.5 * rng.standard_normal(20))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["run_id", "n_params", "n_tokens", "task", "question_id", "nll"])
        for i, (N, ratio) in enumerate((N, ratio) for N in (1e7, 4e7, 2e8, 9e8) for ratio in (5, 20, 100, 400)):
            loss = 2 + 220 * N**-0.25 + 900 * (N * ratio) ** -0.3
            for question in range(20):
                out.writerow([f"run{i}", N, N * ratio, "arc", f"q{question}", loss * spread[question]])
    return path


@pytest.fixture(scope="module")
def fitted(table):
    path = table.parent / "fit.json"
    assert (
        run(["fit", str(table), "--law", "loss", "--k", "1,2,4,8", "--bootstrap", "12", "-o", str(path), "--json"]) == 0
    )
    return path


def test_fit_prints_a_table_the_status_and_the_warnings(table, capsys):
    assert run(["fit", str(table), "--law", "loss", "--k", "1,2,4,8", "--bootstrap", "6", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    for words in ("loss law · arc", "gamma", "90% interval", "The fit converged.", "16 runs", "k: 1, 2, 4, 8."):
        assert words in out


@pytest.mark.parametrize("law", ["accuracy", "naive", "chinchilla"])
def test_fit_of_the_other_laws(table, capsys, law):
    assert run(["fit", str(table), "--law", law, "--inference-flops", "2e9", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["law"]["name"] == law
    assert content["curves"]["k"][0] == 1


def test_json_is_the_file(table, fitted, capsys):
    capsys.readouterr()
    assert run(["fit", str(table), "--law", "loss", "--k", "1,2,4,8", "--bootstrap", "12", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(fitted.read_text())
    assert FitResult.load(fitted).law.name == "loss"


def test_predict_broadcasts_and_marks_what_lies_outside(fitted, capsys):
    assert run(["predict", str(fitted), "-N", "100M,7B", "-D", "2B", "-k", "1,8", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["predictions"]
    assert [(row["n_params"], row["k"]) for row in rows] == [(1e8, 1), (1e8, 8), (7e9, 1), (7e9, 8)]
    assert [row["outside_fitted_range"] for row in rows] == [False, False, True, True]
    law = FitResult.load(fitted).law
    for row in rows:
        assert row["value"] == pytest.approx(float(law.predict(row["n_params"], 2e9, row["k"])))
        assert row["low"] < row["value"] * 1.2
        assert row["low"] <= row["high"]


def test_predict_for_people(fitted, capsys):
    assert run(["predict", str(fitted), "-N", "7B", "-D", "2T", "-k", "8"]) == 0
    out = capsys.readouterr().out
    assert "outside range" in out
    assert "beyond that it extrapolates" in out


def test_predict_under_a_strategy_has_the_oracle_beside_it(capsys):
    noisy = ["predict", "pythia/gsm8k-accuracy", "-N", "1B", "-D", "300B", "-k", "1,10", "--strategy"]
    assert run([*noisy, "verifier:tpr=.9,fpr=.05", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    law = load_law("pythia/gsm8k-accuracy").law
    assert content["metric"] == "verifier (TPR 0.9, FPR 0.05)"
    for row in content["predictions"]:
        success = law.success(1e9, 3e11)
        assert row["value"] == pytest.approx(float(parse("verifier:tpr=.9,fpr=.05").value(success, row["k"])))
        assert row["oracle"] == pytest.approx(float(law.predict(1e9, 3e11, row["k"], "pass_at_k")))
        assert row["value"] <= row["oracle"] * (1 + 1e-9)
    assert run([*noisy, "all"]) == 0
    assert "oracle (pass@k)" in " ".join(capsys.readouterr().out.split())


def test_predict_from_a_published_law(capsys):
    assert run(["predict", "chinchilla/hoffmann", "-N", "70B", "-D", "1.4T", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["predictions"][0]
    assert row["value"] == pytest.approx(1.69 + 406.4 * 70e9**-0.34 + 410.7 * 1.4e12**-0.28)
    assert row["low"] is None


def test_table_of_losses(tmp_path, capsys):
    path = tmp_path / "losses.csv"
    lines = ["n_params,n_tokens,loss"]
    for N in (1e7, 1e8, 1e9):
        lines += [f"{N:g},{D:g},{1.7 + 400 * N**-0.34 + 410 * D**-0.28!r}" for D in (1e9, 1e10, 1e11)]
    path.write_text("\n".join(lines))
    assert run(["fit", str(path), "--law", "chinchilla", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["law"]["parameters"]["alpha"] == pytest.approx(0.34, rel=1e-5)
    path.write_text("\n".join([*lines, "7B,oops,2.0"]))
    assert run(["fit", str(path), "--law", "chinchilla"]) == 2
    assert "line 11 says 'oops'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", "nowhere.parquet"], "nowhere.parquet"),
        (["fit", "TABLE", "--law", "linear"], "`--law` = 'linear'"),
        (["fit", "TABLE", "--k", "0.5"], "`--k` = 0.5"),
        (["fit", "TABLE", "--task", "sciq"], "sciq"),
        (["fit", "TABLE", "--exponents", "0.1"], "--exponents"),
        (["predict", "nowhere.json", "-N", "1B", "-D", "1B"], "nowhere.json"),
        (["predict", "FIT", "-N", "1B", "-D", "1B", "-k", "0"], "`--k` = 0"),
        (["predict", "FIT", "-N", "1B", "-D", "1B", "--metric", "pass_at_k"], "neg_log_mean"),
        (["predict", "FIT", "-N", "1B", "-D", "1B", "--strategy", "all"], "the loss law does not know"),
        (["predict", "FIT", "-N", "1B", "-D", "1B", "--strategy", "all", "--metric", "loss"], "`--metric` is of"),
        (["predict", "FIT", "-N", "1B", "-D", "1B", "--strategy", "best"], "did you mean best_of"),
        (["predict", "pythia/gsm8k-accuracy", "-N", "1B", "-D", "1B", "--strategy", "majority"], "no law predicts"),
        (["predict", "pythia/gsm8k-accuracy", "-N", "1B", "-D", "1B", "--strategy", "best_of"], "needs scores"),
        (
            ["predict", "pythia/gsm8k-accuracy", "-N", "1B", "-D", "1B", "--strategy", "verifier:tpr=.1,fpr=.2"],
            "`tpr` = 0.1 is below",
        ),
    ],
)
def test_bad_input_is_one_paragraph_and_exit_code_2(table, fitted, capsys, arguments, words):
    capsys.readouterr()
    named = {"TABLE": str(table), "FIT": str(fitted)}
    assert run([named.get(argument, argument) for argument in arguments]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_a_fit_that_misses_its_own_runs_exits_with_one(tmp_path, capsys):
    rows = ["run_id,n_params,n_tokens,task,question_id,n_samples,n_correct"]
    for i, N in enumerate((1e7, 3e7, 1e8, 3e8, 1e9)):
        for j, D in enumerate((1e9, 1e10, 1e11)):
            solved = (3000, 2, 400, 9, 70)[(i + 2 * j) % 5]  # nothing that N or D could explain
            rows += [f"{i}-{j},{N},{D},falls,q{q},100000,{solved + q}" for q in range(8)]
    (tmp_path / "runs.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "fit.json"
    assert run(["fit", str(tmp_path / "runs.csv"), "--law", "accuracy", "--k", "1,10,100", "-o", str(out)]) == 1
    assert "misses its own measurements" in " ".join(capsys.readouterr().out.split())
    assert json.loads(out.read_text())["status"]["name"] == "POOR"
