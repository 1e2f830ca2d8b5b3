"""The model and its hand-written gradients against transformers and plain autograd."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from t2scaling.testbed.pretrain import functions
from t2scaling.testbed.pretrain.model import Model, build
from t2scaling.testbed.suite import ModelShape

CPU = torch.device("cpu")
SHAPES = [ModelShape(16, 2, 1, 40, 64), ModelShape(32, 2, 4, 72, 64), ModelShape(32, 2, 4, 72, 64, n_kv_heads=2)]


def make(shape: ModelShape) -> tuple[Model, torch.Tensor]:
    """A model with weights far from their initial values, gains included, and token ids (3, 25)."""
    model = build(shape, 24, seed=1, init_std=0.3, device=CPU)
    generator = torch.Generator().manual_seed(0)
    model.weights[model.n_decayed :].uniform_(0.5, 1.5, generator=generator)
    return model, torch.randint(0, shape.vocab_size, (3, 25), generator=generator)


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Norm of the difference over the norm of what is expected: rounding is a share of the whole, not of an entry."""
    assert found.shape == expected.shape
    return float((found.detach() - expected).norm() / expected.norm())


def hf_gradient(model: Model) -> torch.Tensor:
    """Gradients of the transformers model in the order of the flat weights."""
    names = {parameter.data_ptr(): parameter for parameter in model.hf.parameters()}
    parts, offset = [], 0
    while offset < model.weights.numel():
        parameter = names[model.weights[offset:].data_ptr()]
        assert parameter.grad is not None
        parts.append(parameter.grad.reshape(-1))
        offset += parameter.numel()
    return torch.cat(parts)


@pytest.mark.parametrize("shape", SHAPES, ids=["one head", "four heads", "grouped heads"])
def test_logits_are_those_of_transformers(shape: ModelShape) -> None:
    model, ids = make(shape)
    assert distance(model.logits(ids), model.hf(input_ids=ids).logits) < 1e-5


@pytest.mark.parametrize("weighted", [False, True], ids=["all targets", "some targets"])
@pytest.mark.parametrize("shape", SHAPES, ids=["one head", "four heads", "grouped heads"])
def test_loss_and_gradient_are_those_of_plain_autograd(shape: ModelShape, weighted: bool) -> None:
    model, ids = make(shape)
    weights = torch.rand(3, 24, generator=torch.Generator().manual_seed(3)) if weighted else torch.ones(3, 24)
    weights[weights < 0.4] = 0  # these need no logits
    loss, ce = model.loss(ids[:, :-1], ids[:, 1:], 0.02, weights if weighted else None)
    loss.backward()

    for parameter in model.hf.parameters():
        parameter.requires_grad_(True)
    logits = model.hf(input_ids=ids[:, :-1]).logits.flatten(0, 1)
    share = (weights / weights.sum()).flatten()
    plain = (F.cross_entropy(logits, ids[:, 1:].reshape(-1), reduction="none") * share).sum()
    total = plain + 0.02 * (logits.logsumexp(-1).square() * share).sum()
    total.backward()
    torch.testing.assert_close(ce, plain.detach(), rtol=1e-5, atol=0)
    torch.testing.assert_close(loss.detach(), total.detach(), rtol=1e-5, atol=0)
    expected = hf_gradient(model)
    assert distance(model.grads, expected) < 1e-5
    assert expected.abs().max() > 0.01


def test_the_loss_in_chunks_is_the_loss_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = make(SHAPES[1])
    results = []
    for chunk in (64, 10**6):
        monkeypatch.setitem(functions.CHUNK_LOGITS, "cpu", chunk)
        model.grads.zero_()
        loss, _ = model.loss(ids[:, :-1], ids[:, 1:], 1e-2)
        loss.backward()
        results.append((loss.detach(), model.grads.clone()))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=0)
    assert distance(results[0][1], results[1][1]) < 1e-5


def test_extreme_logits_stay_finite() -> None:
    rows = torch.tensor([[200.0, 0.0]], requires_grad=True)
    head = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    loss, ce = functions.head_loss(rows, head, torch.tensor([1]), z_loss=0.0)
    loss.backward()
    assert float(ce) == pytest.approx(400)
    assert rows.grad is not None
    torch.testing.assert_close(rows.grad, torch.tensor([[2.0, 0.0]]))


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before() -> None:
    first = build(SHAPES[0], 24, seed=5, init_std=0.02, device=CPU).weights
    torch.rand(7)
    assert torch.equal(first, build(SHAPES[0], 24, seed=5, init_std=0.02, device=CPU).weights)
    assert not torch.equal(first, build(SHAPES[0], 24, seed=6, init_std=0.02, device=CPU).weights)


def test_building_draws_nothing_from_the_global_generator() -> None:
    before = torch.random.get_rng_state()
    build(SHAPES[0], 24, seed=5, init_std=0.02, device=CPU)
    assert torch.equal(before, torch.random.get_rng_state())


def test_bfloat16_is_close() -> None:
    shape = SHAPES[1]
    exact, rough = (
        build(shape, 24, seed=1, init_std=0.1, device=CPU, dtype=d) for d in (torch.float32, torch.bfloat16)
    )
    ids = torch.randint(0, 64, (3, 25), generator=torch.Generator().manual_seed(0))
    for model in (exact, rough):
        model.loss(ids[:, :-1], ids[:, 1:], 1e-4)[0].backward()
    cosine = F.cosine_similarity(exact.grads, rough.grads, dim=0)
    assert cosine > 0.999
    assert not torch.equal(exact.grads, rough.grads)
