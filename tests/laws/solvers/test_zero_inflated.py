"""From few samples per question to many: the zero-inflated beta-binomial."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import comb
from scipy.stats import betabinom

from t2scaling.laws.solvers.zero_inflated import ZeroInflatedFits, _objective, fit_zero_inflated


def drawn(rng, share, a, b, samples, runs=20, questions=200):
    p = rng.beta(a, b, (runs, questions)) * (rng.random((runs, questions)) >= share)
    n = np.full((runs, questions), float(samples))
    return n, rng.binomial(samples, p).astype(float), p


def test_the_likelihood_is_scipys():
    n, c = np.array([[5.0, 7.0, 0.0, 9.0]]), np.array([[0.0, 3.0, 0.0, 0.0]])
    a, b, share = 0.7, 3.0, 0.2
    value, _, _ = _objective(np.array([[np.log(a), np.log(b), np.log(share / (1 - share))]]), n, c)
    seen = n > 0
    rate = (1 - share) * betabinom(n[seen], a, b).pmf(c[seen]) + share * (c[seen] == 0)
    constant = np.log(comb(n[seen], c[seen])).sum()  # the objective leaves C(n, c) out
    assert value[0] == pytest.approx(-(np.log(rate).sum() - constant) - np.log(1 - share), rel=1e-10)


def test_its_gradient_is_that_of_differences(rng):
    n, c, _ = drawn(rng, 0.3, 0.5, 5.0, 50, runs=1, questions=30)
    x = np.array([[-0.5, 1.2, -0.7]])
    _, gradient, _ = _objective(x, n, c)
    for p in range(3):
        step = np.zeros(3)
        step[p] = 1e-6
        numeric = (_objective(x + step, n, c)[0] - _objective(x - step, n, c)[0]) / 2e-6
        assert gradient[0, p] == pytest.approx(numeric[0], rel=1e-5)


def test_pass_at_k_is_that_of_the_beta():
    fits = ZeroInflatedFits(np.array([0.25]), np.array([1.0]), np.array([1.0]))
    assert fits.pass_at_k(np.array([1.0, 9.0]))[0] == pytest.approx([0.75 * 0.5, 0.75 * 0.9])


def test_far_more_samples_are_foreseen_from_few_and_the_plug_in_does_not(rng):
    n, c, p = drawn(rng, 0.4, 0.5, 5.0, 100)
    truth = (1 - (1 - p) ** 2000).mean(axis=1)
    found = fit_zero_inflated(n, c).pass_at_k(np.array([2000.0]))[:, 0]
    plain = fit_zero_inflated(n, c, inflate=False).pass_at_k(np.array([2000.0]))[:, 0]

    def off(value):
        return np.abs(np.log(value / truth)).mean()

    assert off(found) < 0.09
    assert off(plain) > 2 * off(found)
    n, c, p = drawn(rng, 0.0, 0.3, 20.0, 100)
    truth = (1 - (1 - p) ** 2000).mean(axis=1)
    plug_in = (1 - (1 - c / n) ** 2000).mean(axis=1)
    assert off(fit_zero_inflated(n, c).pass_at_k(np.array([2000.0]))[:, 0]) < 0.5 * off(plug_in)


def test_few_samples_look_for_no_share_and_missing_questions_say_nothing(rng):
    n, c, _ = drawn(rng, 0.4, 0.5, 5.0, 20, runs=3)
    assert np.all(fit_zero_inflated(n, c).share == 0)
    n[:, ::2] = c[:, ::2] = 0
    kept = fit_zero_inflated(n[:, 1::2], c[:, 1::2])
    assert fit_zero_inflated(n, c).a == pytest.approx(kept.a, rel=1e-4)
