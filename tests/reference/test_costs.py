"""Costs against numbers from outside: Porian's counts, Llama and Qwen caches, Kinetics, Sardana's dollars."""

from __future__ import annotations

import pytest

from t2scaling.allocate import Allocation, Budget
from t2scaling.costs import (
    GPUS,
    KineticsCost,
    Price,
    SardanaCost,
    Shape,
    attention_flops,
    forward_flops,
    gpu,
    kinetics_cost,
    kv_bytes_per_token,
    n_params,
    train_flops_per_token,
)
from t2scaling.laws import load_law

# Porian et al. 2024: width, depth, d_ff (four heads, vocabulary 50,432) and N.
PORIAN = [
    (96, 3, 256, 5173248), (128, 4, 512, 7503872), (160, 5, 512, 9809920), (224, 6, 768, 15597568),
    (288, 8, 768, 22487040), (320, 9, 1024, 28672000), (384, 10, 1024, 37060608), (480, 12, 1280, 57384960),
    (576, 14, 1536, 84787200), (640, 15, 1792, 108462080), (704, 18, 2048, 149045248), (832, 21, 2304, 220872704),
    (1024, 23, 2816, 347078656), (1120, 26, 3072, 455311360), (1312, 26, 3584, 611958784), (1504, 30, 4096, 901726208),
]  # fmt: skip
LLAMA_2_7B = Shape(4096, 32, 32, 32, 128, 11008, 32000)
LLAMA_3_8B = Shape(4096, 32, 32, 8, 128, 14336, 128256)
LLAMA_3_70B = Shape(8192, 80, 64, 8, 128, 28672, 128256)
QWEN_3_8B = Shape(4096, 36, 32, 8, 128, 12288, 151936)


@pytest.mark.parametrize(("width", "depth", "d_ff", "N"), PORIAN)
def test_porian_counts(width, depth, d_ff, N):
    shape = Shape(width, depth, 4, 4, width // 4, d_ff, 50432)
    assert n_params(shape, "with_head") == N
    assert train_flops_per_token(shape, 2048) == 6 * N + 6 * 2048 * width * depth
    assert train_flops_per_token(shape, 2048, attention=False) == 6 * N


@pytest.mark.parametrize(
    ("shape", "size"), [(LLAMA_2_7B, 524288), (LLAMA_3_8B, 131072), (LLAMA_3_70B, 327680), (QWEN_3_8B, 147456)]
)
def test_cache_bytes_per_token(shape, size):
    assert kv_bytes_per_token(shape) == size


def test_llama_3_70b_decoding_at_8k():
    assert forward_flops(LLAMA_3_70B, 8192) == pytest.approx(1.6048e11, rel=5e-5)
    assert attention_flops(LLAMA_3_70B, 8192) == pytest.approx(2.147e10, rel=5e-4)


@pytest.mark.parametrize(
    ("trials", "compute", "memory", "parameters_alone"),
    [(1, 156.450, 3131.031, 134.185), (8, 1251.601, 22613.003, 1073.480), (64, 10012.805, 178468.776, 8587.838)],
)
def test_kinetics_cost_of_qwen_3_8b(trials, compute, memory, parameters_alone):
    cost = kinetics_cost(QWEN_3_8B, 8.19e9, prompt_tokens=512, output_tokens=8192, samples=trials)
    assert cost.compute_flops / 1e12 == pytest.approx(compute, abs=5.1e-4)
    assert cost.memory_eflops / 1e12 == pytest.approx(memory, abs=5.1e-4)
    assert 2 * 8.19e9 * 8192 * trials / 1e12 == pytest.approx(parameters_alone, abs=1e-3)
    as_line = KineticsCost(512, 8192)
    assert as_line.serve(8e9, trials) - as_line.serve(8e9, 1) == pytest.approx(
        (as_line.serve(8e9, 2) - as_line.serve(8e9, 1)) * (trials - 1), rel=1e-9
    )


@pytest.mark.parametrize(("name", "batch"), [("a100", 153), ("h100", 295), ("h200", 206), ("b200", 281)])
def test_batch_from_which_decoding_is_bound_by_compute(name, batch):
    # Two FLOPs per weight of two bytes: from peak/bandwidth sequences on.
    assert gpu(name).peak() / gpu(name).bandwidth == pytest.approx(batch, abs=0.5)


def test_kinetics_intensity_is_that_of_a_b200():
    assert GPUS["b200"].peak("fp8") / GPUS["b200"].bandwidth == 562.5


def test_sardana_dollars_of_a_30b_model():
    """Trained on H100s at $2, half of peak; 1e9 requests of 500 + 100 tokens on 40 GB A100s in int8 at $1.10."""
    law = load_law("chinchilla/sardana").law
    D = (law.beta * law.B / (law.alpha * law.A * 30e9**-law.alpha)) ** (1 / law.beta)
    assert pytest.approx(1.556e12, rel=5e-4) == D
    assert float(law.predict(30e9, D)) == pytest.approx(1.958253360475841, abs=1e-12)
    assert pytest.approx(2.801e23, rel=2e-4) == 6 * 30e9 * D
    assert pytest.approx(3.161e23, rel=2e-4) == 6 * 30e9 * D + 2 * 30e9 * 6e11
    training = Price("h100", utilisation=0.5).dollars(6 * 30e9 * D)
    queries = SardanaCost(prompt_tokens=500, answer_tokens=100).serve(30e9, 1) * 1e9
    serving = Price("a100-40gb", utilisation=1.0, precision="int8").dollars(float(queries))
    assert training == pytest.approx(3.146e5, rel=3e-4)
    assert training + serving == pytest.approx(6.378e5, rel=2e-4)


def test_a_lifetime_in_dollars_is_sardana_s_reweighting():
    """Serving tokens count (c_i/U_i)/(c_tr/U_tr) times; what the plan then spends in dollars is the budget."""
    from t2scaling.allocate import plan

    train, serve = Price("h100", utilisation=0.5), Price("a100", utilisation=0.01)
    budget = Budget.of(total_dollars=1e6, tokens_served=1e11, train=train, serve=serve)
    best = plan(load_law("chinchilla/sardana"), budget=budget)
    assert best.spend["train_dollars"] + best.spend["serving_dollars"] == pytest.approx(1e6, rel=1e-9)
    assert budget.serving_weight == pytest.approx((1.5 / (312e12 * 0.01)) / (2 / (989e12 * 0.5)))
    point = Allocation(1e9, 1e12, 1, "loss", 2.0)
    assert budget.spend(point)["serving_dollars"] == pytest.approx(serve.dollars(2e9 * 1e11))
