"""`t2 plan` and `t2 frontier` as typed."""

from __future__ import annotations

import csv
import json
import math

import pytest

from t2scaling.allocate import Plan, plan
from t2scaling.cli.frontier import read_grid
from t2scaling.cli.main import run
from t2scaling.laws import load_law

BUDGET = ["--train-flops", "1e21", "--inference-flops", "20B"]
SERVED = ["--train-flops", "1e21", "--prompt-tokens", "500"]
DOLLARS = ["--total-dollars", "1e5", "--queries", "1e8", "--output-tokens", "200"]


def out(capsys, *argv):
    code = run(list(argv))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("how", [["pythia/gsm8k"], ["--law", "pythia/gsm8k"]])
def test_plan_by_name(capsys, how):
    code, text, _ = out(capsys, "plan", *how, *BUDGET, "--json")
    content = json.loads(text)
    best = plan(load_law("pythia/gsm8k"), train_flops=1e21, inference_flops=2e10)
    assert code == 0
    assert content["optimum"]["n_params"] == pytest.approx(best.n_params)
    assert content["optimum"]["interval"]["k"] == pytest.approx(list(best.interval["k"]))
    assert content["sentence"] == best.sentence()


def test_plan_for_people_and_on_disk(capsys, tmp_path):
    code, text, err = out(capsys, "plan", "pythia/gsm8k", *BUDGET, "--level", "0.5", "-o", str(tmp_path / "plan.json"))
    assert code == 0
    assert text.startswith("By extrapolation: train ")
    assert "50% interval" in text
    assert "Overtraining pays from" in text
    assert "! Fitted to one family" in text
    assert "plan.json" in err
    assert Plan.load(tmp_path / "plan.json").task == "gsm8k"


def test_plan_from_a_fit(capsys, tmp_path, rng):
    import numpy as np

    from t2scaling.laws import ChinchillaLaw, fit_chinchilla

    N, D = np.geomspace(1e7, 1e9, 12), np.geomspace(1e9, 1e11, 12)[rng.permutation(12)]
    truth = ChinchillaLaw(1.8, 480, 0.35, 2100, 0.37)
    fit_chinchilla(N, D, truth.predict(N, D)).save(tmp_path / "fit.json")
    code, text, _ = out(capsys, "plan", str(tmp_path / "fit.json"), "--train-flops", "1e20", "--json")
    assert code == 0
    assert json.loads(text)["optimum"]["n_params"] == pytest.approx(float(truth.optimum(1e20)[0]), rel=1e-4)


def test_every_option_reaches_the_plan(capsys):
    limits = ["--n-range", "100M,1B", "--max-tokens", "2T", "--integer-k"]
    code, text, _ = out(capsys, "plan", "pythia/gsm8k", "--train-flops", "1e22", "--inference-flops", "1e11", *limits,
                        "--json")  # fmt: skip
    best = json.loads(text)["optimum"]
    assert code == 0
    assert best["n_params"] >= 1e8
    assert best["n_tokens"] == 2e12
    assert best["k"] == int(best["k"])
    _, text, _ = out(capsys, "plan", "pythia/gsm8k", *BUDGET, "--sizes", "100M,300M,1B", "--json")
    assert json.loads(text)["optimum"]["n_params"] == 3e8


def test_plan_in_dollars_and_hours(capsys):
    lifetime = ["--total-dollars", "1e5", "--queries", "1e8", "--output-tokens", "200", "--gpu", "a100",
                "--serve-utilisation", "0.05"]  # fmt: skip
    code, text, _ = out(capsys, "plan", "pythia/gsm8k", *lifetime, "--json")
    content = json.loads(text)
    assert code == 0
    assert content["tokens_served"] == 2e10
    assert content["spend"]["train_dollars"] + content["spend"]["serving_dollars"] == pytest.approx(1e5)
    assert content["matched_tokens"] == pytest.approx(2e10, rel=1e-6)
    two = ["--gpu-hours", "1000", "--price", "2.5", "--utilisation", "0.4", "--inference-flops", "2e10"]
    _, text, _ = out(capsys, "plan", "pythia/gsm8k", *two, "--json")
    content = json.loads(text)
    assert content["train_flops"] == pytest.approx(1000 * 3600 * 989e12 * 0.4)
    assert content["spend"]["train_dollars"] == pytest.approx(2500)


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["plan", *BUDGET], "either FIT"),
        (["plan", "a", "--law", "b", *BUDGET], "either FIT"),
        (["plan", "pythia/gsm8"], "did you mean pythia/gsm8k"),
        (["plan", "no/such.json", *BUDGET], "`no/such.json` is neither"),
        (["plan", "pythia/gsm8k"], "`--train-flops` (with `--inference-flops`"),
        (["plan", "pythia/gsm8k", "--train-flops", "1e21"], "`--inference-flops` is missing"),
        (["plan", "pythia/gsm8k", "--train-flops", "1e21", "--gpu-hours", "3"], "`--gpu-hours` say the same"),
        (["plan", "pythia/gsm8k", *BUDGET, "--sizes", "100B"], "cannot pay for one sample"),
        (["plan", "pythia/gsm8k", *BUDGET, "--n-range", "1B"], "`--n-range` = '1B'"),
        (
            ["plan", "pythia/gsm8k", "--train-dollars", "5", "--inference-flops", "2e9", "--gpu", "tpu"],
            "`--gpu` = 'tpu'",
        ),
        (["plan", "pythia/gsm8k", "--train-dollars", "5", "--inference-flops", "2e9", "--gpu", "b200"], "`--price` is"),
        (["plan", "pythia/gsm8k", *DOLLARS], "`--serve-utilisation` is missing"),
        (["plan", "pythia/gsm8k", *DOLLARS, "--serve-utilisation", "2"], "must lie in (0, 1]"),
        (["plan", "pythia/gsm8k", *DOLLARS, "--serve-utilisation", "0.1", "--prompt-tokens", "9"], "has no place"),
        (["plan", "pythia/gsm8k", *DOLLARS, "--price", "-2", "--serve-utilisation", "0.1"], "`--price` = -2"),
        (["plan", "pythia/gsm8k", *SERVED, "--query-dollars", "1e-5", "--price", "-2"], "`--price` = -2 must be"),
        (["plan", "pythia/gsm8k", *SERVED, "--query-dollars", "-1"], "'--query-dollars': `-1` must be above zero"),
        (["plan", "pythia/gsm8k", *SERVED, "--serve-budget", "1", "--sizes", "100B"], "does not fit on the hardware"),
        (
            ["plan", "pythia/gsm8k-accuracy", *BUDGET, "--strategy", "verifier:tpr=.1,fpr=.2"],
            "`tpr` = 0.1 is below `fpr` = 0.2",
        ),
        (["plan", "pythia/gsm8k", *BUDGET, "--unique-tokens", "0"], "`--unique-tokens` = 0 is no training set"),
        (["plan", "pythia/gsm8k", *BUDGET, "--active-fraction", "2"], "`--active-fraction` = 2"),
        (["plan", "pythia/gsm8k", *BUDGET, "--active-fraction", "1e-300"], "`--active-fraction` = 1e-300 must lie in"),
        (
            ["frontier", "pythia/gsm8k", "--train-flops", "1e16:1e18:4", "--inference-flops", "1e8"]
            + ["--prompt-tokens=1e308"],
            "`--prompt-tokens` = 1e308 must be 0 or between 1e-09 and 1e+09: give tokens such as 512",
        ),
        (["plan", "pythia/gsm8k", *SERVED, "--serve-budget", "1", "--answer-tokens", "1e200"], "`--answer-tokens` = 1"),
        (
            ["plan", "pythia/gsm8k", *SERVED, "--cost", "sardana", "--serve-budget", "1e12"]
            + ["--answer-tokens", "1e-300"],
            "`--answer-tokens` = 1e-300 must be between",
        ),
        (["plan", "pythia/gsm8k", *SERVED, "--serve-budget", "1e308"], "`--serve-budget` = 1e308 is beyond all reason"),
        (["plan", "pythia/gsm8k", *SERVED, "--query-dollars", "1", "--price", "1e-320"], "`--price` = 1e-320 must be"),
        (["frontier", "pythia/gsm8k", "--train-flops", "1e17:1e25"], "`--train-flops` = 1e17:1e25 is no range"),
        (["frontier", "pythia/gsm8k", "--train-flops", "1e20:1e18:5"], "the smaller first"),
        (["frontier", "pythia/gsm8k"], "`--inference-flops` is missing"),
    ],
)
def test_mistakes_get_one_paragraph_and_exit_code_2(capsys, tmp_path, argv, text):
    code, printed, err = out(capsys, *argv, "-o", str(tmp_path / "out.json"))
    assert code == 2
    assert printed == ""
    assert text in " ".join(err.split())
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_frontier_as_csv_json_and_table(capsys, tmp_path):
    argv = ["frontier", "pythia/gsm8k", "--train-flops", "1e18:1e22:50", "--inference-flops", "2e9,2e11"]
    code, text, _ = out(capsys, *argv)
    assert code == 0
    assert "25 of 100 budgets" in text
    code, _, err = out(capsys, *argv, "-o", str(tmp_path / "f.csv"))
    rows = list(csv.DictReader((tmp_path / "f.csv").read_text().splitlines()))
    assert len(rows) == 100
    assert "Written: " in err
    first = plan(load_law("pythia/gsm8k"), train_flops=1e18, inference_flops=2e9)
    assert float(rows[0]["n_params"]) == pytest.approx(first.n_params)
    assert math.isclose(float(rows[-1]["train_flops"]), 1e22)
    _, text, _ = out(capsys, *argv, "--json")
    assert len(json.loads(text)["rows"]) == 100
    _, text, _ = out(capsys, "frontier", "chinchilla/besiroglu", "--train-flops", "1e20,1e21")
    assert "2.305" in text


def test_grid_ends_where_it_says():
    assert read_grid("--x", "1e17:1e25:9") == pytest.approx([10.0**i for i in range(17, 26)])
    assert read_grid("--x", "1e17:1e25:9")[-1] == 1e25
    assert read_grid("--x", "7B, 1e22") == [7e9, 1e22]


def test_plan_under_a_serving_cost(capsys):
    serving = ["--prompt-tokens", "500", "--answer-tokens", "300", "--gpu", "h100", "--precision", "fp8"]
    command = ["plan", "pythia/gsm8k", "--json", *serving]
    code, text, _ = out(capsys, *command, "--train-flops", "1e20", "--serve-budget", ".02")
    assert code == 0
    content = json.loads(text)
    cost = content["cost"]
    assert (cost["name"], cost["weights"], cost["unit"]) == ("serving", "fp8", "gpu_seconds")
    assert content["spend"]["gpu-seconds_per_query"] == pytest.approx(0.02)
    assert any("Counted as 2·N·k alone" in text for text in content["warnings"])
    code, text, _ = out(capsys, *command, "--train-flops", "1e20", "--query-dollars", "1e-5")
    assert json.loads(text)["spend"]["dollars_per_query"] == pytest.approx(1e-5)
    code, text, _ = out(capsys, *command, "--total-dollars", "2000", "--queries", "1e8")
    assert code == 0
    content = json.loads(text)
    hours = 6 * content["optimum"]["n_params"] * content["optimum"]["n_tokens"] / (989e12 * 0.5 * 3600)
    assert 2 * hours + content["spend"]["dollars_per_query"] * 1e8 == pytest.approx(2000, rel=1e-6)


def test_dollars_under_other_costs_are_spent_in_full(capsys):
    """Sardana's FLOPs of peak weigh as at full use; 2·N·(prompt + k·answer) as at the share that is named."""
    for cost, more, reached in (("sardana", [], 1.0), ("query", ["--serve-utilisation", "0.2"], 0.2)):
        argv = ["plan", "pythia/gsm8k", *DOLLARS, "--prompt-tokens", "500", "--cost", cost, *more, "--json"]
        code, text, _ = out(capsys, *argv)
        content = json.loads(text)
        training = content["spend"]["train_dollars"]
        served = next(value for name, value in content["spend"].items() if name.endswith("per_query"))
        assert code == 0
        assert training + 1e8 * served / (989e12 * reached * 3600) * 2 == pytest.approx(1e5, rel=1e-6)


def test_a_mixture_fits_by_all_its_parameters_and_serves_by_those_used(capsys):
    argv = ["plan", "pythia/gsm8k", "--train-flops", "1e24", "--serve-budget", "100", "--prompt-tokens", "9", "--json"]
    _, dense, _ = out(capsys, *argv, "--sizes", "10B")
    _, sparse, _ = out(capsys, *argv, "--sizes", "10B", "--active-fraction", "0.5")
    assert json.loads(sparse)["cost"]["total_per_active"] == 2
    assert json.loads(sparse)["optimum"]["k"] < json.loads(dense)["optimum"]["k"]
    code, _, err = out(capsys, *argv, "--sizes", "10B", "--active-fraction", "0.1")
    assert code == 2
    assert "does not fit" in err


def test_unique_tokens_reach_plan_and_frontier(capsys):
    code, text, _ = out(capsys, "plan", "pythia/gsm8k", *BUDGET, "--unique-tokens", "20B", "--json")
    best = json.loads(text)["optimum"]
    assert code == 0
    assert best["epochs"] == pytest.approx(best["n_tokens"] / 2e10)
    _, text, _ = out(capsys, "frontier", "pythia/gsm8k", "--train-flops", "1e20,1e21", "--inference-flops", "20B",
                     "--unique-tokens", "20B")  # fmt: skip
    assert "epochs" in text


def test_plan_with_a_strategy():
    from t2scaling.allocate import plan
    from t2scaling.laws import AccuracyLaw, ChinchillaLaw

    law = AccuracyLaw(ChinchillaLaw(4, 400, 0.34, 1200, 0.37), (10, 0.6, 0.9, 1, -0.1))
    noisy = plan(law, train_flops=2.56e19, inference_flops=2e9, strategy="verifier:tpr=.9,fpr=.05")
    assert noisy.metric == noisy.strategy.label
    assert noisy.value < noisy.optimum.pass_at_k
    assert "an oracle would reach" in noisy.sentence()
    assert "verifier:" in json.loads(noisy.to_json())["strategy"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["frontier", "pythia/gsm8k", "--inference-flops", "1000"], "cannot pay for one sample"),
        (
            ["frontier", "pythia/gsm8k", "--train-flops", "5e-324", "--inference-flops", "2e9"],
            "trains not even 1,000 parameters on 1,000 tokens",
        ),
        (["frontier", "pythia/gsm8k", "--train-flops", "1e20,1e30", "--inference-flops", "2e9"], "largest training"),
        (
            [
                "plan",
                "pythia/gsm8k",
                "--train-flops",
                "1e28",
                "--serve-budget",
                "1",
                "--batch",
                "1",
                "--n-range",
                "10T,20T",
                "--prompt-tokens",
                "10",
                "--answer-tokens",
                "10",
            ],
            "smaller ones with `--sizes` or `--n-range`, or more GPUs with `--tp`",
        ),
        (["frontier", "pythia/gsm8k", "--train-flops", "1e11:1e13:100000000"], "100,000,000 budgets"),
        (
            ["frontier", "pythia/gsm8k", "--train-flops", "1e11:1e13:1000", "--inference-flops", "1e9:1e10:1000"],
            "pairs",
        ),
        (["plan", "pythia/gsm8k", "--train-flops", "20x", "--inference-flops", "2e9"], "--train-flops"),
        (["plan", "pythia/gsm8k", *BUDGET, "--batch", "8"], "`--serve-budget` is missing"),
        (["plan", "pythia/gsm8k", *BUDGET, "--cost", "paper", "--tp", "2"], "`--tp` has no place"),
        (["plan", "pythia/gsm8k", *BUDGET, "--cost", "papr"], "did you mean paper"),
        (["plan", "pythia/gsm8k", *BUDGET, "--strategy", "majority"], "`--strategy` = majority"),
    ],
)
def test_more_mistakes(capsys, argv, text):
    code, printed, err = out(capsys, *argv)
    assert code == 2
    assert printed == ""
    assert text in " ".join(err.split())


def test_advice_names_the_option(capsys):
    code, text, _ = out(capsys, "plan", "chinchilla/besiroglu", "--train-flops", "1e9", "--sizes", "1000")
    assert code == 0
    assert "No plan: the law's optimum (1K parameters on 167K tokens) lies" in " ".join(text.split())
    assert "Ask for --extrapolate to have it" in " ".join(text.split())


def test_a_published_law_without_refits_says_why_there_is_no_interval(capsys):
    code, text, _ = out(capsys, "plan", "chinchilla/besiroglu", "--train-flops", "1e21")
    assert code == 0
    assert "No interval: this published law comes without refits" in " ".join(text.split())
