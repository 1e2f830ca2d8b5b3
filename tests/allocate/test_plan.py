"""Plans: what they say beside the optimum, and what they refuse."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from t2scaling.allocate import Budget, Plan, PlanStatus, frontier, plan
from t2scaling.allocate.source import Source
from t2scaling.costs import Price
from t2scaling.errors import DataError, T2Error
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw, PublishedLaw, load_law
from t2scaling.laws.result import Bootstrap

LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
ACCURACY = AccuracyLaw(ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37), (10, 0.6, 0.9, 1, -0.1))
NAIVE = NaiveLaw(ACCURACY.loss, (10, 0.6, 0.9))
BUDGET = {"train_flops": 2.56e19, "inference_flops": 2e9}
LAWS = pytest.mark.parametrize("law", [LOSS, ACCURACY, NAIVE], ids=lambda law: law.name)


@LAWS
def test_json_is_as_documented(law):
    content = json.loads(plan(law, **BUDGET).to_json())
    assert content["law"] == law.name
    assert content["task"] is None
    assert (content["train_flops"], content["inference_flops"]) == (2.56e19, 2e9)
    head = {"n_params", "n_tokens", "k", "tokens_per_param", "value"}
    assert head | {"metric", "interval"} <= set(content["optimum"])
    assert head <= set(content["chinchilla"])
    assert content["optimum"]["metric"] == law.metric
    assert content["optimum"]["interval"] == {}
    assert content["warnings"] == []


@LAWS
def test_save_and_load(law, tmp_path):
    best = plan(law, train_flops=1e24, inference_flops=2e9)  # Chinchilla affords k < 1: a NaN on the way
    again = Plan.load(best.save(tmp_path / "plan.json"))
    assert math.isnan(again.chinchilla.value)
    assert again.to_json() == best.to_json()
    assert again.sentence() == best.sentence()


@pytest.mark.parametrize("text", ["{", "[]", '{"law": "loss"}', "\xff"])
def test_load_refuses_other_files(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"x\.json"):
        Plan.load(tmp_path / "x.json")


@LAWS
def test_optimum_is_no_worse_than_chinchilla(law):
    best = plan(law, **BUDGET)
    assert best.chinchilla.n_params == pytest.approx(float(law.training_law.optimum(2.56e19)[0]))
    assert best.chinchilla.k == pytest.approx(2e9 / (2 * best.chinchilla.n_params))
    better = best.value >= best.chinchilla.value if law.metric == "pass_at_k" else best.value <= best.chinchilla.value
    assert better
    assert best.value == pytest.approx(float(law.predict(best.n_params, best.n_tokens, best.k)))


def test_chinchilla_below_one_sample_has_no_value():
    best = plan(LOSS, train_flops=1e24, inference_flops=2e9)
    assert best.chinchilla.k < 1
    assert math.isnan(best.chinchilla.value)
    assert json.loads(best.to_json())["chinchilla"]["value"] is None
    assert any("less than one" in text for text in best.warnings)
    assert "could not afford one sample" in best.sentence()


def test_chinchilla_of_a_lifetime_is_the_best_split():
    """Of all compute-optimally trained models, none does better with what its training leaves for samples."""
    best = plan(LOSS, total_flops=1e22, tokens_served=1e12)
    share = np.geomspace(1e-7, 1, 20001)[:-1] * 1e22
    N = LOSS.training_law.optimal_params(share / 6)
    D = share / (6 * N)
    k = (1e22 / (2 * N) - 3 * D) / 1e12
    values = np.where(k >= 1, LOSS.predict(N, D, np.maximum(k, 1)), np.inf)
    assert best.chinchilla.value <= values.min() + 1e-12
    assert best.chinchilla.value == pytest.approx(values.min(), abs=1e-6)
    assert best.value < best.chinchilla.value


def rivals(law, best, count=4001):
    """Training and per-token FLOPs of Chinchilla-trained models that reach the plan's quality, by bisection in k."""
    flops = best.optimum.train_flops * np.geomspace(1e-6, 1, count)[:-1]
    N = law.training_law.optimal_params(flops / 6)
    D = flops / (6 * N)
    low, high = np.zeros(count - 1), np.full(count - 1, 30.0)
    sign = -1 if law.metric == "pass_at_k" else 1
    for _ in range(80):
        middle = (low + high) / 2
        short = sign * (law.predict(N, D, np.exp(middle)) - best.value) > 0
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    reached = high < 29
    return flops[reached], (2 * N * np.exp(high))[reached]


@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
@pytest.mark.parametrize(
    "budget", [BUDGET, {"train_flops": 1e20, "inference_flops": 1e11}, {"total_flops": 1e21, "tokens_served": 1e11}]
)
def test_break_even_against_brute_force(law, budget):
    best = plan(law, **budget)
    training, serving = rivals(law, best)

    def cheaper(served):
        own = best.optimum.train_flops + best.optimum.inference_flops * served
        return own <= np.min(training + serving * served) * (1 + 1e-9)

    assert cheaper(best.break_even * 1.001)
    assert not cheaper(best.break_even * 0.99)
    assert best.break_even <= best.matched_tokens


@LAWS
def test_matched_tokens_close_the_circle(law):
    """A plan under two budgets is the lifetime plan for its matched tokens, and a lifetime plan matches its own."""
    best = plan(law, train_flops=1e20, inference_flops=1e10)
    served = best.matched_tokens
    total = best.optimum.train_flops + best.optimum.inference_flops * served
    again = plan(law, total_flops=total, tokens_served=served)
    assert again.n_params == pytest.approx(best.n_params, rel=1e-6)
    assert again.k == pytest.approx(best.k, rel=1e-6)
    assert again.matched_tokens == pytest.approx(served, rel=1e-6)


def test_break_even_where_samples_do_not_help():
    law = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=1e-12, gamma=0.2)
    best = plan(law, train_flops=1e21, inference_flops=1e12)
    assert best.n_params == pytest.approx(best.chinchilla.n_params, rel=1e-6)
    assert best.break_even < 1e-3 * best.n_tokens
    assert plan(law.training_law, train_flops=1e21).break_even is None


def bootstrapped(law, samples, target=None):
    return PublishedLaw("test/law", law, "arXiv", "task", bootstrap=Bootstrap(type(law), samples, "runs", target))


def test_interval_holds_the_share_of_bootstrap_plans(rng):
    centre = np.array(list(LOSS.parameters.values()))
    samples = centre * rng.lognormal(0, 0.02, (60, centre.size))
    fitted = bootstrapped(LOSS, samples, "mean_neg_log")
    best = plan(fitted, **BUDGET, level=0.8)
    each = [plan(law, **BUDGET) for law in fitted.bootstrap.laws()]
    for name in ("n_params", "n_tokens", "k", "tokens_per_param", "value"):
        expected = np.percentile([getattr(one, name) for one in each], [10, 90])
        assert best.interval[name] == pytest.approx(expected, rel=1e-9)
    assert best.level == 0.8
    assert json.loads(best.to_json())["optimum"]["interval"]["k"] == pytest.approx(list(best.interval["k"]))


def test_interval_counts_laws_without_an_optimum():
    samples = np.tile(list(LOSS.parameters.values()), (10, 1))
    samples[:3, 1] = 0
    best = plan(bootstrapped(LOSS, samples, "mean_neg_log"), **BUDGET)
    assert any("3 of 10 bootstrap laws" in text for text in best.warnings)
    assert best.interval["n_params"][0] == pytest.approx(best.n_params)


def test_every_departure_from_the_support_is_named():
    support = {"N": (1e8, 1e9), "D": (1e9, 1e11), "k": (1.0, 30.0), "tokens_per_param": (1, 100)}
    source = Source(LOSS, support={**support, "train_flops": (1e16, 1e19)}, warnings=("Said before.",))
    warnings = plan(source, **BUDGET).warnings
    assert warnings[0] == "Said before."
    assert len(warnings) == 6
    assert "N = 12.6M parameters is 7.9× below the smallest" in warnings[1]
    assert "D = 339B tokens is 3.4× above the largest" in warnings[2]
    assert "D/N = 26.9K tokens per parameter is 269× above" in warnings[3]
    assert "C = 2.56e19 training FLOPs is 2.6× above" in warnings[4]
    assert "k = 79.4 samples is 2.6× above" in warnings[5]
    inside = Source(LOSS, support={"N": (1e7, 1e8)})
    assert plan(inside, **BUDGET).warnings == ()


def test_token_cap_is_said_and_leaves_budget():
    best = plan(LOSS, **BUDGET, max_tokens=1e10)
    assert best.n_tokens == 1e10
    assert any("`max_tokens`" in text and "of its budget" in text for text in best.warnings)
    assert best.optimum.train_flops < 2.56e19
    assert best.spend["train_flops"] == best.optimum.train_flops
    assert best.matched_tokens is None  # with more tokens in hand another model would be cheaper at any traffic
    assert best.break_even > 0


def test_integer_k_and_menu():
    whole = plan(LOSS, **BUDGET, integer_k=True)
    assert whole.k == round(whole.k)
    assert whole.chinchilla.k == 1
    assert 2 * whole.n_params * whole.k <= 2e9 * (1 + 1e-12)
    menu = plan(LOSS, **BUDGET, sizes=[1e7, 1e8, 1e9])
    assert menu.n_params in (1e7, 1e8)
    assert menu.chinchilla.n_params == 1e9


def test_a_size_at_the_end_of_its_range_is_said():
    assert "smaller model would do better" in plan(LOSS, **BUDGET, n_range=(1e8, 1e9)).warnings[0]
    assert "larger model would do better" in plan(LOSS, **BUDGET, n_range=(1e5, 1e6)).warnings[0]
    assert plan(LOSS, **BUDGET, n_range=(1e6, 1e8)).warnings == ()


def test_chinchilla_law_needs_no_inference_budget():
    law = load_law("chinchilla/besiroglu")
    best = plan(law, train_flops=1e21)
    assert (best.metric, best.k) == ("loss", 1)
    small = plan(law, train_flops=1e21, inference_flops=2e9)  # no model above 1B can draw a sample
    assert small.n_params == pytest.approx(1e9)


def test_sentence_is_to_be_acted_on():
    text = plan(LOSS, **BUDGET).sentence()
    assert text == (
        "Train 12.6M parameters on 339B tokens (26,930 tokens per parameter) and draw 79 samples per problem, for "
        "a geometric mean pass@k of 0.605% (−log pass@k of 5.108 nats); Chinchilla's 966M parameters on 4.42B tokens "
        "afford 1.04 samples, for a geometric mean pass@k of 0.0483% (−log pass@k of 7.635 nats)."
    )
    counted = replace(LOSS, target="neg_log_mean")
    assert "for pass@k of 0.605%" in plan(counted, **BUDGET).sentence()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "either `train_flops`"),
        ({"train_flops": 1e20, "total_flops": 1e20}, "not both"),
        ({"train_flops": 1e20}, "`inference_flops` is missing"),
        ({"total_flops": 1e20}, "`tokens_served`"),
        ({"train_flops": -1, "inference_flops": 2e9}, "`train_flops` = -1"),
        ({"train_flops": math.inf, "inference_flops": 2e9}, "`train_flops` = inf"),
        ({**BUDGET, "sizes": [2e9]}, "`inference_flops` = 2e.09 cannot pay for one sample"),
        ({**BUDGET, "n_range": (2e9, 3e9)}, "2·N = 4e.09"),
        ({"total_flops": 1e12, "tokens_served": 1e12}, "`total_flops` = 1e.12 cannot pay"),
        ({**BUDGET, "n_range": (3e9, 2e9)}, "`n_range`"),
        ({**BUDGET, "sizes": [1e8, -1]}, "`sizes` holds -1"),
        ({**BUDGET, "max_tokens": 0}, "`max_tokens` = 0"),
        ({**BUDGET, "level": 1.5}, "`level` = 1.5"),
        ({**BUDGET, "budget": Budget(train_flops=1e20)}, "`budget` already"),
    ],
)
def test_impossible_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        plan(LOSS, **arguments)


def test_laws_without_a_best_size():
    flat = LossLaw(E=1, A=0, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
    best = plan(flat, **BUDGET)
    assert best.status is PlanStatus.NO_OPTIMUM
    assert np.isnan([best.n_params, best.n_tokens, best.k, best.value]).all()
    assert best.sentence().startswith("No plan: by this law ever smaller models do better")
    assert "more parameters never help" in best.warnings[0]
    assert json.loads(best.to_json())["optimum"]["n_params"] is None
    assert plan(flat, **BUDGET, sizes=[1e7, 1e8]).n_params == 1e7
    runaway = LossLaw(E=1, A=1e-9, alpha=0.3, B=1200, beta=0.37, G=600, gamma=0.2)
    assert plan(runaway, **BUDGET).status is PlanStatus.NO_OPTIMUM
    assert "runs to the smallest" in plan(runaway, **BUDGET).warnings[0]
    with pytest.raises(ValueError, match="grows worse"):
        plan(LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=-0.1, G=6, gamma=0.2), **BUDGET)
    with pytest.raises(T2Error, match="int, which cannot be planned with"):
        plan(7, **BUDGET)
    with pytest.raises(T2Error, match="law"):
        plan("law", **BUDGET)


def test_more_tokens_that_never_help_still_give_a_plan():
    best = plan(LossLaw(E=1, A=400, alpha=0.34, B=0, beta=0.37, G=6, gamma=0.2), **BUDGET)
    assert best.n_params > 1e7
    assert best.break_even is None


@LAWS
def test_frontier_is_the_plans(law):
    C, C_inf = np.geomspace(1e17, 1e24, 8), np.geomspace(1e9, 1e12, 8)
    line = frontier(law, train_flops=C, inference_flops=C_inf)
    for i in range(8):
        one = plan(law, train_flops=C[i], inference_flops=C_inf[i])
        assert line.n_params[i] == pytest.approx(one.n_params, rel=1e-9)
        assert line.value[i] == pytest.approx(one.value, rel=1e-9)
        assert line.chinchilla_value[i] == pytest.approx(one.chinchilla.value, rel=1e-9, nan_ok=True)


def test_frontier_files_and_gaps(tmp_path):
    line = frontier(LOSS, train_flops=1e20, inference_flops=[1e8, 4e9], sizes=(1e9,))
    assert np.isnan(line.n_params[0])
    assert line.n_params[1] == 1e9
    text = line.save(tmp_path / "f.csv").read_text().splitlines()
    assert text[0].startswith("train_flops,inference_flops,n_params,n_tokens,k,tokens_per_param,value,chinchilla_n")
    assert text[1].split(",")[2] == ""
    rows = json.loads(line.save(tmp_path / "f.json").read_text())["rows"]
    assert rows[0]["n_params"] is None
    assert rows[1]["n_params"] == 1e9
    with pytest.raises(ValueError, match="`train_flops` is empty"):
        frontier(LOSS, train_flops=[], inference_flops=2e9)
    with pytest.raises(ValueError, match="`inference_flops` is missing"):
        frontier(LOSS, train_flops=1e20)


def test_frontier_marks_what_lies_outside():
    source = Source(LOSS, support={"D": (1e9, 1e11)})
    line = frontier(source, train_flops=[1e17, 1e18, 1e21], inference_flops=2e9)
    assert line.outside.tolist() == [bool(not 1e9 <= D <= 1e11) for D in line.n_tokens]
    assert line.outside[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"train_flops": 1e20, "train_dollars": 1e3}, "`train_flops`, `train_dollars` and `train_gpu_hours`"),
        ({"train_dollars": -5}, "`train_dollars` = -5"),
        ({"train_flops": 1e20, "serving_dollars": 1e3}, "`serving_dollars` needs"),
        ({"train_flops": 1e20, "inference_flops": 1e9, "serving_dollars": 1, "tokens_served": 1}, "give one"),
        ({"total_dollars": 1e6, "queries": 1e6}, "go together"),
        ({"total_dollars": 1e6, "queries": 1e6, "output_tokens": 9, "tokens_served": 1}, "give one"),
    ],
)
def test_budgets_that_contradict_themselves(arguments, text):
    with pytest.raises(ValueError, match=text):
        Budget.of(**arguments)


def test_budgets_in_money_and_hours_are_flops():
    train, serve = Price("h100", utilisation=0.4), Price("h100", utilisation=0.02)
    by_dollars = Budget.of(
        train_dollars=1e4, serving_dollars=500, queries=1e6, output_tokens=250, train=train, serve=serve
    )
    assert by_dollars.train_flops == pytest.approx(1e4 / 2 * 989e12 * 0.4 * 3600)
    assert by_dollars.inference_flops == pytest.approx(500 / 2 * 989e12 * 0.02 * 3600 / 2.5e8)
    by_hours = Budget.of(train_gpu_hours=5e3, inference_flops=2e9, train=train)
    assert by_hours.train_flops == pytest.approx(by_dollars.train_flops)
    best = plan(LOSS, budget=by_dollars)
    assert best.spend["train_dollars"] == pytest.approx(1e4)
    assert best.spend["serving_dollars"] == pytest.approx(500)
    assert best.to_dict()["budget"]["train"]["gpu"] == "h100"
    hours = Budget.of(total_gpu_hours=1e4, tokens_served=1e9, train=train, serve=serve)
    spent = plan(LOSS, budget=hours).spend
    assert spent["train_gpu_hours"] + spent["serving_gpu_hours"] == pytest.approx(1e4)


def test_a_plan_without_its_optimum_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text('{"format": "t2scaling/plan/2"}')
    with pytest.raises(DataError, match="damaged plan"):
        Plan.load(path)
