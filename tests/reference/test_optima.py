"""Optima against numbers from outside: Chinchilla's laws, the T² loss law, Sardana et al., Snell et al."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.allocate import frontier, inference_aware_optimum, plan
from t2scaling.costs import matched_inference_factor
from t2scaling.errors import ArgumentError
from t2scaling.laws import LossLaw, load_law

# (law, C) → N, D, D/N, loss or None: closed forms evaluated independently.
OPTIMA = [
    ("chinchilla/hoffmann", 1e21, 1.824e9, 9.136e10, 50.1, 2.3289),
    ("chinchilla/hoffmann", 5.76e23, 3.219e10, 2.982e12, 92.7, 1.9307),
    ("chinchilla/hoffmann", 1e25, 1.168e11, 1.427e13, 122, None),
    ("chinchilla/hoffmann-precise", 1e21, 2.217e9, 7.518e10, 33.9, 2.2955),
    ("chinchilla/hoffmann-precise", 5.76e23, 4.036e10, 2.379e12, 58.9, 1.9184),
    ("chinchilla/hoffmann-precise", 1e25, 1.485e11, 1.122e13, 75.5, None),
    ("chinchilla/besiroglu", 1e21, 2.782e9, 5.991e10, 21.5, 2.3048),
    ("chinchilla/besiroglu", 5.76e23, 7.236e10, 1.327e12, 18.34, 1.9740),
    ("chinchilla/besiroglu", 1e25, 3.126e11, 5.332e12, 17.06, None),
    ("muennighoff/c4", 1e21, 2.915e9, 5.717e10, 19.61, None),
    ("muennighoff/c4", 5.76e23, 6.996e10, 1.372e12, 19.61, None),
    ("muennighoff/c4", 1e25, 2.915e11, 5.717e12, 19.61, None),
]


@pytest.mark.parametrize(("name", "C", "N", "D", "ratio", "loss"), OPTIMA)
def test_compute_optimum_of_published_laws(name, C, N, D, ratio, loss):
    best = plan(load_law(name), train_flops=C)
    assert best.n_params == pytest.approx(N, rel=5e-4)  # four digits are given
    assert best.n_tokens == pytest.approx(D, rel=5e-4)
    assert best.tokens_per_param == pytest.approx(ratio, rel=5e-3)
    if loss is not None:
        assert best.value == pytest.approx(loss, abs=6e-5)


LOSS = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)


@pytest.mark.parametrize(
    ("inference", "N", "ratio", "k", "value"),
    [(2e9, 1.25871e7, 26930, 79.45, 5.108150), (1.4e11, 5.17086e7, 1595.7, 1354, 3.481994)],
)
def test_t2_optimum_of_the_loss_law(inference, N, ratio, k, value):
    best = plan(LOSS, train_flops=2.56e19, inference_flops=inference)
    assert best.n_params == pytest.approx(N, rel=1e-5)
    assert best.tokens_per_param == pytest.approx(ratio, rel=3.2e-5)
    assert best.k == pytest.approx(k, rel=2e-4)
    assert best.value == pytest.approx(value, abs=1e-6)
    assert best.chinchilla.n_params == pytest.approx(9.65859e8, rel=1e-6)


def test_frontier_meets_the_same_optima():
    both = frontier(LOSS, train_flops=2.56e19, inference_flops=[2e9, 1.4e11])
    assert both.n_params == pytest.approx([1.25871e7, 5.17086e7], rel=1e-5)


def test_sardana_70b_quality_for_two_trillion_tokens():
    """The example of their README: loss 1.947, 2T tokens of inference."""
    law = load_law("chinchilla/sardana").law
    assert float(law.predict(70e9, 1e12)) == pytest.approx(1.9473, abs=5e-5)
    N, D = inference_aware_optimum(law, 1.947, 2e12)
    base_n, base_d = inference_aware_optimum(law, 1.947, 0)
    assert float(N) == pytest.approx(2.418e10, rel=5e-4)
    assert float(D) == pytest.approx(2.657e12, rel=5e-4)
    assert float(base_n) == pytest.approx(3.408e10, rel=5e-4)
    assert float(base_d) == pytest.approx(1.810e12, rel=5e-4)
    assert float(N / base_n) == pytest.approx(0.7096, abs=1e-4)
    assert float(D / base_d) == pytest.approx(1.4677, abs=1e-4)
    cost, base = (6 * n * d + 2 * n * 2e12 for n, d in ((N, D), (base_n, base_d)))
    assert float(cost / base) == pytest.approx(0.9522, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "served", "N", "D", "saved"),
    [(13e9, 2e12, 6.969e9, 1.248e12, 0.174), (7e9, 1e11, 6.000e9, None, None)],
)
def test_sardana_statements_about_smaller_models(size, served, N, D, saved):
    """13B quality and 2T tokens: a 7B model, 17 % saved. 7B quality and 1e11 tokens: 6B on 1.18 times the data."""
    law = load_law("chinchilla/sardana").law
    flops = 6 * size * chinchilla_tokens(law, size)
    found_n, found_d = inference_aware_optimum(law, law.predict(size, flops / (6 * size)), served)
    assert float(found_n) == pytest.approx(N, rel=5e-4)
    if D is None:
        assert float(found_d * 6 * size / flops) == pytest.approx(1.176, abs=1e-3)
    else:
        base = flops + 2 * size * served
        assert float(found_d) == pytest.approx(D, rel=5e-4)
        assert float(1 - (6 * found_n * found_d + 2 * found_n * served) / base) == pytest.approx(saved, abs=1e-3)


def chinchilla_tokens(law, size):
    """D for which `size` is compute-optimal: alpha·A·N^−alpha = beta·B·D^−beta."""
    return (law.beta * law.B / (law.alpha * law.A * size**-law.alpha)) ** (1 / law.beta)


def test_the_two_forms_of_sardana_s_problem_agree():
    """Least cost for a loss, and least loss for that cost, are one allocation."""
    law = load_law("chinchilla/sardana").law
    N, D = inference_aware_optimum(law, 2.1, 5e11)
    total = 6 * N * D + 2 * N * 5e11
    assert float(law.served_optimum(total / 6, np.array(5e11 / 3))[0]) == pytest.approx(float(N), rel=1e-10)
    served = plan(law, total_flops=float(total), tokens_served=5e11)
    assert served.n_params == pytest.approx(float(N), rel=1e-9)
    assert served.value == pytest.approx(2.1, abs=1e-12)


def test_a_loss_below_the_floor_is_refused():
    with pytest.raises(ArgumentError, match=r"floor|above E"):
        inference_aware_optimum(load_law("chinchilla/sardana").law, 1.5, 1e12)


@pytest.mark.parametrize(("ratio", "factor"), [(0.16, 257.8), (0.79, 63.4), (22, 15.8)])
def test_snell_exchange_of_model_size_for_samples(ratio, factor):
    """Their M ≈ 14 and R = D_inf/D_pre."""
    assert matched_inference_factor(14, 1e12, ratio * 1e12) == pytest.approx(factor, abs=0.06)
