"""The bottleneck law and what is judged beside it, on suites drawn from stated truths."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

import t2scaling as t2
from t2scaling.laws import LAWS, BottleneckLaw, ChinchillaLaw, FitResult, Measurements, QuantileLaw
from t2scaling.laws.solvers.beta import mean_success

N = np.repeat(np.geomspace(1e7, 1e9, 6), 6)
D = N * np.tile(np.geomspace(3, 3000, 6), 6)
TRUTH = BottleneckLaw(ChinchillaLaw(0.0, 90.0, 0.3, 400.0, 0.3), 0.8, theta=(-0.2, 1.6, 1.0, 0.6, -0.2))
TABLES = ("quantile", "direct", "nearest")


def suite(questions: int = 400, law: BottleneckLaw = TRUTH) -> Measurements:
    """Likelihoods whose quantiles over questions are the law's Beta exactly."""
    a, b = law.shape(law.loss.predict(N, D))
    u = (np.arange(questions) + 0.5) / questions
    p = beta.ppf(u, a[:, None], b[:, None])
    names = tuple(f"r{i:02d}" for i in range(len(N)))
    nll = -np.log(np.clip(p, 1e-250, 1 - 1e-12))
    return Measurements("t", names, N, D, np.full(questions, 1 / questions), nll=nll, data_hash="x")


@pytest.fixture(scope="module")
def data():
    return suite()


def test_at_gamma_one_it_is_approach_2_on_the_log_of_a_loss():
    loss = ChinchillaLaw(0.0, 40.0, 0.2, 90.0, 0.21)
    law = BottleneckLaw(loss, 1.0, theta=(0.5, 1.6, 0.9, 0.6, -0.2))
    mean, _ = mean_success(np.log(loss.predict(N, D)), law.theta)
    assert law.predict(N, D, 1) == pytest.approx(mean, rel=1e-10)


@pytest.mark.parametrize("name", ["bottleneck", *TABLES])
def test_a_suite_drawn_from_the_law_is_foreseen(data, name):
    fit = t2.fit(data, law=name, k=[1, 4, 16, 64])
    inside = np.abs(fit.predict(N, D, 16) / TRUTH.predict(N, D, 16) - 1)
    assert np.median(inside) < (0.01 if name != "nearest" else 0.02)
    beyond = fit.predict(3e9, 3e12, 16) / TRUTH.predict(3e9, 3e12, 16) - 1
    assert abs(beyond) < (0.03 if name != "nearest" else 0.2)


@pytest.mark.parametrize("name", ["bottleneck", *TABLES])
def test_a_fit_goes_to_json_and_back(data, name):
    fit = t2.fit(data, law=name, k=[1, 4, 16])
    again = FitResult.from_dict(json.loads(fit.to_json()))
    for metric in ("pass_at_k", "neg_log_pass_at_k"):
        said = again.predict(2e8, [1e9, 1e12], [3, 40], metric)
        assert said == pytest.approx(fit.predict(2e8, [1e9, 1e12], [3, 40], metric), rel=1e-5)


@pytest.mark.parametrize("name", ["bottleneck", *TABLES])
def test_the_order_of_the_runs_changes_nothing(data, name, rng):
    order = rng.permutation(len(N))
    fit, other = (t2.fit(m, law=name, k=[1, 4, 16]) for m in (data, data.take(order)))
    assert other.predict(2e9, 1e12, [1, 9]) == pytest.approx(fit.predict(2e9, 1e12, [1, 9]), rel=1e-4)


def test_slopes_are_those_of_differences():
    x, log_k = TRUTH.loss.predict(N, D), np.linspace(0, 6, len(N))
    by_loss, by_log_k = TRUTH.slopes(x, log_k)
    step = 1e-6 * x
    assert by_loss == pytest.approx(
        (TRUTH.score(x + step, log_k) - TRUTH.score(x - step, log_k)) / (2 * step), rel=1e-5
    )
    numeric = (TRUTH.score(x, log_k + 1e-6) - TRUTH.score(x, log_k - 1e-6)) / 2e-6
    assert by_log_k == pytest.approx(numeric, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("gamma", [0.2, 0.8, 3.0])
@pytest.mark.parametrize("inference", [1e9, 3e10])
def test_its_optimum_is_that_of_brute_force(gamma, inference):
    law = replace(TRUTH, gamma=gamma, theta=(-0.2 * gamma, 1.6, 0.9, 0.6, -0.2))
    plan = t2.plan(law, train_flops=1e20, inference_flops=inference)
    sizes = np.geomspace(1e4, inference / 2, 200001)
    value = law.predict(sizes, 1e20 / (6 * sizes), inference / (2 * sizes))
    best = plan.optimum
    assert law.predict(best.n_params, best.n_tokens, best.k) >= value.max() - 1e-9


def test_both_means_of_the_quantile_law_are_those_of_the_questions(data):
    for target in ("mean_neg_log", "neg_log_mean"):
        law = t2.fit(data, law="quantile", k=[1, 8], target=target).law
        assert isinstance(law, QuantileLaw)
        assert law.neg_log_target == target
        observed = t2.laws.curves(data, [1, 8], target).value[:, 1]
        said = law.predict(N, D, 8, "neg_log_pass_at_k")
        # The kernel smooths over runs of like index, here a sixth of the suite's range.
        assert np.median(np.abs(said / observed - 1)) < 0.05


def test_tables_cannot_be_planned_with_or_resampled(data):
    for name in TABLES:
        assert (LAWS[name].plans, LAWS[name].resamples) == (False, False)
        with pytest.raises(t2.errors.ArgumentError, match="table"):
            t2.fit(data, law=name, k=[1, 4], bootstrap=2)


def test_counts_are_carried_by_the_beta_and_refused_by_quantiles(rng):
    nll = suite(60).nll
    n = np.full(nll.shape, 64.0)
    counts = replace(suite(60), nll=None, n=n, c=rng.binomial(64, np.exp(-nll)).astype(float))
    fit = t2.fit(counts, law="bottleneck", k=[1, 4, 16, 64])
    assert np.median(np.abs(fit.predict(N, D, 16) / TRUTH.predict(N, D, 16) - 1)) < 0.06
    with pytest.raises(t2.errors.DataError, match="likelihood of every question"):
        t2.fit(counts, law="quantile", k=[1, 4])


def test_data_by_which_tokens_do_not_help_are_warned_of(data):
    still = replace(data, nll=np.repeat(data.nll[::6], 6, axis=0))
    fit = t2.fit(still, law="bottleneck", k=[1, 4])
    assert any("tokens do not help" in warning for warning in fit.warnings)


def test_nearest_run_between_and_beyond_its_k(data):
    fit = t2.fit(data, law="nearest", k=[1, 4])
    first, last = fit.curves.pass_at_k[7]
    assert fit.predict(N[7] * 1.01, D[7], [1, 2, 4, 9]) == pytest.approx([first, (first + last) / 2, last, last])
