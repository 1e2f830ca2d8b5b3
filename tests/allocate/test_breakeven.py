"""When overtraining pays, where prices differ and where it never does."""

from __future__ import annotations

import pytest

from t2scaling.allocate import plan
from t2scaling.allocate.allocation import Allocation
from t2scaling.allocate.breakeven import break_even, matched_tokens
from t2scaling.costs import train_flops
from t2scaling.laws import LossLaw

LAW = LossLaw(E=1, A=400, alpha=0.34, B=1200, beta=0.37, G=6, gamma=0.2)


def test_dearer_serving_pays_off_on_less_traffic():
    """A served token that costs four times as much stands for four: both numbers fall to a quarter."""
    best = plan(LAW, train_flops=2.56e19, inference_flops=2e9)
    pair = best.optimum, best.chinchilla
    assert matched_tokens(LAW, best.optimum, weight=4) == pytest.approx(matched_tokens(LAW, best.optimum) / 4)
    assert break_even(LAW, *pair, weight=4) == pytest.approx(break_even(LAW, *pair) / 4, rel=1e-6)


def test_a_model_that_is_too_large_never_pays():
    """Ten times Chinchilla's size at the same training cost: a rival is cheaper to train and to serve."""
    best = plan(LAW, train_flops=2.56e19, inference_flops=2e11)
    N = 10 * best.chinchilla.n_params
    D = best.chinchilla.train_flops / float(train_flops(N, 1))
    large = Allocation(N, D, 4.0, best.metric, float(LAW.predict(N, D, 4.0)))
    assert break_even(LAW, large, best.chinchilla) is None
