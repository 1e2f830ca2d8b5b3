"""The optimum: first-order conditions, limits, menus, whole samples, lifetime budgets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import betaln, loggamma

from t2scaling.allocate.chinchilla import chinchilla
from t2scaling.allocate.limits import Limits
from t2scaling.allocate.optimum import optimum
from t2scaling.allocate.problem import Lifetime, TwoBudgets
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw
from t2scaling.laws.solvers.beta import digamma_difference

LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)
ACCURACY = AccuracyLaw(ChinchillaLaw(E=4, A=400, alpha=0.34, B=1200, beta=0.37), (10, 0.6, 0.9, 1, -0.1))
NAIVE = NaiveLaw(ACCURACY.loss, (10, 0.6, 0.9))


# From a single parameter on, so that any law has an inner optimum.
ANY_SIZE = {"n_range": (1.0, np.inf)}


def two(train=2.56e19, inference=2e9, **limits):
    train, inference = np.broadcast_arrays(np.atleast_1d(np.asarray(train, float)), np.asarray(inference, float))
    return TwoBudgets(train, inference, Limits(**ANY_SIZE | limits))


def life(total=1e22, served=1e12, **limits):
    return Lifetime(np.array([float(total)]), np.array([float(served)]), Limits(**ANY_SIZE | limits))


def log_fail(law, N, D, k):
    """log of the chance that all k samples fail; unlike pass@k it does not saturate at 1."""
    loss = law.loss.predict(N, D)
    t = law.theta
    mean = t[2] / (1 + np.exp(t[1] * (loss - t[0])))
    if law.name == "naive":
        return k * np.log1p(-mean)
    nu = np.exp(t[3] + t[4] * loss)
    return betaln(mean * nu, (1 - mean) * nu + k) - betaln(mean * nu, (1 - mean) * nu)


def badness(law, N, D, k):
    return law.predict(N, D, k) if law.name == "loss" else log_fail(law, N, D, k)


def along_n(law, train, inference):
    """Badness of a law as a function of log N with both budgets spent."""
    return lambda log_n: badness(law, np.exp(log_n), train / (6 * np.exp(log_n)), inference / (2 * np.exp(log_n)))


laws = st.builds(
    LossLaw,
    E=st.floats(0, 5),
    A=st.floats(1, 1e4),
    alpha=st.floats(0.05, 0.95),
    B=st.floats(1, 1e4),
    beta=st.floats(0.05, 0.95),
    G=st.floats(0.01, 30),
    gamma=st.floats(0.02, 0.95),
)


@settings(max_examples=100, deadline=None)
@given(laws, st.floats(16, 26), st.floats(6, 14))
def test_first_order_condition_of_two_budgets(law, log_train, log_inference):
    C, C_inf = 10**log_train, 10**log_inference
    best = optimum(law, two(C, C_inf))
    N = best.N[0]
    left = law.alpha * law.A * N**-law.alpha
    right = law.beta * law.B * (6 * N / C) ** law.beta
    samples = law.gamma * law.G * (2 * N / C_inf) ** law.gamma
    assert 6 * N * best.D[0] == pytest.approx(C, rel=1e-12)
    if best.k[0] > 1 and N > 1 + 1e-9:  # inside: the condition holds
        assert left == pytest.approx(right + samples, rel=1e-8)
        assert 2 * N * best.k[0] == pytest.approx(C_inf, rel=1e-12)
    elif best.k[0] == 1 and C_inf / (2 * N) > 1:  # one sample, and budget left: Chinchilla
        assert left == pytest.approx(right, rel=1e-8)
    elif N > 1 + 1e-9:  # a larger model would be better, but could not draw one sample
        assert left > right


@settings(max_examples=100, deadline=None)
@given(laws, st.floats(18, 27), st.floats(8, 15))
def test_both_identities_of_the_lifetime_budget(law, log_total, log_served):
    T, S = 10**log_total, 10**log_served
    best = optimum(law, life(T, S))
    if not np.isfinite(best.N[0]):
        assert T / (2 * S) < 1
        return
    N, D, k = best.N[0], best.D[0], best.k[0]
    assert 6 * N * D + 2 * N * k * S == pytest.approx(T, rel=1e-9)
    by_size, by_tokens = law.alpha * law.A * N**-law.alpha, law.beta * law.B * D**-law.beta
    by_samples = law.gamma * law.G * k**-law.gamma
    if k > 1 and N > 1 + 1e-9:
        assert by_size == pytest.approx(by_tokens + by_samples, rel=1e-8)
        assert by_tokens / by_samples == pytest.approx(3 * D / (k * S), rel=1e-8)
    elif N > 1 + 1e-9:  # one sample: Sardana et al.'s condition
        assert by_size == pytest.approx(by_tokens * (1 + S / (3 * D)), rel=1e-8)


@pytest.mark.parametrize("law", [LOSS, ACCURACY, NAIVE], ids=lambda law: law.name)
@pytest.mark.parametrize(("train", "inference"), [(1e18, 2e9), (2.56e19, 1.4e11), (1e23, 1e13)])
def test_agrees_with_a_scalar_search(law, train, inference):
    best = optimum(law, two(train, inference))
    value = along_n(law, train, inference)
    grid = np.linspace(np.log(1e3), np.log(inference / 2), 4000)
    start = grid[np.argmin(value(grid))]
    found = minimize_scalar(value, bounds=(start - 0.1, start + 0.1), method="bounded", options={"xatol": 1e-10})
    assert value(np.log(best.N[0])) <= found.fun + 1e-12 * abs(found.fun)
    assert np.log(best.N[0]) == pytest.approx(found.x, abs=1e-4)  # what values alone can tell, being flat there


@pytest.mark.parametrize("law", [ACCURACY, NAIVE], ids=lambda law: law.name)
@pytest.mark.parametrize("problem", [two(1e20, 1e11), life(1e21, 1e11)], ids=["budgets", "lifetime"])
def test_accuracy_laws_are_stationary(law, problem):
    """The derivative of log fail along the path, taken by central differences, is zero to what differences can show."""
    best = optimum(law, problem)

    def along_k(log_k):
        N, D, _ = problem.training(law.training_law)(np.exp(log_k))
        return log_fail(law, N, D, np.exp(log_k))[0]

    x, h = np.log(best.k), 1e-3
    slope = (along_k(x + h) - along_k(x - h)) / (2 * h)
    curvature = (along_k(x + h) - 2 * along_k(x) + along_k(x - h)) / h**2
    assert curvature > 0
    assert abs(slope / curvature) < 1e-5


@pytest.mark.parametrize(("train", "inference"), [(1e18, 2e9), (2.56e19, 1.4e11), (1e22, 2e9)])
def test_accuracy_law_meets_its_first_order_condition(train, inference):
    """d log fail / d log k by the complex step, exact to rounding, against the size of the terms that cancel in it."""
    best = optimum(ACCURACY, two(train, inference))
    t, h = ACCURACY.theta, 1e-30

    def complex_log_fail(log_n, log_d, log_k):
        law = ACCURACY.loss
        loss = law.E + law.A * np.exp(-law.alpha * log_n) + law.B * np.exp(-law.beta * log_d)
        mean, nu = t[2] / (1 + np.exp(t[1] * (loss - t[0]))), np.exp(t[3] + t[4] * loss)
        b, k = (1 - mean) * nu, np.exp(log_k)
        return loggamma(b + k) - loggamma(b) + loggamma(nu) - loggamma(nu + k)

    at = [np.log(array[0]) for array in (best.N, best.D, best.k)]
    by_k = complex_log_fail(at[0], at[1], at[2] + 1j * h).imag / h
    by_size = complex_log_fail(at[0] - 1j * h, at[1] + 1j * h, at[2]).imag / h
    assert by_k + by_size == pytest.approx(0, abs=1e-8 * abs(by_k))


def test_no_gain_from_samples_is_chinchilla():
    law = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=0, gamma=0.2)
    best = optimum(law, two(1e21, 1e12))
    N, D = law.training_law.optimum(1e21)
    assert best.N[0] == pytest.approx(float(N), rel=1e-9)
    assert best.D[0] == pytest.approx(float(D), rel=1e-9)


def test_endless_training_reaches_the_plateau():
    law, C_inf = LOSS, 2e9
    plateau = (law.alpha * law.A / (law.gamma * law.G) * (C_inf / 2) ** law.gamma) ** (1 / (law.alpha + law.gamma))
    best = optimum(law, two(1e60, C_inf))
    assert best.N[0] == pytest.approx(plateau, rel=1e-9)


@pytest.mark.parametrize("law", [LOSS, ACCURACY, NAIVE], ids=lambda law: law.name)
def test_more_budget_never_hurts(law):
    C = np.geomspace(1e17, 1e25, 60)
    I = np.geomspace(1e7, 1e14, 60)
    assert np.all(np.diff(optimum(law, two(C, 2e9)).score) <= 1e-13)
    assert np.all(np.diff(optimum(law, two(1e20, I)).score) <= 1e-13)
    totals = Lifetime(C, np.full(60, 1e9))
    assert np.all(np.diff(optimum(law, totals).score) <= 1e-13)


def test_a_size_too_dear_for_one_sample_is_never_chosen():
    best = optimum(LOSS, two(1e24, 1e3))
    assert best.k[0] >= 1
    assert best.N[0] <= 500
    assert np.isnan(optimum(LOSS, two(1e24, 1.9)).N[0])


@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
def test_menu_is_the_best_of_its_sizes(law):
    sizes = (3e6, 1e7, 3e7, 1e8, 1e9)
    best = optimum(law, two(sizes=sizes))
    values = [float(law.predict(N, 2.56e19 / (6 * N), 2e9 / (2 * N))) for N in sizes]
    winner = np.argmin(values) if law.metric != "pass_at_k" else np.argmax(values)
    assert best.N[0] == sizes[winner]
    assert best.k[0] == pytest.approx(2e9 / (2 * sizes[winner]))


def test_range_clips_to_its_nearer_end():
    assert optimum(LOSS, two(n_range=(1e8, 1e9))).N[0] == pytest.approx(1e8)
    assert optimum(LOSS, two(n_range=(1e5, 1e6))).N[0] == pytest.approx(1e6)
    assert optimum(LOSS, life(n_range=(1e8, 1e9))).N[0] == pytest.approx(1e8)
    inside = optimum(LOSS, two()).N[0]
    assert optimum(LOSS, two(n_range=(inside / 2, inside * 2))).N[0] == pytest.approx(inside)


@pytest.mark.parametrize("cap", [1e9, 1e10, 3e11])
@pytest.mark.parametrize("make", [two, life], ids=["budgets", "lifetime"])
def test_token_cap_against_brute_force(make, cap):
    problem = make(max_tokens=cap)
    best = optimum(LOSS, problem)
    assert best.D[0] <= cap * (1 + 1e-9)
    N = np.geomspace(1e5, 1e10, 40001)
    if make is two:
        D, k = np.minimum(2.56e19 / (6 * N), cap), 2e9 / (2 * N)
    else:
        D = np.full_like(N, cap)
        k = (1e22 / (2 * N) - 3 * D) / 1e12
    values = np.where(k >= 1, LOSS.predict(N, D, np.maximum(k, 1)), np.inf)
    assert best.score[0] <= values.min() + 1e-9
    assert best.score[0] == pytest.approx(values.min(), rel=1e-6)


@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
@pytest.mark.parametrize("inference", [2.1e6, 1e8, 2e9])
def test_whole_samples_are_the_best_whole_samples(law, inference):
    best = optimum(law, two(1e18, inference, integer_k=True))
    k = np.arange(1, 400)
    problem = two(np.full(k.size, 1e18), inference)
    N, D, _ = problem.training(law.training_law)(k.astype(float))
    ok = (N > 1) & (2 * N * k <= inference * (1 + 1e-12))
    values = np.where(ok, law.predict(N, D, k), np.nan)
    winner = np.nanargmax(values) if law.metric == "pass_at_k" else np.nanargmin(values)
    assert best.k[0] == k[winner]
    assert best.N[0] == pytest.approx(N[winner])


def test_whole_samples_on_a_menu_floor_k():
    best = optimum(LOSS, two(sizes=(3e8,), integer_k=True))
    assert best.k[0] == 3


def test_a_range_inside_the_lifetime_is_a_constrained_best():
    """With N fixed, tokens and samples share what is left as the condition βB·D^−β/(γG·k^−γ) = 3D/(kS) says."""
    best = optimum(LOSS, life(sizes=(1e9,)))
    D, k = best.D[0], best.k[0]
    ratio = 0.37 * 1200 * D**-0.37 / (0.2 * 6 * k**-0.2)
    assert best.N[0] == 1e9
    assert ratio == pytest.approx(3 * D / (k * 1e12), rel=1e-8) or k == 1


def test_stacked_laws_are_planned_as_one_by_one():
    many = [LossLaw(1, 400 * s, 0.34, 1200, 0.37, 6, 0.2) for s in (0.5, 1, 2)]
    together = optimum(LossLaw.stack(many), two(np.full(3, 2.56e19), 2e9))
    alone = [optimum(law, two()).N[0] for law in many]
    assert pytest.approx(alone, rel=1e-12) == together.N
    theta = ACCURACY.theta
    pair = [ACCURACY, AccuracyLaw(ACCURACY.loss, (11, *theta[1:]))]
    together = optimum(AccuracyLaw.stack(pair), two(np.full(2, 2.56e19), 2e9))
    assert pytest.approx([optimum(law, two()).N[0] for law in pair], rel=1e-9) == together.N


def test_stack_refuses_a_mixture():
    with pytest.raises(ValueError, match="one class"):
        LossLaw.stack([LOSS, ACCURACY])


def test_digamma_difference_against_mpmath_values():
    """ψ(z + s) − ψ(z) is s/z for s = 1 exactly, and s·ψ'(z) as s → 0."""
    from scipy.special import digamma, polygamma

    z = np.array([1e-3, 0.3, 2.0, 50.0, 1e6, 1e12])
    assert digamma_difference(z, np.ones_like(z)) == pytest.approx(1 / z, rel=1e-12)
    assert digamma_difference(z, 1e-9 * z) == pytest.approx(1e-9 * z * polygamma(1, z), rel=1e-6)
    assert digamma_difference(z[:4], 2.5 * z[:4]) == pytest.approx(digamma(3.5 * z[:4]) - digamma(z[:4]), rel=1e-11)


def test_saturated_accuracy_law_is_flat_and_finite():
    """θ2 = 1 and a hopeless loss: nothing succeeds anywhere, and the search says so without a warning."""
    hopeless = AccuracyLaw(ChinchillaLaw(E=1e4, A=1, alpha=0.3, B=1, beta=0.3), (1, 5, 1, 0, 0))
    best = optimum(hopeless, two())
    assert np.isfinite(best.N[0])
    assert best.k[0] >= 1


def test_served_optimum_where_size_does_not_help():
    """A = 0: the smallest model is best, and all of the budget that serving leaves goes into its tokens."""
    law = ChinchillaLaw(E=1, A=0, alpha=0.34, B=1200, beta=0.37)
    N, _ = law.served_optimum(np.array([1e20]), np.array([1e9]))
    assert N[0] == 0  # below any limit, which then decides
    best = optimum(law, life(total=1e20, served=1e9, n_range=(1e6, 1e9)))
    assert best.N[0] == 1e6
    assert 6 * best.N[0] * best.D[0] + 2 * best.N[0] * 1e9 == pytest.approx(1e20)
    flat = ChinchillaLaw(E=1, A=400, alpha=0.34, B=0, beta=0.37)
    N, _ = flat.served_optimum(np.array([1e20]), np.array([1e9]))
    assert N[0] == pytest.approx(1e20 / 1e9)  # B = 0: as large as serving allows


@pytest.mark.parametrize("law", [LOSS, ACCURACY, NAIVE], ids=lambda law: law.name)
def test_samples_to_match_are_those_that_match(law):
    N, D, k = np.array([2e7, 1e8, 1e9]), np.array([1e10, 3e9, 2e8]), 9.0
    wanted = law.score(law.training_law.surface(1e8, 3e9), np.log(k))
    log_k = law.log_samples_to_match(law.training_law.surface(N, D), wanted)
    found = law.predict(N, D, np.exp(log_k))
    assert log_k[1] == pytest.approx(np.log(k))
    assert found == pytest.approx(np.full(3, law.predict(1e8, 3e9, k)), rel=1e-9)
    better = law.training_law.surface(1e12, 1e15)
    easy = law.score(better, np.log(1.0))
    assert law.log_samples_to_match(np.array([better]), easy + 0.5 * np.abs(easy))[0] == 0  # one is enough
    poor = law.training_law.surface(np.array([1e3]), np.array([1e3]))
    assert law.log_samples_to_match(poor, law.score(better, np.log(1e6)))[0] == np.inf


def test_chinchilla_s_whole_samples_are_rounded_down():
    """Under both budgets, and never below the one sample that it can pay for."""
    problem = two(2.56e19, 6.5e9, integer_k=True)
    N, _, k = chinchilla(LOSS, problem)
    assert 6.5e9 / (2 * N[0]) == pytest.approx(3.36, abs=0.01)
    assert k[0] == 3
    assert chinchilla(LOSS, two(2.56e19, 2e9, integer_k=True))[2][0] == 1
    assert chinchilla(LOSS, two(2.56e19, 1.5e9, integer_k=True))[2][0] == pytest.approx(0.776, abs=0.001)
    whole = chinchilla(LOSS, life(1e22, 1e12, integer_k=True))[2][0]
    assert whole == round(whole)


def test_what_cannot_be_afforded_is_nan():
    best = optimum(LOSS, TwoBudgets(np.array([1e20, 1e20]), np.array([1e9, 1.0]), Limits()))
    assert np.isnan(best.N).tolist() == [False, True]


@pytest.mark.parametrize("law", [LOSS, ACCURACY], ids=lambda law: law.name)
def test_chinchilla_of_whole_samples_is_given_the_best_of_all_shares(law):
    """Score against share has a tooth for every whole k; the best is at the point of one of them."""
    N, D, k = chinchilla(law, life(1e21, 1e11, integer_k=True))
    found = badness(law, N, D, k)[0]
    assert k[0] == round(k[0])
    spent = np.geomspace(1e-10, 0.9999, 400_001) * 1e21
    N, D = law.training_law.optimum(spent)
    k = np.floor((1e21 - spent) / (2 * N * 1e11))
    best = np.min(badness(law, N[k >= 1], D[k >= 1], k[k >= 1]))
    assert found <= best + 1e-12 * abs(best)
    assert found == pytest.approx(best, rel=1e-4)
