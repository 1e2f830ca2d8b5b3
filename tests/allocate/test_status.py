"""How a plan stands: inside, at a limit, outside, without an optimum; and what it keeps and says."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from t2scaling.allocate import Plan, PlanStatus, frontier, plan, replan
from t2scaling.allocate.plan import REACH
from t2scaling.allocate.source import Source
from t2scaling.costs import QueryCost, Serving
from t2scaling.errors import ArgumentError, DataError, FitError, T2Error
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, Curves, FitStatus, LossLaw, fit
from t2scaling.laws.support import Support

LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
ACCURACY = AccuracyLaw(ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37), (10, 0.6, 0.9, 1, -0.1))
BUDGET = {"train_flops": 2.56e19, "inference_flops": 2e9}  # LOSS: N 12.6M, D 339B, k 79, D/N 26,930
AROUND = {"N": (1e6, 1e9), "D": (1e9, 1e12), "k": (1.0, 200.0)}


def seen(**ranges):
    return Source(LOSS, task="t", support=Support(AROUND | ranges))


@pytest.fixture(scope="module")
def fitted():
    """The law of success, fitted to what it says of 30 runs."""
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(1e6, 1e8, 6), np.geomspace(1e9, 1e11, 5)))
    k = np.array([1.0, 4, 16, 64])
    passed = ACCURACY.predict(N[:, None], D[:, None], k)
    names = tuple(f"r{i}" for i in range(N.size))
    chance = np.array([[0.0, 0.25], [0.5, 0.5]])
    curves = Curves(
        "t", names, N, D, k, -np.log(passed), passed, np.full(passed.shape, 0.01), "neg_log_mean", chance=chance
    )
    return fit(curves, law="accuracy", quality=False)


def test_inside_is_an_optimum():
    best = plan(seen(), **BUDGET)
    assert best.status is PlanStatus.OPTIMUM
    assert best.distance == 0
    assert best.within_data.n_params == pytest.approx(best.n_params, rel=1e-6)
    assert best.sentence().startswith("Train 12.6M parameters")


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        ({"n_range": (2e7, 1e9)}, "least"),
        ({"n_range": (1e6, 5e6)}, "greatest"),
        ({"max_tokens": "100B"}, "capped"),
        ({"sizes": ["30M", "100M"]}, "smallest that `sizes` holds"),
    ],
)
def test_a_limit_that_decides_is_a_status(limits, word):
    best = plan(seen(), **BUDGET, **limits)
    assert best.status is PlanStatus.AT_A_LIMIT
    assert any(word in text for text in best.warnings)


def test_a_single_sample_is_a_limit():
    best = plan(Source(LOSS), train_flops=1e24, inference_flops=4e3)
    assert best.k == pytest.approx(1)
    assert best.status is PlanStatus.AT_A_LIMIT


def test_somewhat_outside_is_said_first_and_the_data_s_own_plan_stands_beside():
    best = plan(seen(D=(1e9, 1e11)), **BUDGET)
    assert best.status is PlanStatus.OUTSIDE
    assert best.distance == pytest.approx(math.log(best.n_tokens / 1e11))
    assert best.trusted
    assert best.sentence().startswith("By extrapolation: train 12.6M parameters")
    assert "Within what was measured: train" in best.sentence()
    assert best.within_data.n_tokens <= 1e11 * (1 + 1e-9)


def test_the_plan_within_the_data_is_the_best_of_all_that_lie_there():
    ranges = {"D": (1e9, 1e11), "tokens_per_param": (10.0, 3000.0), "k": (1.0, 20.0), "train_flops": (1e16, 1e19)}
    within = plan(seen(**ranges), **BUDGET).within_data
    N = np.geomspace(1e6, 1e9, 200_001)
    D = np.minimum.reduce([2.56e19 / (6 * N), 1e19 / (6 * N), np.full_like(N, 1e11), 3000 * N])
    k = np.minimum(1e9 / N, 20)
    ok = (D >= 1e9) & (10 * N <= D) & (k >= 1)
    assert within.value <= LOSS.predict(N[ok], D[ok], k[ok]).min() + 1e-7
    assert not Support(AROUND | ranges).outside(within.n_params, within.n_tokens, within.k)


def test_far_outside_there_is_no_headline_but_a_run_that_would_help():
    source = seen(D=(1e9, 1e10))
    best = plan(source, **BUDGET)
    assert best.distance > REACH
    text = best.sentence()
    assert text.startswith("No plan: the law's optimum (12.6M parameters on 339B tokens) lies 34× beyond")
    assert "Within what was measured: train" in text
    assert "A run of " in text
    asked = plan(source, **BUDGET, extrapolate=True)
    assert asked.sentence().startswith("By extrapolation: train 12.6M")
    assert (asked.n_params, asked.status) == (best.n_params, PlanStatus.OUTSIDE)


def test_no_optimum_has_no_numbers_and_the_frontier_says_the_same():
    runaway = LossLaw(E=1, A=1e-9, alpha=0.3, B=1200, beta=0.37, G=600, gamma=0.2)
    best = plan(Source(runaway, support=Support(AROUND)), **BUDGET)
    assert best.status is PlanStatus.NO_OPTIMUM
    assert not best.optimum.exists
    assert best.spend == {}
    assert best.break_even is None
    assert best.sentence().startswith("No plan")
    inside = best.within_data
    assert not Support(AROUND).outside(inside.n_params, inside.n_tokens, inside.k)
    line = frontier(runaway, train_flops=[1e19, 1e20], inference_flops=2e9)
    assert np.isnan(line.n_params).all()
    assert any("ever smaller models" in text for text in line.warnings)


def test_sizes_may_be_text():
    budget = {"train_flops": "1e19", "inference_flops": "2e9"}
    listed = plan(LOSS, **budget, sizes=[1e7, 1e8, 1e9], n_range=(2e7, 2e9))
    assert plan(LOSS, **budget, sizes="10M,100M,1B", n_range="20M,2B") == listed


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"train_flops": "20x", "inference_flops": 2e9}, "`train_flops` = '20x'"),
        ({"train_flops": 1e30, "inference_flops": 2e9}, "`train_flops` = 1e30 is over a hundred times"),
        ({"train_flops": 1, "inference_flops": 2e9}, "`train_flops` = 1e0 trains not even"),
        ({"total_flops": 1e30, "tokens_served": 1e9}, "`total_flops` = 1e30"),
        ({"total_flops": 1e20, "tokens_served": 1e308}, "`tokens_served` = 1e308 is beyond all reason"),
        ({"train_flops": 1e20, "inference_flops": 1e308}, "`inference_flops` = 1e308 is beyond all reason"),
        ({**BUDGET, "max_tokens": 10}, "`max_tokens` = 10 is no training set"),
        ({**BUDGET, "n_range": ("1B", "many")}, "`n_range` = 'many'"),
        ({**BUDGET, "cost": QueryCost(70, 215)}, "`serve_budget` is missing"),
        ({**BUDGET, "strategy": "orakle"}, "did you mean oracle"),
        ({**BUDGET, "strategy": 3}, "`strategy` = 3 must be one of .*oracle"),
        ({**BUDGET, "cost": "paper"}, "`cost` = 'paper' must be a cost model"),
        ({**BUDGET, "level": "high"}, "`level` = 'high' must lie"),
        ({**BUDGET, "sizes": 5}, "`sizes` = 5 must be a list"),
        ({**BUDGET, "sizes": "1B,many"}, "`sizes` = 1B,many: `many` is not a number"),
        ({**BUDGET, "n_range": 5}, "`n_range` = 5 must be a list"),
        ({**BUDGET, "sizes": [1e308]}, "`sizes` holds 1e\\+308: every size"),
        ({**BUDGET, "sizes": [5e-324]}, "`sizes` holds 4.94066e-324: every size"),
        ({**BUDGET, "n_range": (1e300, 1e308)}, "`n_range` = 1e\\+300,1e\\+308 must be two sizes"),
        ({**BUDGET, "n_range": "1B"}, "`n_range` = '1B' must be two sizes"),
        ({**BUDGET, "train_flops": [1e20]}, "`train_flops` = .1e\\+20.: give a number"),
        ({**BUDGET, "strategy": "verifier:tpr=.9,fpr=.05"}, "which the loss law does not know"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(ArgumentError, match=text):
        plan(LOSS, **arguments)


def test_python_takes_names_paths_and_text(tmp_path, fitted):
    named = plan("pythia/gsm8k", train_flops="1e20", inference_flops="2B", max_tokens="100B", n_range=("100M", "1B"))
    assert named.task == "gsm8k"
    assert named.n_tokens <= 1e11
    fitted.save(tmp_path / "fit.json")
    assert plan(tmp_path / "fit.json", **BUDGET).task == "t"
    with pytest.raises(DataError, match="nothing"):
        plan(str(tmp_path / "nothing.json"), **BUDGET)


def test_replan_keeps_limits_cost_and_strategy(fitted):
    cost = QueryCost(prompt_tokens=70, answer_tokens=215)
    given = {"max_tokens": 3e10, "integer_k": True, "n_range": (1e6, 1e9), "cost": cost}
    first = plan(fitted, train_flops=1e19, serve_budget=1e12, strategy="verifier:tpr=.9,fpr=.05", **given)
    again = replan(fitted, first)
    assert again.to_json() == first.to_json()
    assert again.cost == cost
    assert again.k == round(again.k)
    other = replan(fitted, first, train_flops=1e20)
    assert other.limits == first.limits
    assert other.budget["train_flops"] == 1e20


def test_plan_json_comes_back_whole(tmp_path, fitted):
    for cost, budget in ((Serving(prompt_tokens=100, answer_tokens=50), 1e-3), (QueryCost(70, 215), 1e11)):
        made = plan(fitted, train_flops=1e19, serve_budget=budget, cost=cost, sizes=[1e6, 1e7, 1e8], max_tokens=5e10)
        again = Plan.load(made.save(tmp_path / "plan.json"))
        assert again.to_json() == made.to_json()
        assert again.limits == made.limits
        assert again.measured == made.measured


def test_an_old_plan_is_refused_with_the_command_that_makes_it_anew(tmp_path):
    old = {"law": "loss", "task": "t", "train_flops": 2.56e19, "inference_flops": 2e9, "optimum": {}, "chinchilla": {}}
    (tmp_path / "plan.json").write_text(json.dumps(old))
    with pytest.raises(
        DataError, match=r"t2 plan fit.json --train-flops 2.56e\+19 --inference-flops 2e\+09 -o plan.json"
    ):
        Plan.load(tmp_path / "plan.json")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"limits": {"sizes": [-1]}},
        {"cost": {"name": "x"}},
        {"support": 3},
        {"optimum": {"n_params": 5e-324}},
    ],
)
def test_a_damaged_plan_is_one_paragraph(tmp_path, change):
    whole = json.loads(plan(LOSS, **BUDGET).to_json())
    content = whole | {key: whole[key] | new if key == "optimum" else new for key, new in change.items()}
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(T2Error, match=r"plan\.json"):
        Plan.load(tmp_path / "plan.json")


def test_the_runs_behind_a_plan_stand_beside_it(fitted):
    best = plan(fitted, train_flops=1e19, inference_flops=1e9)
    curves, near = fitted.curves, best.measured
    k = np.minimum(1e9 / (2 * curves.N), 64)
    able = (6 * curves.N * curves.D <= 1e19) & (k >= 1)
    truth = np.where(able, ACCURACY.predict(curves.N, curves.D, np.maximum(k, 1)), 0)
    assert near.best.run_id == curves.run_id[int(np.argmax(truth))]
    assert near.best.measured == pytest.approx(truth.max(), rel=2e-2)  # between two k it is interpolated
    assert near.best.predicted == pytest.approx(near.best.measured, rel=2e-2)
    away = np.hypot(np.log(curves.N / best.n_params), np.log(curves.D / best.n_tokens))
    assert near.nearest.run_id == curves.run_id[int(np.argmin(away))]
    predicted, measured = near.advantage() or (0.0, 0.0)
    assert predicted == pytest.approx(measured, abs=0.02)


def test_a_run_is_not_extrapolated_in_k(fitted):
    best = plan(fitted, train_flops=1e19, inference_flops=1e12)
    assert best.measured.best.k == 64


def test_guessing_at_the_plan_s_k(fitted):
    best = plan(fitted, train_flops=1e19, inference_flops=1e9)
    assert best.guessing == pytest.approx(0.5 * (1 - 0.75**best.k))
    assert any(text.startswith("Guessing alone would pass") for text in best.warnings)
    silent = replace(fitted, curves=replace(fitted.curves, chance=None))
    assert math.isnan(plan(silent, train_flops=1e19, inference_flops=1e9).guessing)


def test_nothing_is_planned_with_a_fit_that_failed(fitted):
    with pytest.raises(FitError, match="nothing can be planned") as error:
        plan(replace(fitted, status=FitStatus.POOR), **BUDGET)
    assert error.value.exit_code == 1


def test_near_optimal_plans_hold_the_best(fitted):
    best = plan(fitted, train_flops=1e19, inference_flops=1e9)
    low, high = best.near_optimal["n_params"]
    assert low < best.n_params < high
    edge = ACCURACY.predict(np.array([low, high]), 1e19 / (6 * np.array([low, high])), 5e8 / np.array([low, high]))
    assert best.value - edge.min() < 0.02
    assert "As good, within what can be told" in " ".join(_lines(best))


def test_other_laws_and_ranges_of_k_spread_the_plan(fitted):
    alone = plan(fitted, train_flops=1e19, inference_flops=1e9)
    assert alone.spread == {}
    refitted = plan(fitted, train_flops=1e19, inference_flops=1e9, refit=True)
    low, high = refitted.spread["n_params"]
    assert low <= refitted.n_params <= high
    assert high / low < 1.1  # the data are the law's own, so that a cut of k changes little


def _lines(best):
    from t2scaling.allocate.words import evidence_lines

    return evidence_lines(best)


def test_short_and_escaped_views(fitted):
    best = plan(fitted, train_flops=1e19, inference_flops=1e9)
    assert len(repr(best)) < 200
    assert "status" not in repr(frontier(fitted, train_flops=[1e18, 1e19], inference_flops=1e9))
    named = replace(best, within_data=None, task="<b>")
    assert "<b>" not in named._repr_html_()
    assert best.to_frame()["plan"].to_list() == ["optimum", "within data", "chinchilla"]


def test_the_interval_of_a_strategy_is_of_its_value():
    named = {"train_flops": 1e21, "inference_flops": 2e10, "strategy": "verifier:tpr=.9,fpr=.2"}
    made = plan("pythia/gsm8k-accuracy", **named)
    low, high = made.interval["value"]
    assert low <= made.value <= high
    assert high < made.optimum.pass_at_k
