"""Parameter counts against the tensors of the real model and against the published sizes."""

from __future__ import annotations

from collections import Counter

import pytest

from t2scaling.errors import ArgumentError
from t2scaling.observations import figure8
from t2scaling.testbed.suite import ModelShape


def group_of(name: str) -> str:
    for part, group in (
        ("embed_tokens", "embedding"),
        ("lm_head", "head"),
        ("q_norm", "qk_norms"),
        ("k_norm", "qk_norms"),
        ("norm", "norms"),
        ("self_attn", "attention"),
        ("mlp", "mlp"),
    ):
        if part in name:
            return group
    raise AssertionError(name)


@pytest.mark.parametrize(
    "shape",
    [
        ModelShape(8, 2, 1, 24, 512),
        ModelShape(48, 3, 2, 128, 512),
        ModelShape(64, 2, 4, 176, 1000, n_kv_heads=2),
        ModelShape(96, 3, 4, 256, 50_432),
    ],
    ids=lambda shape: shape.name,
)
def test_counts_are_those_of_the_real_model(shape: ModelShape) -> None:
    from transformers import Qwen3ForCausalLM

    from t2scaling.testbed.pretrain.model import qwen3_config

    counted: Counter[str] = Counter()
    for name, parameter in Qwen3ForCausalLM(qwen3_config(shape, 16)).named_parameters():
        counted[group_of(name)] += parameter.numel()
    assert dict(counted) == shape.groups()
    assert sum(counted.values()) == shape.n_params("total")
    assert shape.n_params() == counted["attention"] + counted["mlp"] + counted["head"]
    assert shape.n_params("non_embedding") == counted["attention"] + counted["mlp"]


@pytest.mark.parametrize("size", figure8.SIZES, ids=lambda size: size.name)
def test_published_sizes(size: figure8.Size) -> None:
    assert ModelShape(size.width, size.depth, 4, size.d_ff, 50_432).n_params() == size.n_params


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((10, 2, 4, 24, 512), "`width` = 10"),
        ((12, 2, 4, 24, 512), "`width` = 12"),  # heads of three: rotary positions need pairs
        ((16, 0, 1, 24, 512), "`depth` = 0"),
        ((16, 2, 2, 24.0, 512), "`d_ff` = 24.0"),
        ((16, 2, 2, 24, 512, 3), "`n_kv_heads` = 3"),
    ],
)
def test_impossible_shapes_are_refused(arguments: tuple[int, ...], named: str) -> None:
    with pytest.raises(ArgumentError, match=named):
        ModelShape(*arguments)


def test_unknown_convention_is_refused() -> None:
    with pytest.raises(ArgumentError, match="with_heads"):
        ModelShape(8, 2, 1, 24, 512).n_params("with_heads")  # type: ignore[arg-type]
