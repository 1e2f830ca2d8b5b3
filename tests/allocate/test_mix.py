"""A mix of tasks: the plan of the weighted mean, against a brute search, and what cannot be mixed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.allocate.source import Source
from t2scaling.cli.main import run
from t2scaling.errors import ArgumentError
from t2scaling.laws.mix import MixLaw
from t2scaling.strategies import BetaSuccess, parse

HOFFMANN = t2.ChinchillaLaw(1.69, 406.4, 0.34, 410.7, 0.28)
HARD = t2.ChinchillaLaw(2.5, 200, 0.25, 900, 0.33)
PAIRS: dict[str, tuple[Any, Any]] = {
    "accuracy": (
        t2.AccuracyLaw(HOFFMANN, (3.0, 1.5, 0.9, 1.0, -0.1)), t2.AccuracyLaw(HARD, (5.0, 0.8, 0.7, 0.4, -0.3)),
    ),
    "loss": (t2.LossLaw(1, 400, 0.34, 1200, 0.37, 6, 0.2), t2.LossLaw(2, 200, 0.25, 900, 0.33, 3, 0.4)),
}  # fmt: skip
BUDGETS = {"train_flops": 1e20, "inference_flops": 5e9}


def pair(name: str, weights: tuple[float, float] = (2, 1)) -> Source:
    easy, hard = PAIRS[name]
    return t2.mix([Source(easy, task="easy"), Source(hard, task="hard")], weights)


@pytest.mark.parametrize("name", PAIRS)
def test_the_plan_is_the_best_of_a_fine_grid(name: str) -> None:
    found = t2.plan(pair(name), **BUDGETS)
    N = np.geomspace(found.n_params / 30, 2.5e9, 40_001)
    D, k = 1e20 / (6 * N), 5e9 / (2 * N)
    values = [law.predict(N, D, k) for law in PAIRS[name]]
    mean = (2 * values[0] + values[1]) / 3
    best = np.max(mean) if found.metric == "pass_at_k" else np.min(mean)
    at = np.argmax(mean) if found.metric == "pass_at_k" else np.argmin(mean)
    assert found.value == pytest.approx(float(best), rel=1e-9)
    assert found.n_params == pytest.approx(float(N[at]), rel=1e-3)
    wide = np.geomspace(1e7, 1e11, 40_001)
    losses = [law.training_law.predict(wide, 1e20 / (6 * wide)) for law in PAIRS[name]]
    assert found.chinchilla.n_params == pytest.approx(float(wide[np.argmin(2 * losses[0] + losses[1])]), rel=1e-3)
    assert found.task == "easy 0.667 + hard 0.333"


@pytest.mark.parametrize("limits", [{}, {"integer_k": True}, {"sizes": (1e8, 3e8)}, {"max_tokens": 1e10}])
def test_a_mix_of_one_task_with_itself_is_that_task(limits: dict[str, Any]) -> None:
    law = PAIRS["accuracy"][0]
    both = t2.plan(t2.mix([Source(law, task="a"), Source(law, task="b")]), **BUDGETS, **limits)
    alone = t2.plan(law, **BUDGETS, **limits)
    for name in ("n_params", "n_tokens", "k", "value"):
        assert getattr(both, name) == pytest.approx(getattr(alone, name), rel=1e-5)
        assert getattr(both.chinchilla, name) == pytest.approx(getattr(alone.chinchilla, name), rel=1e-5)


@pytest.mark.slow
def test_a_lifetime_budget_is_spent_in_full() -> None:
    life = t2.plan(pair("accuracy"), total_flops=1e21, tokens_served=1e10)
    assert life.optimum.train_flops + life.k * 2 * life.n_params * 1e10 == pytest.approx(1e21, rel=1e-6)


def test_a_verifier_stays_below_the_oracle() -> None:
    verified = t2.plan(pair("accuracy"), strategy="verifier:tpr=.9,fpr=.05", **BUDGETS)
    assert verified.value < verified.optimum.pass_at_k


@pytest.mark.parametrize("text", ["oracle", "all", "verifier:tpr=.9,fpr=.05"])
def test_a_strategy_s_value_of_a_mix_is_the_mean_of_the_tasks(text: str) -> None:
    strategy, law = parse(text), pair("accuracy").law
    parts = [float(strategy.value(one.success(1e8, 1e10), 7.0)) for one in PAIRS["accuracy"]]
    assert float(strategy.value(law.success(1e8, 1e10), 7.0)) == pytest.approx((2 * parts[0] + parts[1]) / 3, rel=1e-9)
    assert isinstance(PAIRS["accuracy"][0].success(1e8, 1e10), BetaSuccess)


def test_more_weight_on_a_task_moves_the_plan_towards_it() -> None:
    alone = [t2.plan(law, **BUDGETS).n_params for law in PAIRS["accuracy"]]
    mixed = [t2.plan(pair("accuracy", (w, 1)), **BUDGETS).n_params for w in (100, 1, 0.01)]
    assert alone[0] < mixed[0] < mixed[1] < mixed[2] < alone[1] or alone[0] > mixed[0] > mixed[1] > mixed[2] > alone[1]


def test_what_cannot_be_mixed() -> None:
    accuracy, loss = PAIRS["accuracy"][0], PAIRS["loss"][0]
    for laws, weights, says in (
        ((accuracy, loss), (1, 1), "several laws"),
        ((accuracy, accuracy), (1,), "`weights` = 1"),
        ((accuracy, accuracy), (1, 0), "above zero"),
        ((replace(loss, target="neg_log_mean"),) * 2, (1, 1), "no mean over tasks"),
    ):
        with pytest.raises(ArgumentError, match=says):
            MixLaw(laws, weights)
    with pytest.raises(ArgumentError, match="each task once"):
        t2.mix([Source(accuracy, task="a"), Source(accuracy, task="a")])
    far = [Source(accuracy, task=name, support={"N": ends}) for name, ends in (("a", (1, 2)), ("b", (3, 4)))]  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="do not meet"):
        t2.mix(far)


def test_the_command_weighs_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = t2.load_suite("simulated")
    fits = [t2.fit(suite, law="accuracy", task=task, k=[1, 4, 16], bootstrap=5, seed=1) for task in suite.tasks[:2]]
    paths = [str(fit.save(tmp_path / f"{fit.task}.json")) for fit in fits]
    budget = ["--train-flops", "1e20", "--inference-flops", "2e9"]
    assert run(["plan", *paths, "--weights", "3,1", *budget, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    made = t2.plan(t2.mix(fits, [3, 1]), train_flops=1e20, inference_flops=2e9)
    assert said["optimum"]["n_params"] == pytest.approx(made.n_params, rel=1e-9)
    low, high = said["optimum"]["interval"]["n_params"]
    assert low <= high
    assert run(["plan", paths[0], "--weights", "1,2", *budget]) == 2
    assert "`--weights`" in capsys.readouterr().err
