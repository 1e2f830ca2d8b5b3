"""Counts of parameters: groups, conventions, and the model that transformers builds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2scaling.costs import CONVENTIONS, Shape, forward_flops, n_params, param_groups
from t2scaling.errors import ArgumentError

shapes = st.builds(
    Shape,
    width=st.integers(1, 4096),
    depth=st.integers(1, 96),
    n_heads=st.integers(1, 64),
    n_kv_heads=st.integers(1, 64),
    head_dim=st.integers(1, 256),
    d_ff=st.integers(1, 16384),
    vocab_size=st.integers(1, 200000),
    tied=st.booleans(),
)


@given(shapes)
def test_conventions_are_nested(shape):
    groups = param_groups(shape)
    assert n_params(shape, "total") == sum(groups.values())
    assert n_params(shape, "non_embedding") == groups["attention"] + groups["mlp"]
    head = n_params(shape, "with_head") - n_params(shape, "non_embedding")
    assert head == shape.vocab_size * shape.width == groups["embedding"]
    assert groups["head"] == (0 if shape.tied else head)


@given(shapes, st.floats(0, 1e6))
def test_a_forward_pass_is_two_flops_per_matrix_entry_and_attention(shape, context):
    alone = forward_flops(shape)
    assert alone == 2 * n_params(shape, "with_head")
    per_token = 4 * shape.depth * shape.n_heads * shape.head_dim
    assert forward_flops(shape, context) == pytest.approx(alone + per_token * context)


def test_unknown_convention_lists_the_known_ones():
    with pytest.raises(ArgumentError, match="with_head, non_embedding, total"):
        n_params(Shape(8, 1, 1, 1, 8, 8, 8), "all")
    assert set(CONVENTIONS) == {"with_head", "non_embedding", "total"}


@pytest.mark.parametrize("tied", [False, True])
def test_groups_are_those_of_the_model(tied):
    torch = pytest.importorskip("torch", reason="needs the [train] extra")
    transformers = pytest.importorskip("transformers", reason="needs the [train] extra")
    shape = Shape(width=48, depth=3, n_heads=4, n_kv_heads=2, head_dim=16, d_ff=80, vocab_size=101, tied=tied)
    config = transformers.Qwen3Config(
        hidden_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=80, vocab_size=101, tie_word_embeddings=tied,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.Qwen3ForCausalLM(config)
    if tied:
        model.tie_weights()
    counted = dict.fromkeys(param_groups(shape), 0)
    for name, weight in model.named_parameters():
        counted[group_of(name)] += weight.numel()
    assert counted == param_groups(shape)


def group_of(name: str) -> str:
    for part, group in {
        "embed_tokens": "embedding",
        "lm_head": "head",
        "q_norm": "qk_norms",
        "k_norm": "qk_norms",
        "norm": "norms",
        "self_attn": "attention",
        "mlp": "mlp",
    }.items():
        if part in name:
            return group
    raise AssertionError(name)
