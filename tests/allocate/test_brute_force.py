"""Plans against brute force: random ones, and those that were wrong once (benchmarks/plans_against_grid.py: more)."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from t2scaling.allocate.limits import Limits
from t2scaling.allocate.optimum import optimum
from t2scaling.allocate.problem import Lifetime, TwoBudgets
from t2scaling.costs import QueryCost, Serving
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw
from t2scaling.laws.constrained import repeated
from t2scaling.strategies import parse

PATH = Path(__file__).parents[2] / "benchmarks" / "plans_against_grid.py"


@pytest.fixture(scope="module")
def against_grid():
    spec = importlib.util.spec_from_file_location("plans_against_grid", PATH)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
ACCURACY = AccuracyLaw(ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37), (10, 0.6, 0.9, 1, -0.1))
NAIVE = NaiveLaw(ACCURACY.loss, (10, 0.6, 0.9))
GAINS_BY_LOSS = AccuracyLaw(
    ChinchillaLaw(0.6357577881977076, 2070.195788514693, 0.6018352887159364, 4.1127171974954235, 0.057356447946847855),
    (5.533931771719104, 0.5260089616800048, 0.6149134629054773, -0.19814377470104994, 0.2008731512366292),
)


def two(train, inference, **limits):
    return TwoBudgets(np.array([train]), np.array([inference]), Limits(**limits))


def life(total, served, **limits):
    return Lifetime(np.array([total]), np.array([served]), Limits(**limits))


@pytest.mark.parametrize("seed", range(24))
def test_random_plans_are_no_worse(against_grid, seed):
    case = against_grid.random_case(np.random.default_rng(1000 + seed))
    gap = against_grid.gap(case)
    assert gap is None or gap <= 1e-6, case


@pytest.mark.parametrize(
    ("law", "problem"),
    [
        # Much serving under a token cap: a cancelled difference once made k = 1 of 5.
        (
            LossLaw(0.41547, 30020, 0.83751, 1992.27, 0.40562, 0.110277, 0.72495),
            life(1.786772204159438e18, 12332860578.6, max_tokens=473163.275),
        ),
        # Success that underflows at small sizes: flat there, and no minimum.
        (ACCURACY, life(1e17, 1e9, sizes=(1e3, 1e5, 1e7, 1e9))),
        (ACCURACY, life(1e20, 1e12, n_range=(2e3, 1e10))),
        (ACCURACY, life(1e20, 1e9, max_tokens=1e8)),
        (NAIVE, life(1e21, 1e10, max_tokens=1e10, integer_k=True)),
        (NAIVE, two(1e22, 1e9, max_tokens=1e10)),
        (ACCURACY, two(1e20, 1e10, tokens_per_param=(100.0, 5e3), max_samples=50.0)),
        (LOSS, two(1e20, 1e10, min_tokens=1e11, max_train_flops=1e19)),
        # Ten whole samples leave some of the budget, and this law does better with a model that is worse.
        (
            AccuracyLaw(
                ChinchillaLaw(0.0, 5439.762808658144, 0.5891844249834555, 9.401782152380543, 0.12801030579071776),
                (4.359599671776797, 2.650675288735825, 0.51404481642606, -0.2287540413811906, 0.5145411527684801),
            ),
            two(6.19164452e18, 7.50252105e8, n_range=(36748631.93698416, 103532382.92235604), integer_k=True),
        ),
        # No more than 32 samples, and this law gains by more loss: a model too large for its tokens.
        (
            repeated(GAINS_BY_LOSS, 4.88131571e11),
            life(2.869306e19, 1.288123e7, max_tokens=6.35593e11, max_samples=32.0),
        ),
        (GAINS_BY_LOSS, two(1e19, 1e10, max_samples=32.0)),
        # A least size: its loss is lower than this law would have it.
        (
            AccuracyLaw(ChinchillaLaw(0.5, 50, 0.3, 1e4, 0.4), (5, 0.3, 0.6, -1, 0.6)),
            two(1e17, 6e9, n_range=(1e7, 1e15)),
        ),
    ],
)
def test_plans_that_were_wrong(against_grid, law, problem):
    assert against_grid.gap(against_grid.Case(law, problem)) <= 1e-6


SERVING = Serving(gpu="h100", prompt_tokens=500, answer_tokens=300)


@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
@pytest.mark.parametrize(("cost", "budget"), [(SERVING, 0.2), (SERVING, 3e-3), (QueryCost(70, 215), 1e12)])
def test_a_cost_that_is_no_product_is_searched_to_the_same(law, cost, budget):
    problem = TwoBudgets(np.array([1e21]), np.array([budget]), Limits(), cost)
    best = optimum(law, problem)
    N = np.geomspace(1e3, 1e12, 60_001)
    k, D = cost.samples(N, budget), cost.tokens(N, 1e21)
    ok = k >= 1
    values = np.where(ok, law.score(law.training_law.surface(N, D), np.log(np.where(ok, k, 1.0))), np.inf)
    assert best.score[0] <= values.min() + 1e-9 * abs(values.min())
    assert cost.serve(best.N, best.k)[0] <= budget * (1 + 1e-9)


def test_a_model_that_does_not_fit_in_memory_is_not_chosen():
    wish = LossLaw(E=1, A=1e6, alpha=0.5, B=10, beta=0.37, G=0.1, gamma=0.2)  # the larger the better
    best = optimum(wish, TwoBudgets(np.array([1e27]), np.array([1e6]), Limits(), SERVING))
    assert SERVING.fits(best.N)[0]
    assert not SERVING.fits(best.N * 1.001)[0]


def test_a_lifetime_under_a_cost_that_is_no_product():
    problem = Lifetime(np.array([1e21]), np.array([1e17]), Limits(), SERVING)  # 1e17 FLOPs per GPU-second × queries
    best = optimum(LOSS, problem)
    spent = 6 * best.N * best.D + 1e17 * SERVING.serve(best.N, best.k)
    assert spent[0] == pytest.approx(1e21, rel=1e-6)
    N, k = np.meshgrid(np.geomspace(1e6, 1e10, 400), np.geomspace(1, 1e4, 400), indexing="ij")
    D = (1e21 - 1e17 * SERVING.serve(N, k)) / (6 * N)
    values = np.where(D > 1, LOSS.predict(N, np.maximum(D, 1), k), np.inf)
    assert best.score[0] <= values.min() + 1e-6


@pytest.mark.parametrize("problem", [two(2.56e19, 2e9), life(1e21, 1e12)], ids=["budgets", "lifetime"])
def test_both_roads_lead_to_the_same_optimum(problem):
    for law in (LOSS, ACCURACY):
        closed = optimum(law, problem)
        searched = optimum(law, replace(problem, limits=Limits(max_train_flops=1e40)))  # no plain limit: the search
        assert searched.score[0] == pytest.approx(closed.score[0], rel=1e-9)
        assert searched.N[0] == pytest.approx(closed.N[0], rel=1e-4)


def test_many_budgets_under_a_serving_cost_are_their_single_plans():
    train, budget = np.geomspace(1e18, 1e24, 40), np.geomspace(1e-3, 10, 40)
    together = optimum(ACCURACY, TwoBudgets(train, budget, Limits(), SERVING))
    for i in (0, 17, 39):
        alone = optimum(ACCURACY, TwoBudgets(train[[i]], budget[[i]], Limits(), SERVING))
        assert alone.N[0] == pytest.approx(together.N[i], rel=1e-6)
    assert np.all(np.diff(together.score) <= 1e-12)  # more of both budgets never hurts


def test_other_strategies_draw_what_helps():
    problem = two(2.56e19, 2e9)
    oracle = optimum(ACCURACY, problem)
    assert optimum(ACCURACY, problem, parse("all")).k[0] == pytest.approx(1.0)  # every sample must be right: draw one
    judged = optimum(ACCURACY, problem, parse("verifier:tpr=.9,fpr=.05"))
    assert judged.N[0] >= oracle.N[0] * 0.99  # a verifier that errs is worth a larger model, not more samples
    N = np.geomspace(1e5, 9e8, 4001)
    success = ACCURACY.success(N, 2.56e19 / (6 * N))
    values = parse("verifier:tpr=.9,fpr=.05").value(success, 1e9 / N)
    assert -judged.score[0] >= values.max() - 1e-6
