"""Flat AdamW against torch's over the separate parameters, and the learning rate at known steps."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch

from t2scaling.testbed.pretrain.model import build
from t2scaling.testbed.pretrain.optimizer import FlatAdamW
from t2scaling.testbed.pretrain.schedule import Schedule, schedule_for
from t2scaling.testbed.suite import BatchRule, ModelShape, TrainingConfig, cell


def test_steps_are_those_of_torch_over_separate_parameters() -> None:
    shape = ModelShape(16, 2, 1, 40, 64)
    model = build(shape, 16, seed=0, init_std=0.1, device=torch.device("cpu"))
    # A step is g / (|g| + eps) at first: with the usual eps, gradients of rounding's size would be steps of full size.
    config = TrainingConfig(learning_rate=1e-2, weight_decay=0.3, clip=0.5, eps=1e-5)
    reference = copy.deepcopy(model.hf).requires_grad_(True)
    named = list(reference.named_parameters())
    adamw = torch.optim.AdamW(
        [
            {"params": [p for name, p in named if "norm" not in name], "weight_decay": 0.3},
            {"params": [p for name, p in named if "norm" in name], "weight_decay": 0.0},
        ],
        lr=1e-2,
        betas=(0.9, 0.95),
        eps=1e-5,
    )
    start, flat = model.weights.clone(), FlatAdamW(model, config)
    generator = torch.Generator().manual_seed(0)
    for step in range(5):
        ids = torch.randint(0, 64, (4, 17), generator=generator)
        model.loss(ids[:, :-1], ids[:, 1:])[0].backward()
        norm = flat.step(1e-2 / (step + 1))
        logits = reference(input_ids=ids[:, :-1]).logits.flatten(0, 1)
        torch.nn.functional.cross_entropy(logits, ids[:, 1:].reshape(-1)).backward()
        expected = torch.nn.utils.clip_grad_norm_(reference.parameters(), 0.5)
        torch.testing.assert_close(norm, expected, rtol=1e-4, atol=0)
        for group in adamw.param_groups:
            group["lr"] = 1e-2 / (step + 1)
        adamw.step()
        adamw.zero_grad()
    assert float(model.grads.abs().max()) == 0
    moved = float((model.weights - start).norm())
    apart = [model.hf.state_dict()[name] - parameter.detach() for name, parameter in named]
    assert float(torch.stack([part.norm() for part in apart]).norm()) < 1e-4 * moved


def test_cosine() -> None:
    schedule = Schedule("cosine", 2.0, warmup=4, steps=12)
    assert [schedule.rate(step) for step in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert schedule.rate(4) == 2.0
    assert schedule.rate(8) == pytest.approx(1.0)
    assert schedule.rate(11) == pytest.approx(1 + math.cos(math.pi * 7 / 8))
    assert schedule.rate(12) == pytest.approx(0, abs=1e-12)


def test_warmup_stable_decay() -> None:
    schedule = Schedule("wsd", 2.0, warmup=4, steps=20, decay=5)
    assert schedule.branch == 15
    assert [schedule.rate(step) for step in (0, 3, 4, 15)] == [0.5, 2.0, 2.0, 2.0]
    assert [schedule.rate(step) for step in (16, 19, 20)] == pytest.approx([1.6, 0.4, 0.0])


def test_trunks_agree_up_to_the_branch() -> None:
    short, long = (Schedule("wsd", 2.0, warmup=8, steps=n, decay=n // 5) for n in (10, 100))
    assert [short.rate(s) for s in range(short.branch)] == [long.rate(s) for s in range(short.branch)]


def test_schedule_of_a_cell() -> None:
    shape = ModelShape(16, 2, 1, 40, 512)
    training = TrainingConfig(learning_rate=3e-3, rate_width=64)
    planned = cell(shape, 1e9, seq_len=64, batch=BatchRule(512, 1, 512, 512))
    schedule = schedule_for(planned, training, 64)
    assert schedule.peak == pytest.approx(3e-3 * 64 / 16)
    assert replace(training, rate_power=0.5).peak_rate(16) == pytest.approx(3e-3 * 2)
    assert schedule.steps == planned.n_tokens // 512
    assert schedule.warmup == round(shape.n_params() / 512)  # warmup tokens = N
    bounded = schedule_for(planned, replace(training, warmup_fraction=0.25), 64)
    assert bounded.warmup == round(0.25 * schedule.steps)
