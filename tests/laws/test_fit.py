"""`fit` from end to end: every law, what it stores, what it warns of, what it refuses."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws import (
    AccuracyLaw,
    ChinchillaLaw,
    Curves,
    FitResult,
    FitStatus,
    LossLaw,
    Measurements,
    NaiveLaw,
    default_k,
    fit_chinchilla,
)
from t2scaling.laws import fit as fit_any
from t2scaling.laws.bootstrap import draw
from t2scaling.laws.curves import curves as make_curves
from t2scaling.laws.isoflop import inverse_variance_weights, isoflop_groups
from t2scaling.laws.options import FitOptions

fit = partial(fit_any, law="loss")
PLANTED = LossLaw(1.0, 400.0, 0.34, 1200.0, 0.37, 6.0, 0.2)
K = np.geomspace(1, 30, 6)


def suite(rng, R=24, Q=60, spread=0.6, noise=0.05, **more):
    """A suite whose mean loss follows Chinchilla's law, with log-normal spread over questions."""
    N, D = np.exp(rng.uniform(np.log(5e6), np.log(9e8), R)), np.exp(rng.uniform(np.log(5e7), np.log(1e11), R))
    loss = 2 + 220 * N**-0.25 + 900 * D**-0.3
    nll = loss[:, None] * np.exp(spread * rng.standard_normal(Q) - 0.5 * spread**2)
    nll = nll * np.exp(noise * rng.standard_normal((R, Q)))
    names = tuple(f"run{i}" for i in range(R))
    return Measurements("toy", names, N, D, np.full(Q, 1 / Q), nll=nll, data_hash="abc", **more)


def planted_curves(N, D, k=K, law=PLANTED):
    value = law.predict(N[:, None], D[:, None], k)
    names = tuple(str(i) for i in range(len(N)))
    return Curves("t", names, N, D, np.asarray(k), value, np.exp(-value), np.zeros_like(value), "mean_neg_log")


def grid_curves(law=PLANTED, k=K):
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e8, 1e11, 4)))
    return planted_curves(N, D, k, law)


@pytest.fixture(scope="module")
def measurements():
    return suite(np.random.default_rng(0))


@pytest.mark.parametrize(
    ("law", "kind"), [("loss", LossLaw), ("accuracy", AccuracyLaw), ("chinchilla", ChinchillaLaw), ("naive", NaiveLaw)]
)
def test_every_law_fits_predicts_and_goes_to_json_and_back(measurements, tmp_path, law, kind):
    found = fit(measurements, law=law, k=K, bootstrap=6, seed=3)
    assert isinstance(found.law, kind)
    assert found.status in (FitStatus.CONVERGED, FitStatus.AT_BOUND)
    assert found.residuals.shape == (24, 1 if law == "chinchilla" else 6)
    assert found.bootstrap.samples.shape == (6, len(found.law.parameters))
    assert [type(one) for one in found.bootstrap.laws()] == [kind] * 6
    again = FitResult.load(found.save(tmp_path / "fit.json"))
    assert again.to_json() == found.to_json()
    assert again.law == found.law
    assert again.bootstrap.laws() == found.bootstrap.laws()
    np.testing.assert_array_equal(again.curves.value, found.curves.value)
    np.testing.assert_allclose(again.predict(1e8, 2e9), found.law.predict(1e8, 2e9))
    json.loads(found.to_json())


def test_planted_law_comes_back_through_fit():
    found = fit(grid_curves())
    for name, value in PLANTED.parameters.items():
        assert found.law.parameters[name] == pytest.approx(value, rel=1e-6)
    assert found.status is FitStatus.CONVERGED
    assert found.warnings == ()
    assert np.abs(found.residuals).max() < 1e-9


def test_planted_accuracy_law_comes_back_through_both_stages():
    law = AccuracyLaw(ChinchillaLaw(2.0, 220.0, 0.25, 900.0, 0.3), (8.0, 0.7, 0.9, 0.6, -0.1))
    base = grid_curves()
    N, D = base.N[:, None], base.D[:, None]
    # `loss` is the first column of `value`, so the table of −log is that loss at k = 1.
    value = np.broadcast_to(law.loss.predict(N, D), base.value.shape)
    curves = Curves("t", base.run_id, base.N, base.D, K, value, law.predict(N, D, K), 0 * value, "mean_neg_log")
    for weights in ("equal", "inverse_variance"):
        found = fit(curves, law="accuracy", weights=weights)
        for name, expected in law.parameters.items():
            assert found.law.parameters[name] == pytest.approx(expected, rel=1e-5)


def test_solvers_agree(measurements):
    exact = fit(measurements, k=K)
    reference = fit(measurements, k=K, solver="restarts", restarts=15)
    assert exact.objective <= reference.objective * (1 + 1e-9)
    np.testing.assert_allclose(exact.law.predict(1e8, 2e9, 4), reference.law.predict(1e8, 2e9, 4), rtol=1e-5)
    for solver in ("huber", "log_sse"):
        assert fit(measurements, k=K, solver=solver).law.predict(1e8, 2e9, 4) == pytest.approx(
            float(exact.law.predict(1e8, 2e9, 4)), rel=0.05
        )


def test_one_k_is_chinchilla_with_floor_E_plus_G(measurements):
    found = fit(grid_curves())
    k1 = fit(grid_curves(), law="chinchilla")
    first = found.law.training_law
    for name, value in first.parameters.items():
        assert k1.law.parameters[name] == pytest.approx(value, rel=1e-5)


def test_naive_law_never_falls_below_the_accuracy_law(measurements):
    """Jensen: at the same mean rate, questions that differ are passed less often in k draws than equal ones."""
    law = fit(measurements, law="accuracy", k=K).law
    naive = NaiveLaw(law.loss, law.theta[:3])
    N, k = np.geomspace(1e7, 1e9, 7)[:, None], np.geomspace(1, 1e4, 9)
    assert np.all(naive.predict(N, 1e10, k) >= law.predict(N, 1e10, k) - 1e-12)


def test_accuracy_law_tends_to_one_as_k_grows(measurements):
    law = fit(measurements, law="accuracy", k=K).law
    rates = law.predict(1e8, 2e9, 10.0 ** np.arange(0, 60, 6))
    assert np.all(np.diff(rates) >= 0)
    assert rates[-1] == pytest.approx(1, abs=1e-3)


def test_bootstrap_is_the_same_for_any_number_of_jobs(measurements):
    draws = [fit(measurements, k=K, bootstrap=120, seed=7, jobs=jobs).bootstrap.samples for jobs in (1, 2, 3)]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], draws[2])
    other = fit(measurements, k=K, bootstrap=120, seed=8).bootstrap.samples
    assert not np.array_equal(draws[0], other)


def test_first_replicates_do_not_depend_on_how_many_follow(measurements):
    few, many = (fit(measurements, k=K, bootstrap=B, bootstrap_over="runs", seed=1).bootstrap.samples for B in (50, 80))
    np.testing.assert_allclose(few, many[:50], rtol=1e-6)


def test_replicates_equal_fits_to_the_resampled_data(measurements):
    """Each refit reaches what a full search on the same resample reaches."""
    from t2scaling.laws.solvers.powers import design
    from t2scaling.laws.solvers.varpro import fit_powers

    found = fit(measurements, k=K, bootstrap=8, bootstrap_over="runs", seed=5)
    for b, child in enumerate(np.random.SeedSequence(5).spawn(8)):
        weight = np.random.default_rng(child).multinomial(24, np.full(24, 1 / 24)).astype(float)
        c = found.curves
        best = fit_powers(design(c.N, c.D, c.k, c.value[None], weight[None])).value[0]
        law = found.bootstrap.laws()[b]
        residual = c.value - law.predict(c.N[:, None], c.D[:, None], c.k)
        assert np.sum(weight[:, None] * residual**2) <= best * (1 + 1e-8)


def test_intervals_shrink_with_more_questions_and_hold_the_estimate():
    wide, narrow = (
        fit(suite(np.random.default_rng(2), Q=Q), k=K, bootstrap=60, bootstrap_over="questions").bootstrap
        for Q in (20, 2000)
    )
    width = [np.ptp(boot.interval()["G"]) for boot in (wide, narrow)]
    assert width[1] < 0.5 * width[0]


def test_interval_of_a_prediction(measurements):
    found = fit(measurements, k=K, bootstrap=40)
    low, high = found.bootstrap.predict_interval([1e8, 2e8], 2e9, 4)
    assert low.shape == (2,)
    assert np.all(low < high)
    assert np.all((low < found.predict([1e8, 2e8], 2e9, 4) * 1.1) & (high > found.predict([1e8, 2e8], 2e9, 4) * 0.9))


def test_outside_the_fitted_range(measurements):
    found = fit(measurements, k=K)
    inside = np.exp(np.mean(np.log(found.support["N"])))
    assert not found.outside(inside, 20 * inside, 4)
    np.testing.assert_array_equal(found.outside([inside, 1e11], 20 * inside, 4), [False, True])
    assert found.outside(inside, 20 * inside, 1e4)


def test_default_k_runs_to_the_budget_of_the_smallest_model(measurements):
    k = fit(measurements, inference_flops=2e9).curves.k
    assert len(k) == 12
    assert k[0] == 1
    assert k[-1] == pytest.approx(2e9 / (2 * measurements.N.min()))
    np.testing.assert_allclose(default_k(measurements.N)[-1], measurements.N.max() / measurements.N.min())
    with pytest.raises(ValueError, match="inference_flops"):
        fit(measurements, inference_flops=1e3)


def test_k_is_stored_and_always_contains_one(measurements):
    np.testing.assert_array_equal(fit(measurements, k=[8, 2]).curves.k, [1, 2, 8])


def counts(rng, R=12, Q=30, n=16):
    m = suite(rng, R, Q)
    c = rng.binomial(n, np.exp(-m.nll / 4))
    return Measurements("toy", m.run_id, m.N, m.D, m.question_weight, n=np.full((R, Q), float(n)), c=c.astype(float))


def test_k_beyond_the_samples_is_dropped_with_a_warning(rng):
    found = fit(counts(rng), k=[1, 2, 4, 64])
    np.testing.assert_array_equal(found.curves.k, [1, 2, 4])
    assert any("dropped k = 64" in sentence for sentence in found.warnings)
    assert found.target == "neg_log_mean"
    assert found.predict(1e8, 2e9, 2, metric="pass_at_k") == pytest.approx(np.exp(-found.predict(1e8, 2e9, 2)))


def test_default_k_of_counts_ends_at_the_samples(rng):
    found = fit(counts(rng), inference_flops=1e12)
    assert found.curves.k[-1] == pytest.approx(16)
    assert any("samples for k up to 16" in sentence for sentence in found.warnings)


def test_runs_that_solve_nothing_are_told_of(rng):
    m = counts(rng)
    c = m.c.copy()
    c[0] = 0
    found = fit(Measurements("toy", m.run_id, m.N, m.D, m.question_weight, n=m.n, c=c), k=[1, 2, 4], bootstrap=4)
    assert any("1 of 12 runs solve nothing" in sentence for sentence in found.warnings)
    assert np.isfinite(found.bootstrap.samples).all()


@pytest.mark.parametrize(
    ("curves", "words"),
    [
        (grid_curves(LossLaw(0.0, 400.0, 0.34, 1200.0, 0.37, 6.0, 0.2)), "E is at zero"),
        (grid_curves(k=np.array([1.0, 4.0])), "rest on 2 values of k"),
        (planted_curves(np.geomspace(1e7, 1e9, 12), 20 * np.geomspace(1e7, 1e9, 12)), "20x tokens per parameter"),
        (planted_curves(np.geomspace(1e7, 1e9, 12), np.geomspace(1e7, 1e9, 12) ** 1.3), "lie on one line"),
        (planted_curves(np.array([1e7, 1e8, 1e9] * 2), np.repeat([1e9, 1e11], 3)), "6 runs are few"),
        (planted_curves(np.array([1e7, 1e8, 1e9] * 2), np.repeat([1e9, 1e11], 3)), "2 value(s) of D"),
    ],
)  # fmt: skip
def test_warnings(curves, words):
    assert any(words in sentence for sentence in fit(curves).warnings)


def test_zero_floor_reports_what_is_known():
    found = fit(grid_curves(LossLaw(0.0, 400.0, 0.34, 1200.0, 0.37, 6.0, 0.2)))
    assert "E + G = 6" in found.explain()


def test_likelihood_per_token_is_warned_of(measurements):
    m = suite(np.random.default_rng(0), conventions={"nll": "mean_per_token"})
    assert any("mean per token" in sentence for sentence in fit(m, k=K).warnings)


def test_exponent_on_its_bound():
    found = fit(grid_curves(), bounds=(0.01, 0.3))
    assert found.status is FitStatus.AT_BOUND
    assert "beta = 0.3 is on its bound 0.3" in found.explain()


def test_support_and_explanation(measurements):
    found = fit(measurements, k=K)
    assert found.support["N"] == (measurements.N.min(), measurements.N.max())
    assert found.support["k"] == (1, 30)
    assert set(found.support) == {"N", "D", "k", "tokens_per_param", "train_flops"}
    assert found.explain().startswith(found.status.value)
    assert found.data_hash == "abc"
    assert [row["parameter"] for row in found.summary()] == list(found.law.parameters)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"law": "linear"}, "`law` = 'linear'"),
        ({"solver": "magic"}, "`solver` = 'magic'"),
        ({"bootstrap": -1}, "`bootstrap` = -1"),
        ({"bootstrap": 5, "bootstrap_over": "models"}, "bootstrap_over"),
        ({"bounds": (0.5, 0.1)}, "bounds"),
        ({"bounds": 5}, "`bounds` = 5 must be two"),
        ({"bootstrap": "ten"}, "`bootstrap` = 'ten' must be a whole number"),
        ({"restarts": 2.5}, "`restarts` = 2.5 must be a whole number"),
        ({"seed": 1.5}, "`seed` = 1.5 must be a whole number"),
        ({"jobs": "all"}, "`jobs` = 'all' must be a whole number"),
        ({"delta": -1}, "`delta` = -1 must be above zero"),
        ({"inference_flops": "much"}, "`inference_flops` = 'much': `much` is not a number"),
        ({"k": "1,many"}, "`k` = 1,many: `many` is not a number"),
        ({"weights": "none"}, "`weights` = 'none'"),
        ({"k": [0.2]}, "`k` = 0.2"),
    ],
)
def test_impossible_arguments(measurements, options, words):
    with pytest.raises(ArgumentError, match=words):
        fit(measurements, **options)


def test_too_little_data():
    few = planted_curves(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e10, 4))
    with pytest.raises(DataError, match="4 of 4 runs"):
        fit(few)
    with pytest.raises(DataError, match="two values of k"):
        fit(grid_curves(k=np.ones(1)))


def test_own_loss_law_is_used(measurements):
    own = ChinchillaLaw(2.0, 220.0, 0.25, 900.0, 0.3)
    assert fit(measurements, law="accuracy", k=K, loss_law=own).law.loss == own


def test_anything_with_measurements_can_be_fitted(measurements):
    class Holder:
        def measurements(self, task=None, stage="base"):
            assert (task, stage) == ("toy", "sft")
            return measurements

    assert fit(Holder(), task="toy", stage="sft", k=K).task == "toy"


def test_chinchilla_from_plain_arrays(rng):
    N, D = np.exp(rng.uniform(15, 21, 30)), np.exp(rng.uniform(18, 25, 30))
    law = ChinchillaLaw(1.7, 400.0, 0.34, 410.0, 0.28)
    for objective in ("sse", "log_sse", "log_huber"):
        found = fit_chinchilla(N, D, law.predict(N, D), objective=objective)
        for name, value in law.parameters.items():
            assert found.law.parameters[name] == pytest.approx(value, rel=1e-5)
    with pytest.raises(ValueError, match="objective"):
        fit_chinchilla(N, D, law.predict(N, D), objective="mse")
    with pytest.raises(DataError, match="positive"):
        fit_chinchilla(N, D, -law.predict(N, D))
    with pytest.raises(DataError, match="one length"):
        fit_chinchilla(N, D[:-1], law.predict(N, D))


def test_huber_ignores_a_bad_point(rng):
    N, D = np.exp(rng.uniform(15, 21, 30)), np.exp(rng.uniform(18, 25, 30))
    law = ChinchillaLaw(1.7, 400.0, 0.34, 410.0, 0.28)
    loss = law.predict(N, D)
    loss[3] *= 1.5
    alpha = {o: fit_chinchilla(N, D, loss, objective=o).law.alpha for o in ("sse", "log_huber")}
    assert abs(alpha["log_huber"] - 0.34) < 0.01 < abs(alpha["sse"] - 0.34)


def test_isoflop_groups_and_weights():
    flops = np.array([1e18, 1.05e18, 2e18, 0.98e18, 2.1e18, 1.9e18])
    np.testing.assert_array_equal(isoflop_groups(flops), [0, 0, 1, 0, 1, 1])
    loss = np.array([1.0, 2.0, 10.0, 3.0, 30.0, 20.0])
    weight = inverse_variance_weights(flops, loss)
    assert weight.mean() == pytest.approx(1)
    assert weight[0] / weight[2] == pytest.approx(100)
    np.testing.assert_array_equal(inverse_variance_weights(flops[:2], loss[:2]), [1, 1])


def test_noisier_groups_weigh_less(rng):
    """One of three isoFLOP levels is spoilt by noise: weighting by inverse variance comes closer to the truth."""
    flops = np.repeat([1e18, 1e19, 1e20], 8)
    N = np.tile(np.geomspace(1e7, 1e9, 8), 3)
    curves = planted_curves(N, flops / 6 / N)
    value = curves.value + np.where(flops == 1e18, 4.0, 0.0)[:, None] * rng.standard_normal((24, 1))
    spoilt = replace(curves, value=value, pass_at_k=np.exp(-np.abs(value)))
    off = {
        weights: abs(fit(spoilt, law="naive", weights=weights).law.loss.predict(1e8, 1e11) - PLANTED.predict(1e8, 1e11))
        for weights in ("equal", "inverse_variance")
    }
    assert off["inverse_variance"] < 0.5 * off["equal"]


@pytest.mark.parametrize("content", ["not json", "[]", '{"format": "other"}', '{"format": "t2scaling/fit/1"}'])
def test_files_that_are_no_fit(tmp_path, content):
    path = tmp_path / "fit.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"fit\.json"):
        FitResult.load(path)


def test_rates_that_least_squares_cannot_see_are_refused(rng):
    hopeless = suite(rng, spread=0.1, noise=0.01)
    hopeless = replace(hopeless, nll=hopeless.nll + 30)
    for law in ("accuracy", "naive"):
        with pytest.raises(DataError, match="sees nothing of rates below 1e-06: fit the loss law"):
            fit(hopeless, law=law, k=[1, 4])
    assert fit(hopeless, law="loss", k=[1, 4]).law.E > 0


def test_the_papers_protocol_keeps_E_on_its_grid(measurements):
    curves = make_curves(measurements, [1, 4])
    paper = fit(curves, law="accuracy", solver="paper", restarts=2)
    share = paper.law.loss.E / curves.loss.min()
    assert np.min(np.abs(np.linspace(0.01, 0.95, 40) - share)) < 1e-9
    exact = fit(curves, law="accuracy")
    assert paper.predict(1e8, 1e10, 4) == pytest.approx(exact.predict(1e8, 1e10, 4), rel=0.02)


def test_the_variance_of_an_isoflop_group_is_that_of_a_sample():
    """1/Var with R − 1 in the denominator, so that groups of unlike size are weighed alike (App. F)."""
    flops = np.repeat([1e18, 1e19], [3, 8])
    loss = np.concatenate([[3.0, 3.3, 3.9], 2 + np.linspace(0, 0.7, 8)])
    weight = inverse_variance_weights(flops, loss)
    variance = [np.sum((part - part.mean()) ** 2) / (len(part) - 1) for part in (loss[:3], loss[3:])]
    assert weight[0] / weight[-1] == pytest.approx(variance[1] / variance[0], rel=1e-12)
    assert weight.mean() == pytest.approx(1)


def test_questions_are_drawn_within_their_task(rng):
    """A replicate has as many questions of each task as the data: a task cannot drop out by chance."""
    group = np.repeat([0, 1, 2], [2, 5, 43])
    many = replace(suite(rng, R=6, Q=50), question_group=group)
    weight, counts = draw(many, 6, 30, "runs_and_questions", seed=0)
    assert weight.shape == (30, 6)
    for label, size in enumerate((2, 5, 43)):
        assert np.all(counts[:, group == label].sum(axis=1) == size)
    assert len({tuple(row) for row in counts}) == 30


@pytest.mark.parametrize("option", ["bootstrap", "restarts"])
def test_refits_without_end_are_refused(option):
    with pytest.raises(ArgumentError, match=f"`{option}` = 1000000.* 100,000"):
        FitOptions(**{option: 10**6})
    assert getattr(FitOptions(**{option: 10**5}), option) == 10**5
