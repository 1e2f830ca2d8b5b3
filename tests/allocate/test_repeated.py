"""Plans on limited unique data, repeated: against brute force on Muennighoff et al.'s formula, written out here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2scaling.allocate import Plan, frontier, plan, replan
from t2scaling.costs import Serving
from t2scaling.errors import ArgumentError
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, LossLaw
from t2scaling.laws.constrained import DataConstrainedLaw, repeated
from t2scaling.laws.mix import MixLaw

CHINCHILLA = ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37)
LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
ACCURACY = AccuracyLaw(CHINCHILLA, (10, 0.6, 0.9, 1, -0.1))
BUDGET = {"train_flops": 1e20, "inference_flops": 2e9}
LIFETIME = {"total_flops": 1e21, "tokens_served": 1e11}


def worth(amount, unique, decay):
    """arXiv 2305.16264, Eq. 5: u + u·R*·(1 − exp(−R/R*)), u being min(amount, unique)."""
    u = np.minimum(amount, unique)
    return u + u * decay * (1 - np.exp(-(amount / u - 1) / decay))


def value(law, N, D, k, unique):
    """What is minimised: nats, or minus pass@k."""
    a, b, A, B = law.training_law.alpha, law.training_law.beta, law.training_law.A, law.training_law.B
    ratio = (a * A / (b * B)) ** (1 / (a + b))
    fed = (unique * ratio) ** (b / a) * ratio
    found = law.predict(worth(N, fed, 5.309743), worth(D, unique, 15.387756), k if law.samples else 1.0)
    return -found if law.metric == "pass_at_k" else found


def zoomed(at, lo, hi, rounds=9, points=401):
    """Least value of `at` over log-spaced grids, each around the best point of the one before; all dims at once."""
    lo, hi = np.log(lo), np.log(hi)
    for _ in range(rounds):
        axes = [np.linspace(a, b, points) for a, b in zip(lo, hi, strict=True)]
        grid = np.meshgrid(*axes, indexing="ij")
        values = at(*(np.exp(axis) for axis in grid))
        index = np.unravel_index(np.nanargmin(values), values.shape)
        best = np.array([axis[i] for axis, i in zip(axes, index, strict=True)])
        width = 3 * (hi - lo) / (points - 1)
        lo, hi = np.maximum(lo, best - width), np.minimum(hi, best + width)
    return float(np.nanmin(values))


@pytest.mark.parametrize("unique", [1e8, 1e10, 1e12])
@pytest.mark.parametrize("law", [LOSS, ACCURACY, CHINCHILLA], ids=lambda law: law.name)
def test_two_budgets_against_brute_force(law, unique):
    made = plan(law, **BUDGET, unique_tokens=unique)

    def at(N):
        return value(law, N, 1e20 / (6 * N), 2e9 / (2 * N), unique)

    sign = -1 if law.metric == "pass_at_k" else 1
    assert sign * made.value == pytest.approx(zoomed(at, [1e3], [1e9]), abs=1e-9)


@pytest.mark.parametrize("unique", [1e8, 1e10])
@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
def test_a_lifetime_against_brute_force(law, unique):
    made = plan(law, **LIFETIME, unique_tokens=unique)

    def at(N, k):
        D = (1e21 - 2 * N * k * 1e11) / (6 * N)
        return np.where(D > 1, value(law, N, np.maximum(D, 1), k, unique), np.nan)

    sign = -1 if law.metric == "pass_at_k" else 1
    assert sign * made.value == pytest.approx(zoomed(at, [1e4, 1], [1e10, 1e4], points=201), abs=1e-6)
    if law is LOSS:
        # A lifetime plan is the cheapest of its quality at its own traffic: the first-order condition, with N' and D'.
        assert made.matched_tokens == pytest.approx(1e11, rel=1e-6)


def test_a_cost_that_is_no_product_against_brute_force():
    serve = Serving(prompt_tokens=500, answer_tokens=300)
    made = plan(LOSS, train_flops=1e20, serve_budget=0.02, cost=serve, unique_tokens=1e9)

    def at(N):
        k = serve.samples(N, 0.02)
        return np.where(k >= 1, value(LOSS, N, 1e20 / (6 * N), np.maximum(k, 1), 1e9), np.nan)

    assert made.value == pytest.approx(zoomed(at, [1e4], [1e10]), abs=1e-6)


@pytest.mark.parametrize("budget", [BUDGET, LIFETIME], ids=["two budgets", "lifetime"])
@pytest.mark.parametrize("limits", [{}, {"n_range": (1e9, 2e9)}, {"sizes": (1e6, 1e9), "integer_k": True}], ids=str)
def test_unlimited_tokens_give_the_plan_without_them(budget, limits):
    law = CHINCHILLA if limits.get("n_range") and budget is BUDGET else LOSS
    plain, made = (plan(law, **budget, **limits, **more) for more in ({}, {"unique_tokens": 1e30}))
    assert made.value == pytest.approx(plain.value, rel=1e-12)
    assert made.n_params == pytest.approx(plain.n_params, rel=1e-6)
    assert made.optimum.epochs == 1
    assert made.sentence() == plain.sentence()


@settings(max_examples=10, deadline=None)
@given(st.floats(18, 24), st.floats(7, 14), st.floats(0.01, 2))
def test_more_unique_tokens_never_hurt(log_train, log_unique, more):
    budget = {"train_flops": 10**log_train, "inference_flops": 2e9}
    few, many = (plan(LOSS, **budget, unique_tokens=10**log) for log in (log_unique, log_unique + more))
    assert many.value <= few.value * (1 + 1e-12)


def test_it_is_the_papers_law_where_data_repeat():
    found = repeated(CHINCHILLA, 1e9).predict(1e8, [1e9, 4e9, 1e11])
    expected = DataConstrainedLaw(CHINCHILLA).predict(1e8, [1e9, 4e9, 1e11], 1e9)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("law", [repeated(CHINCHILLA, 1e9), repeated(LOSS, 1e9)], ids=lambda law: law.name)
def test_its_pulls_are_its_slopes(law):
    training, h = law.training_law, 1e-5
    for N, D in [(1e6, 1e8), (1e9, 1e10), (4e9, 5e10)]:
        by_size = training.surface(N * np.exp(-h), D) - training.surface(N * np.exp(h), D)
        by_tokens = training.surface(N, D * np.exp(-h)) - training.surface(N, D * np.exp(h))
        np.testing.assert_allclose(
            [training.by_size(N), training.by_tokens(D)],
            [by_size / (2 * h), by_tokens / (2 * h)],
            rtol=1e-5,
            atol=1e-10,
        )


def test_a_mix_repeats_in_every_task():
    hard = LossLaw(E=2, A=800, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.1)
    both = MixLaw([LOSS, hard], [1, 3])
    made = plan(both, **BUDGET, unique_tokens=1e9)

    def at(N):
        D, k = 1e20 / (6 * N), 2e9 / (2 * N)
        return (value(LOSS, N, D, k, 1e9) + 3 * value(hard, N, D, k, 1e9)) / 4

    assert made.value == pytest.approx(zoomed(at, [1e3], [1e9]), abs=1e-6)


def test_the_plan_says_its_epochs_and_keeps_them(tmp_path):
    made = plan(LOSS, **BUDGET, unique_tokens="100B")
    assert made.optimum.epochs == pytest.approx(made.n_tokens / 1e11)
    assert f"({made.optimum.epochs:.3g} epochs of 100B unique ones, " in made.sentence()
    assert any("are worth" in text and "2305.16264" in text for text in made.warnings)
    read = Plan.load(made.save(tmp_path / "plan.json"))
    assert read.to_json() == made.to_json()
    assert replan(LOSS, read).value == made.value
    assert made.value < plan(LOSS, **BUDGET, max_tokens="100B").value


def test_a_budget_beyond_what_data_can_give_says_so():
    worn = plan(LOSS, train_flops=10**20.40625, inference_flops=2e9, unique_tokens=10**7.4375)
    assert worn.matched_tokens is None
    made = plan(LOSS, train_flops=1e24, inference_flops=2e9, unique_tokens="1B")
    assert any("adds nothing" in text for text in made.warnings)
    assert not any("adds nothing" in text for text in plan(LOSS, **BUDGET, unique_tokens="100B").warnings)


def test_a_frontier_is_its_plans():
    budgets = np.geomspace(1e18, 1e22, 5)
    found = frontier(LOSS, train_flops=budgets, inference_flops=2e9, unique_tokens="10B")
    alone = [plan(LOSS, train_flops=C, inference_flops=2e9, unique_tokens="10B") for C in budgets]
    np.testing.assert_allclose(found.value, [one.value for one in alone], rtol=1e-12)
    np.testing.assert_allclose(found.epochs, [one.optimum.epochs for one in alone], rtol=1e-9)


@pytest.mark.parametrize("tokens", [0, -1, "1", "many"])
def test_refusals(tokens):
    with pytest.raises(ArgumentError, match="`unique_tokens` = "):
        plan(LOSS, **BUDGET, unique_tokens=tokens)
