"""What a fit knows of its own errors: held-out error, intervals, and the laws beside the one that plans."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import t2scaling as t2
from t2scaling.laws import FitResult, Measurements
from t2scaling.laws.intervals import Spread, from_scale, spread_of, to_scale
from t2scaling.laws.support import Support

N = np.repeat(np.geomspace(1e7, 1e9, 7), 7)
D = N * np.tile(np.geomspace(3, 3000, 7), 7)


def suite(rng, shift=0.0, run_noise=0.05, questions=120, floor=1.5, scale=1.0) -> Measurements:
    """Log-normal losses around a Chinchilla law; `shift` spoils success with D/N."""
    loss = floor + scale * (300 * N**-0.33 + 500 * D**-0.33) + shift * np.log(D / N)
    nll = loss[:, None] * np.exp(0.5 * rng.standard_normal(questions) + run_noise * rng.standard_normal((len(N), 1)))
    names = tuple(f"r{i:02d}" for i in range(len(N)))
    return Measurements("t", names, N, D, np.full(questions, 1 / questions), nll=nll, data_hash="x")


@pytest.fixture(scope="module")
def fit():
    return t2.fit(suite(np.random.default_rng(1)), k=[1, 4, 16, 64])


def test_auto_plans_by_one_law_and_takes_numbers_from_another(fit):
    assert [law.name for law in fit.laws] == ["bottleneck", "quantile", "loss", "accuracy"]
    assert fit.law.plans
    assert fit.predict(2e8, 1e10, 4) == pytest.approx(float(fit.numbers.predict(2e8, 1e10, 4)))
    assert t2.plan(fit, train_flops=1e19, inference_flops=1e10).law == "bottleneck"


def test_counts_take_both_from_the_law_that_plans(rng):
    m = suite(rng)
    counts = replace(m, nll=None, n=np.full(m.nll.shape, 64.0), c=rng.binomial(64, np.exp(-m.nll)).astype(float))
    found = t2.fit(counts, k=[1, 4, 16])
    assert found.numbers is None
    assert found.predict(2e8, 1e10, 4) == pytest.approx(float(found.law.predict(2e8, 1e10, 4)))


def test_errors_travel_with_the_fit(fit):
    observed, said = fit.curves.pass_at_k, fit.predict(N[:, None], D[:, None], fit.curves.k)
    assert fit.quality.in_sample["pass_at_k"] == pytest.approx(np.mean(np.abs(said - observed) / observed))
    assert fit.quality.held_out["pass_at_k"] > 0.5 * fit.quality.in_sample["pass_at_k"]
    assert "hidden" in fit.explain()
    again = FitResult.from_dict(json.loads(fit.to_json()))
    assert again.quality.held_out == pytest.approx(fit.quality.held_out)
    for metric in ("pass_at_k", "neg_log_pass_at_k"):
        new, old = (f.predict(3e9, 1e13, 8, metric, interval=0.9) for f in (again, fit))
        assert np.array(new) == pytest.approx(np.array(old), rel=1e-5)


def test_intervals_hold_what_was_hidden_about_as_often_as_they_say():
    """On a truth without a floor; a floor that sets in beyond the data is not foreseen (docs/forecasting.md)."""
    far_N, far_D = np.geomspace(1e9, 2e9, 4), np.geomspace(1e12, 2e12, 4)
    held = {0.5: [], 0.9: []}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = t2.fit(suite(rng, floor=0.0, scale=5.0), k=[1, 4, 16])
        beyond = 5 * (300 * far_N**-0.33 + 500 * far_D**-0.33)
        z = np.random.default_rng(seed).standard_normal(120)  # the suite's own questions
        nll = beyond[:, None] * np.exp(0.5 * z + 0.05 * rng.standard_normal((4, 1)))
        truth = (1 - (1 - np.exp(-nll)) ** 4).mean(axis=1)
        for level, hits in held.items():
            _, low, high = found.predict(far_N, far_D, 4, interval=level)
            hits += list((low <= truth) & (truth <= high))
    assert 0.25 < np.mean(held[0.5]) < 0.8
    assert np.mean(held[0.9]) > 0.75


def test_intervals_widen_with_level_and_distance(fit):
    widths = [np.ptp(fit.predict(1e9, 1e11, 4, interval=level)[1:]) for level in (0.5, 0.8, 0.95)]
    assert widths == sorted(widths)
    near, far = (np.ptp(to_scale("pass_at_k", fit.predict(n, 1e3 * n, 4, interval=0.9)[1:])) for n in (1e9, 1e11))
    assert far > near


def test_every_law_has_intervals(rng):
    m = suite(rng)
    for law in ("loss", "accuracy", "naive", "chinchilla", "direct", "nearest"):
        value, low, high = t2.fit(m, law=law, k=[1, 4, 16]).predict(2e9, 1e12, interval=0.8)
        assert low < value < high, law


def test_too_few_runs_have_no_interval_and_say_so(rng):
    few = t2.fit(suite(rng).take(np.arange(0, 49, 7)), k=[1, 4])
    assert not few.quality.held_out
    assert "too few runs" in few.explain()
    with pytest.raises(t2.errors.ArgumentError, match="too few runs"):
        few.predict(1e9, 1e10, interval=0.9)


@pytest.mark.parametrize("level", [0.0, 1.0, 5.0])
def test_an_impossible_level_is_named(fit, level):
    with pytest.raises(t2.errors.ArgumentError, match="interval"):
        fit.predict(1e9, 1e10, interval=level)


def test_success_that_falls_with_tokens_is_warned_of(rng):
    spoilt = t2.fit(suite(rng, shift=0.8, run_noise=0.01), k=[1, 4, 16])
    sound = t2.fit(suite(rng, run_noise=0.01), k=[1, 4, 16])
    assert any("do not help" in text or "one direction" in text for text in spoilt.warnings)
    assert not any("do not help" in text or "one direction" in text for text in sound.warnings)


def test_the_scales_are_inverse_and_the_spread_is_by_hand():
    value = np.array([1e-6, 0.3, 0.999])
    for metric in ("pass_at_k", "neg_log_pass_at_k", "loss"):
        assert from_scale(metric, to_scale(metric, value)) == pytest.approx(value)
    assert np.isnan(to_scale("pass_at_k", 0.0))
    seen = Support.of(N, D)
    width = Spread("loss", np.array([1.0]), np.array([0.1]), np.linspace(0, 2, 99))
    low, high = width.interval(5.0, 1, seen.distance(N[0], D[0]), 0.5)
    assert (low, high) == pytest.approx((5 * np.exp(-0.1), 5 * np.exp(0.1)))
    away = np.exp(2.0) * N.max()
    assert width.scale(1, seen.distance(away, D.max())) == pytest.approx(0.1 * (1 + 0.5 * 2.0))
    assert spread_of("loss", np.ones(1), np.zeros((49, 1)), []) is None
