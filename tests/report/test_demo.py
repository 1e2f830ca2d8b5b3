"""The demo and the verbs `report` and `demo`, from the command line to the files."""

from __future__ import annotations

import json
from html import unescape
from importlib import import_module

import numpy as np
import pytest

from t2scaling.cli.main import run
from t2scaling.observations import load_suite
from t2scaling.observations.simulated import TASK_LAWS

# `t2scaling.report` may be the function of that name, once somebody has asked for it.
DEMO = import_module("t2scaling.report.demo")


@pytest.fixture(scope="module")
def simulated_default():
    """The simulated suite, whose law is known, in the place of the one that ships."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DEMO, "load_suite", lambda: load_suite("simulated"))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory, simulated_default):
    folder = tmp_path_factory.mktemp("demo")
    assert run(["demo", "-o", str(folder), "--bootstrap", "4"]) == 0
    return folder


def truth(train_flops: float, inference_flops: float) -> float:
    """N of greatest mean pass@k under the law behind the simulated suite, by brute force over N."""
    N = np.geomspace(1e6, inference_flops / 2, 400)
    D, k = train_flops / (6 * N), inference_flops / (2 * N)
    # Quantiles of the standard normal stand for the questions.
    from scipy.special import ndtri

    z = ndtri((np.arange(400) + 0.5) / 400)
    passed = np.zeros_like(N)
    for law in TASK_LAWS.values():
        nll = law.mean_nll(N, D)[:, None] * np.exp(law.spread * z - law.spread**2 / 2)
        passed += -np.expm1(k[:, None] * np.log1p(-np.exp(-nll))).mean(axis=1)
    return float(N[passed.argmax()])


def test_demo_recommends_close_to_the_truth_behind_the_data(made):
    content = json.loads((made / "plan.json").read_text())
    assert content["train_flops"] == pytest.approx(2.56e19)
    assert content["inference_flops"] == 2e9
    wanted = truth(2.56e19, 2e9)
    assert content["optimum"]["n_params"] == pytest.approx(wanted, rel=0.3)
    assert content["chinchilla"]["n_params"] > 10 * wanted


def test_demo_leaves_fits_plan_and_page(made):
    assert {path.name for path in made.iterdir()} == {
        "fit.json",
        "fit-accuracy.json",
        "fit-loss.json",
        "plan.json",
        "report.html",
    }
    html = (made / "report.html").read_text(encoding="utf-8")
    assert json.loads((made / "plan.json").read_text())["sentence"] in unescape(html)
    assert "simulated data" in html


def test_demo_speaks_to_people(undrawn, simulated_default, tmp_path, capsys):
    assert run(["demo", "-o", str(tmp_path / "d"), "--bootstrap", "0", "--train-flops", "1e19"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Train ")
    assert "Simulated" in said
    assert f"Report: {tmp_path / 'd' / 'report.html'}" in said.replace("\n", "")


def test_demo_on_the_suite_that_ships(undrawn, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(DEMO, "load_suite", load_suite)
    assert run(["demo", "-o", str(tmp_path), "--bootstrap", "0", "--json"]) == 0
    content, suite = json.loads(capsys.readouterr().out), load_suite()
    assert content["simulated"] == (suite.conventions.get("origin") == "simulated")
    best, runs = content["plan"]["optimum"], suite.runs
    assert runs["n_params"].min() <= best["n_params"] <= runs["n_params"].max()
    assert content["plan"]["train_flops"] == pytest.approx(runs["train_flops"].max())


def test_report_from_a_plan_puts_its_fit_first(undrawn, made, tmp_path, capsys):
    fits = [str(made / name) for name in ("fit-loss.json", "fit.json")]
    page = tmp_path / "r.html"
    assert run(["report", *fits, "--plan", str(made / "plan.json"), "-o", str(page), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["plan"]["law"] == "bottleneck"
    assert content["report"] == str(page)
    assert content["recommendation"] in unescape(page.read_text(encoding="utf-8"))


def test_report_from_budgets(undrawn, made, tmp_path, capsys):
    page = tmp_path / "r.html"
    budgets = ["--train-flops", "1e20", "--inference-flops", "4e9"]
    assert run(["report", str(made / "fit-loss.json"), *budgets, "-o", str(page)]) == 0
    assert "Report: " in capsys.readouterr().out
    assert "1e20 training FLOPs" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--train-flops"),
        (["--train-flops", "1e20"], "--inference-flops"),
        (["--plan", "PLAN", "--train-flops", "1e20"], "--train-flops` and `--plan"),
        (["--plan", "PLAN"], "of the bottleneck law"),
        (["--plan", "FIT"], "not a plan.json"),
    ],
)
def test_bad_arguments_get_one_paragraph_and_nothing_is_written(made, tmp_path, capsys, options, message):
    names = {"PLAN": str(made / "plan.json"), "FIT": str(made / "fit-loss.json")}
    page = tmp_path / "r.html"
    code = run(["report", names["FIT"], *[names.get(one, one) for one in options], "-o", str(page)])
    said = capsys.readouterr().err
    assert code == 2
    assert message in said
    assert "Traceback" not in said
    assert not page.exists()


@pytest.mark.parametrize("budget", ["0", "1", "1e30"])
def test_an_absurd_budget_is_refused_before_anything_is_fitted(monkeypatch, tmp_path, capsys, budget):
    monkeypatch.setattr("t2scaling.report.demo.fit", lambda *_, **__: pytest.fail("it was fitted"))
    assert run(["demo", "--train-flops", budget, "-o", str(tmp_path / "out")]) == 2
    assert f"`--train-flops` = {budget} " in capsys.readouterr().err


def test_fits_of_several_tasks_are_refused(made, tmp_path, capsys):
    content = json.loads((made / "fit-loss.json").read_text())
    content["task"] = "other"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    assert run(["report", str(made / "fit-loss.json"), str(other), "--train-flops", "1e20"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "several tasks (macro, other)" in said
    assert "`--compare`" in said
