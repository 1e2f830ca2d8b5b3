"""The page's own planner, run by node: equal to the library to six digits and more."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special
from scipy.stats import norm

import t2scaling as t2
from t2scaling.allocate.sentence import format_samples
from t2scaling.allocate.source import Source
from t2scaling.costs import GPUS, Serving
from t2scaling.laws.solvers.beta import log_beta_fail
from t2scaling.report.planner import planner_data, script
from t2scaling.strategies import BetaSuccess, parse
from t2scaling.units import format_flops, format_number

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed: the page's script is not run")
DRIVER = Path(__file__).parent / "planner_driver.mjs"
CHINCHILLA = t2.ChinchillaLaw(1.69, 406.4, 0.34, 410.7, 0.28)
LAWS = {
    "chinchilla": CHINCHILLA,
    "loss": t2.LossLaw(1.0, 400, 0.34, 1200, 0.37, 6, 0.2),
    "accuracy": t2.AccuracyLaw(loss=CHINCHILLA, theta=(3.0, 1.5, 0.9, 1.0, -0.1)),
    "naive": t2.NaiveLaw(loss=CHINCHILLA, theta=(3.0, 1.5, 0.6)),
    "bottleneck": t2.laws.BottleneckLaw(t2.ChinchillaLaw(0, 400, 0.34, 1200, 0.37), 0.6, (0.5, 1.6, 0.95, 0.6, -0.2)),
}


def ask(questions: list[dict[str, Any]]) -> list[Any]:
    """The driver's answers."""
    text = json.dumps(questions, default=float).replace("Infinity", '"Infinity"')
    done = subprocess.run([str(NODE), str(DRIVER)], input=text, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def as_page(law: Any) -> dict[str, Any]:
    """The law as the page holds it."""
    parameters = law.parameters
    theta = [parameters[f"theta{i}"] for i in range(5) if f"theta{i}" in parameters]
    more = {key: parameters[key] for key in ("G", "gamma") if key in parameters}
    return {"name": law.name, "training": law.training_law.parameters, "theta": theta, **more}


def same(page: dict[str, Any] | None, library: Any, digits: float = 1e-6) -> None:
    assert page is not None
    for theirs, ours in (("N", "n_params"), ("D", "n_tokens"), ("k", "k"), ("value", "value")):
        expected = getattr(library, ours)
        if np.isnan(expected):
            assert page[theirs] is None
        else:
            assert page[theirs] == pytest.approx(expected, rel=digits), (theirs, ours)


@pytest.mark.parametrize("name", LAWS)
def test_two_budgets(name: str, rng: np.random.Generator) -> None:
    law = LAWS[name]
    train, serve = 10 ** rng.uniform(17, 23, 10), 10 ** rng.uniform(8.5, 12, 10)
    limits: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"sizes": [1e7, 1e8, 1e9]}, {"sizes": (1e7, 1e8, 1e9)}),
        ({"maxTokens": 2e11}, {"max_tokens": 2e11}),
        ({"integerK": True}, {"integer_k": True}),
        ({"nRange": [1e7, 3e8]}, {"n_range": (1e7, 3e8)}),
    ]
    asked, expected = [], []
    for i, (C, S) in enumerate(zip(train, serve, strict=True)):
        theirs, ours = limits[i % len(limits)]
        asked.append(
            {"kind": "plan", "law": as_page(law), "cost": {"name": "paper"}, "budget": {"train": C, "serve": S},
             "limits": theirs, "strategy": {"name": "oracle"}}
        )  # fmt: skip
        expected.append(t2.plan(law, train_flops=C, inference_flops=S, **ours))
    for page, plan in zip(ask(asked), expected, strict=True):
        same(page["best"], plan.optimum)
        same(page["rival"], plan.chinchilla)


@pytest.mark.parametrize("name", ["loss", "accuracy", "bottleneck"])
def test_a_mix_of_tasks(name: str) -> None:
    """The weighted mean over two tasks, with limits and a verifier."""
    law = LAWS[name]
    shifted = {key: value * (1.2 if key in ("E", "theta0", "B") else 1) for key, value in law.parameters.items()}
    other = type(law).from_vector(list(shifted.values()), getattr(law, "target", None))
    mix = t2.mix([Source(law, task="a"), Source(other, task="b")], [3, 1])
    parts = [as_page(one) for one in (law, other)]
    page_law = {
        "name": "mix", "parts": parts, "weights": [0.75, 0.25], "training": [one["training"] for one in parts],
    }  # fmt: skip
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}), ({"integerK": True}, {"integer_k": True}), ({"sizes": [1e7, 1e8]}, {"sizes": (1e7, 1e8)}),
    ]  # fmt: skip
    strategies = [({"name": "oracle"}, "oracle")]
    strategies += [] if name == "loss" else [({"name": "verifier", "tpr": 0.9, "fpr": 0.05}, "verifier:tpr=.9,fpr=.05")]
    asked, expected = [], []
    for theirs, ours in cases:
        for strategy, text in strategies:
            asked.append(
                {"kind": "plan", "law": page_law, "cost": {"name": "paper"}, "budget": {"train": 1e20, "serve": 4e9},
                 "limits": theirs, "strategy": strategy}
            )  # fmt: skip
            expected.append(t2.plan(mix, train_flops=1e20, inference_flops=4e9, strategy=text, **ours))
    for page, plan in zip(ask(asked), expected, strict=True):
        same(page["best"], plan.optimum, 2e-6)
        same(page["rival"], plan.chinchilla, 2e-6)


@pytest.mark.parametrize("name", ["loss", "accuracy", "bottleneck"])
def test_lifetime_budgets(name: str) -> None:
    law = LAWS[name]
    asked = [
        {"kind": "plan", "law": as_page(law), "cost": {"name": "paper"}, "budget": {"total": total, "served": served},
         "limits": {"integerK": whole}, "strategy": {"name": "oracle"}}
        for total, served, whole in ((1e20, 1e10, False), (1e23, 1e12, False), (1e21, 1e12, True))
    ]  # fmt: skip
    for page, one in zip(ask(asked), asked, strict=True):
        budget, whole = one["budget"], one["limits"]["integerK"]
        plan = t2.plan(law, total_flops=budget["total"], tokens_served=budget["served"], integer_k=whole)
        same(page["best"], plan.optimum, 2e-6)
        assert page["rival"]["value"] == pytest.approx(plan.chinchilla.value, rel=1e-6)
        assert page["rival"]["N"] == pytest.approx(plan.chinchilla.n_params, rel=1e-4)  # flat along the share


def test_the_serving_cost_is_the_library_s(rng: np.random.Generator) -> None:
    """Through the k that a plan at a fixed size affords: the whole cost model turned round."""
    data = planner_data_of("accuracy")
    asked, expected = [], []
    for N in (2e8, 1.5e9, 8e9):
        for gpu, precision, batch in (("h100", "fp8", "max"), ("a100", "bf16", 32), ("h200", "bf16", "max")):
            serve = Serving(
                gpu=gpu, weights=precision, prompt_tokens=500, answer_tokens=300, batch=batch,
                unit="dollars", dollars_per_hour=2.5,
            )  # fmt: skip
            budget = float(serve.serve(N, 1.0)) * float(rng.uniform(2, 50))
            settings = {
                **data["serving"], "constants": data["constants"], "unit": "dollars", "prompt_tokens": 500,
                "answer_tokens": 300, "batch": batch, "dollars_per_hour": 2.5,
                "bytes": {"weights": data["serving"]["precisions"][precision], "cache": 2},
            }  # fmt: skip
            chip = {**data["gpus"][gpu], "peak": data["gpus"][gpu]["peak"][precision]}
            asked.append(
                {"kind": "plan", "law": as_page(LAWS["accuracy"]), "budget": {"train": 1e21, "serve": budget},
                 "cost": {"name": "serving", "settings": settings, "chip": chip, "rule": data["rule"]},
                 "limits": {"sizes": [N]}, "strategy": {"name": "oracle"}}
            )  # fmt: skip
            expected.append(float(serve.samples(N, budget)))
    for page, k in zip(ask(asked), expected, strict=True):
        assert page["best"]["k"] == pytest.approx(k, rel=1e-9)


def planner_data_of(name: str) -> dict[str, Any]:
    """What a page of a small fit holds."""
    observations = t2.load_suite("simulated")
    fit = t2.fit(observations, law=name, task=observations.tasks[0], k=[1, 4, 16])
    plan = t2.plan(fit, train_flops=2.56e19, inference_flops=2e9)
    return json.loads(json.dumps(planner_data([fit], plan, 2e9), default=lambda array: array.tolist()))


@pytest.mark.parametrize("text", ["oracle", "all", "verifier:tpr=.9,fpr=.05", "verifier:auc=.8"])
def test_strategies(text: str) -> None:
    strategy = parse(text)
    settings = {"name": strategy.name, **{key: value for key, value in vars(strategy).items() if value is not None}}
    cases = [(0.3, 4.0, 30.0), (2.0, 3.0, 5.0), (0.05, 0.7, 200.0), (1.0, 1.0, 1.0)]
    found = ask([{"kind": "strategy", "strategy": settings, "a": a, "b": b, "k": k} for a, b, k in cases])
    expected = [float(strategy.value(BetaSuccess(a, b), k)) for a, b, k in cases]
    assert found == pytest.approx(expected, rel=2e-6)


def test_special_functions() -> None:
    a, b, k = np.meshgrid([1e-6, 0.3, 5.0, 1e4], [1e-3, 0.9, 40.0, 1e6], [1.0, 7.5, 1e5], indexing="ij")
    rows = np.stack([a.ravel(), b.ravel(), k.ravel()], axis=1).tolist()
    x = [-12.0, -3.5, -3.0, -1.0, -1e-3, 0.0, 0.5, 2.9, 8.0]
    fail, cdf, gamma = ask(
        [
            {"kind": "special", "name": "logBetaFail", "args": rows},
            {"kind": "special", "name": "normalCdf", "args": [[value] for value in x]},
            {"kind": "special", "name": "logGamma", "args": [[0.01], [1.5], [9.9], [1e5]]},
        ]
    )
    np.testing.assert_allclose(fail, log_beta_fail(*np.array(rows).T), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(cdf, norm.cdf(x), rtol=1e-12)
    np.testing.assert_allclose(gamma, special.gammaln([0.01, 1.5, 9.9, 1e5]), rtol=1e-12)


def test_numbers_are_written_alike() -> None:
    values = [0.0, 1.0, 2.5, 999.96, 12345.6, 1e6, 7.04e9, 2.56e12, 1.2e15, 3.4e19]
    numbers, flops, samples, read = ask(
        [
            {"kind": "format", "name": "formatNumber", "args": values},
            {"kind": "format", "name": "formatFlops", "args": values[1:]},
            {"kind": "format", "name": "formatSamples", "args": values[1:]},
            {
                "kind": "format",
                "name": "parseNumber",
                "args": ["1e22", "7B", "2T", "350M", "1,000", ".5", "1,00", "3x", ""],
            },
        ]
    )
    assert numbers == [format_number(value) for value in values]
    assert flops == [format_flops(value) for value in values[1:]]
    assert samples == [format_samples(value) for value in values[1:]]
    assert read == [1e22, 7e9, 2e12, 3.5e8, 1000, 0.5, None, None, None]


def test_settings_survive_the_address_and_become_a_command() -> None:
    start = planner_data_of("accuracy")["start"]
    state = {
        **start,
        "train": 3e20,
        "mode": "gpu",
        "gpu": "h200",
        "strategy": "verifier",
        "integerK": True,
        "sizes": "100M, 1B",
    }
    back, command, life = ask(
        [
            {"kind": "fragment", "state": state, "start": start},
            {"kind": "command", "state": state, "files": ["my fit.json"]},
            {"kind": "command", "state": {**start, "mode": "life", "weights": "2 1"}, "files": ["a.json", "b.json"]},
        ]
    )
    assert back == state
    assert command.startswith("t2 plan 'my fit.json' --train-flops 3e20 --gpu h200")
    assert "--strategy verifier:tpr=0.9,fpr=0.05" in command
    assert "--sizes 1e8,1e9" in command
    assert life.startswith("t2 plan a.json b.json --weights 2,1 --total-flops 5.12e19 --tokens-served ")


def test_the_script_is_one_scope_without_imports() -> None:
    code = script()
    assert "import " not in code.replace("@typedef {import", "").replace("@param {import", "").replace("{import(", "")
    assert "\nexport " not in code
    done = subprocess.run([str(NODE), "--check", "-"], input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(code) < 100_000
    assert set(GPUS) >= {"h100", "h200"}
