"""GPUs, prices and FLOPs."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.costs import (
    GPU,
    GPUS,
    CostModel,
    KineticsCost,
    PaperCost,
    Price,
    QueryCost,
    SardanaCost,
    gpu,
    sample_flops,
    train_flops,
)
from t2scaling.errors import ArgumentError


def test_every_gpu_names_its_source():
    for name, entry in GPUS.items():
        assert entry.name == name
        assert entry.source
        assert entry.dollars_per_hour is None or "Sardana" in entry.source


def test_gpu_by_name_object_and_mistake():
    assert gpu("H100") is GPUS["h100"]
    assert gpu(GPUS["a100"]) is GPUS["a100"]
    with pytest.raises(ArgumentError, match=r"`gpu` = 'v100'.*h100"):
        gpu("v100")
    with pytest.raises(ArgumentError, match=r"fp8.*a100"):
        gpu("a100").peak("fp8")
    with pytest.raises(ArgumentError, match="fp4"):
        gpu("b200").peak("fp4")


def test_dollars_hours_and_flops_agree():
    price = Price("h100", dollars_per_hour=3.0, utilisation=0.4)
    hours = price.gpu_hours(1e21)
    assert hours == pytest.approx(1e21 / (989e12 * 0.4 * 3600))
    assert price.dollars(1e21) == pytest.approx(3 * hours)
    assert price.flops_per_dollar * price.dollars(1e21) == pytest.approx(1e21)


def test_own_gpu():
    mine = GPU("mine", 1e12, None, None, 1e11, 1e9, 1e11, None, "measured")
    assert Price(mine, dollars_per_hour=1.0, utilisation=1.0).flops_per_dollar == 3.6e15


def test_price_errors_name_argument_and_value():
    with pytest.raises(ArgumentError, match=r"`utilisation` = 1.5"):
        Price(utilisation=1.5)
    with pytest.raises(ArgumentError, match="`price` = -1"):
        Price(dollars_per_hour=-1)
    assert not Price("b200").has_price
    with pytest.raises(ArgumentError, match=r"`price` is missing.*b200"):
        Price("b200").dollars(1e20)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_a_utilisation_is_a_share_above_zero(share):
    with pytest.raises(ArgumentError, match="utilisation"):
        Price("h100", utilisation=share)


def test_flops_broadcast():
    assert train_flops([1e6, 1e9], 20e9) == pytest.approx([1.2e17, 1.2e20])
    assert sample_flops(1e9, [1, 2.5]) == pytest.approx([2e9, 5e9])


@pytest.mark.parametrize("cost", [QueryCost(70, 215), SardanaCost(70, 215), KineticsCost(70, 215)])
def test_costs_per_query_turn_round_and_read_the_prompt_once(cost):
    N, k = np.array([1e7, 7e9]), np.array([1.0, 250.0])
    assert isinstance(cost, CostModel)
    assert cost.samples(N, cost.serve(N, k)) == pytest.approx(k)
    assert np.all(cost.serve(N, 8) < 8 * cost.serve(N, 1))
    assert np.all(cost.samples(N, cost.serve(N, 1) / 1e3) == 0)
    with pytest.raises(ArgumentError, match="answer_tokens"):
        type(cost)(70, 0)


def test_a_query_in_flops():
    assert float(QueryCost(70, 215).serve(1e9, 1)) == pytest.approx(2e9 * 285)
    assert float(QueryCost(70, 215).serve(1e9, 8)) == pytest.approx(2e9 * (70 + 8 * 215))


def test_the_paper_s_cost_turns_its_budgets_round():
    cost = PaperCost()
    N, D, k = np.array([1e6, 7e9]), np.array([3e9, 2e12]), np.array([1.0, 250.0])
    assert cost.train(7e9, 2e12) == pytest.approx(8.4e22)
    assert cost.serve(7e9, 250) == pytest.approx(3.5e12)
    assert cost.tokens(N, cost.train(N, D)) == pytest.approx(D)
    assert cost.samples(N, cost.serve(N, k)) == pytest.approx(k)
    assert cost.samples(1e9, 1e9) == 0.5
    assert isinstance(cost, CostModel)
