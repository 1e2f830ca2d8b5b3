"""The serving cost as a cost model: what it turns round, what it refuses, what it becomes without overheads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2scaling.costs import CostModel, PaperCost, Serving, n_params, typical_shape
from t2scaling.costs.serving import Constants
from t2scaling.errors import ArgumentError


def test_it_is_a_cost_model() -> None:
    assert isinstance(Serving(), CostModel)
    assert Serving(unit="dollars").serve_unit == "dollars per query"


@settings(max_examples=80, deadline=None)
@given(
    log_n=st.floats(15, 25), k=st.floats(1, 1e4),
    prompt=st.sampled_from([0.0, 10, 500, 8000]), answer=st.floats(1, 4000),
    batch=st.sampled_from(["max", 1.0, 32.0, 1e5]), shared=st.booleans(), reads=st.booleans(),
    tp=st.sampled_from([1, 8]),
    experts=st.sampled_from([1.0, 8.0]), unit=st.sampled_from(["gpu_seconds", "dollars"]),
)  # fmt: skip
def test_samples_turns_serve_round(log_n, k, prompt, answer, batch, shared, reads, tp, experts, unit) -> None:
    N = np.exp(log_n)
    serving = Serving(
        gpu="h100", tp=tp, prompt_tokens=prompt, answer_tokens=answer, batch=batch, shared_prompt=shared,
        shared_reads=reads, total_per_active=experts, unit=unit,
    )  # fmt: skip
    cost = serving.serve(N, k)
    if np.isfinite(cost):
        assert serving.samples(N, cost) == pytest.approx(k, rel=1e-9)
        assert serving.serve(N, 1.5 * k) > cost
        assert serving.serve(1.5 * N, k) > cost
    else:
        assert serving.samples(N, 1e9) == 0


def test_the_lines_are_the_formula() -> None:
    """A query at one setting, written out as the module's three lines."""
    constants = Constants(0.8, 0.5, 0.7, 1e-3, 3e-5, 2e-5)
    serving = Serving(gpu="h100", tp=2, prompt_tokens=700, answer_tokens=300, batch=64, constants=constants)
    shape, k, B = typical_shape(8e9), 16.0, 64.0
    N, L, d = float(n_params(shape)), float(shape.depth), float(shape.width)
    kv = 2 * L * float(shape.n_kv_heads) * 128 * 2
    prefill = (2 * N * 700 + 2 * L * float(shape.n_heads) * 128 * 700**2) / (2 * 989e12 * 0.5)
    step = max(N * 2 / (2 * 3.35e12 * 0.8), 2 * N * B / (2 * 989e12 * 0.5)) + B * 850 * kv / (2 * 3.35e12 * 0.7)
    step += 1e-3 + L * 3e-5 + 2 * L * (2e-5 + 4 * B * d / 900e9)
    assert serving.gpu_seconds(8e9, k) == pytest.approx(2 * (prefill + k * 300 * step / B), rel=1e-12)


def test_without_overheads_a_large_batch_costs_two_n_k() -> None:
    ideal = Constants(1, 1, 1e9, 0, 0, 0)
    serving = Serving(prompt_tokens=0, answer_tokens=100, batch=1e9, cache="fp8", most_sequences=1e9, constants=ideal)
    N = np.geomspace(1e7, 1e9, 5)
    # Memory still bounds the batch: so many sequences that the weights' reading vanishes beside their products.
    big = N[serving.sequences(N) > 2e4]
    expected = PaperCost().serve(big, 7.0) * 100 / 989e12
    np.testing.assert_allclose(serving.serve(big, 7.0), expected, rtol=1e-6)


def test_a_model_that_does_not_fit_affords_nothing() -> None:
    serving = Serving(gpu="h100", prompt_tokens=100, answer_tokens=100)
    assert not serving.fits(70e9)
    assert serving.serve(70e9, 1) == np.inf
    assert serving.samples(70e9, 1e6) == 0
    assert Serving(gpu="h100", tp=4, prompt_tokens=100, answer_tokens=100).fits(70e9)


def test_a_limit_on_the_step_decides_the_batch() -> None:
    serving = Serving(prompt_tokens=500, answer_tokens=500, step_seconds=0.02)
    assert float(serving.seconds_per_token(8e9)) == pytest.approx(0.02, rel=1e-9)
    assert not Serving(step_seconds=1e-4).fits(8e9)


def test_sharing_a_prompt_never_costs_more() -> None:
    for reads in (False, True):
        shared = Serving(prompt_tokens=2000, answer_tokens=100, shared_reads=reads)
        alone = Serving(prompt_tokens=2000, answer_tokens=100, shared_prompt=False)
        k = np.array([1.0, 4.0, 64.0])
        assert np.all(shared.serve(3e9, k) <= alone.serve(3e9, k) * (1 + 1e-12))


def test_experts_are_read_as_the_batch_reaches_them() -> None:
    few = Serving(batch=1, total_per_active=8, prompt_tokens=10, answer_tokens=100)
    dense = Serving(batch=1, prompt_tokens=10, answer_tokens=100)
    assert float(few.serve(1e9, 1)) == pytest.approx(float(dense.serve(1e9, 1)), rel=1e-9)
    many = Serving(batch=64, total_per_active=8, prompt_tokens=10, answer_tokens=100)
    assert float(many.serve(1e9, 1)) > float(Serving(batch=64, prompt_tokens=10, answer_tokens=100).serve(1e9, 1))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"answer_tokens": 0}, "answer_tokens"),
        ({"prompt_tokens": -1}, "prompt_tokens"),
        ({"batch": 0.5}, "batch"),
        ({"batch": 8, "step_seconds": 0.1}, "step_seconds"),
        ({"tp": 1.5}, "tp"),
        ({"tp": 10**400}, "tp"),
        ({"answer_tokens": 10**9000}, "answer_tokens"),
        ({"weights": "fp16x"}, "weights"),
        ({"weights": "fp8", "gpu": "a100"}, "fp8"),
        ({"gpu": "h200", "unit": "dollars"}, "price"),
        ({"dollars_per_hour": -2}, "dollars_per_hour"),
        ({"total_per_active": 0.5}, "total_per_active"),
    ],
)
def test_refusals(settings: dict, named: str) -> None:
    with pytest.raises((ArgumentError, ValueError), match=named):
        Serving(**settings)


def test_the_typical_shape_holds_its_parameters() -> None:
    N = np.geomspace(1e6, 1e12, 50)
    np.testing.assert_allclose(n_params(typical_shape(N)), N, rtol=1e-12)
    assert np.all(np.diff(typical_shape(N).width) > 0)
