from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from t2scaling.errors import DataError
from t2scaling.testbed.evaluate import model as model_module
from t2scaling.testbed.evaluate.model import CausalLM, choose_device, load
from t2scaling.testbed.evaluate.nll import score
from t2scaling.testbed.evaluate.tokens import Encoded, Tokenizer, encode
from t2scaling.testbed.tasks import Task


def assert_close(found: np.ndarray, expected: np.ndarray, share: float = 1e-5) -> None:
    """Equal up to a `share` of the largest: float32 logits round in proportion to their size."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())


def one_by_one(model: Any, encoded: Encoded) -> np.ndarray:
    """The definition: −log softmax of the whole text's logits, summed over the answer, in float64."""
    nll = []
    for prompt, answer in zip(encoded.prompts, encoded.answers, strict=True):
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + answer])).logits[0].double()
        before = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        chosen = torch.log_softmax(logits, -1)[list(before), list(answer)]
        nll.append(-chosen.sum().item())
    return np.array(nll)


@pytest.fixture(scope="module")
def encoded(hf_folder: Path, task: Task) -> Encoded:
    return encode(task.questions("test"), Tokenizer.at(hf_folder), 64)


@pytest.fixture(scope="module")
def model(hf_folder: Path) -> CausalLM:
    return load(hf_folder, "cpu")


def test_matches_the_definition(model: CausalLM, encoded: Encoded) -> None:
    assert model._fused is not None
    assert_close(score(model, encoded), one_by_one(model.model, encoded))


def test_fused_body_and_transformers_agree(model: CausalLM, encoded: Encoded, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = score(model, encoded)
    monkeypatch.setattr(model, "_fused", None)
    assert_close(score(model, encoded), fused)


@pytest.mark.parametrize("tokens_per_batch", [1, 50, 10**6])
def test_batches_change_nothing(
    model: CausalLM, encoded: Encoded, tokens_per_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = score(model, encoded)
    monkeypatch.setitem(model_module.TOKENS_PER_BATCH, "cpu", tokens_per_batch)
    assert_close(score(model, encoded), expected)
    monkeypatch.setitem(model_module.BYTES_PER_BATCH, "cpu", 4 * model.vocab_size * 3)
    assert_close(score(model, encoded), expected)


def test_progress_counts_every_question_once(model: CausalLM, encoded: Encoded) -> None:
    done: list[int] = []
    score(model, encoded, done.append)
    assert sum(done) == len(encoded)


def small(kind: str) -> Any:
    """Architectures that the fused body does not cover: learned positions, scaled logits, tied and grouped weights."""
    import transformers

    sizes = {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    more = {"intermediate_size": 64, "num_key_value_heads": 2, "max_position_embeddings": 64}
    if kind == "gpt2":
        config = transformers.GPT2Config(vocab_size=320, n_embd=32, n_layer=2, n_head=4, n_positions=64)
        return transformers.GPT2LMHeadModel(config)
    if kind == "granite":
        return transformers.GraniteForCausalLM(transformers.GraniteConfig(**sizes, **more, logits_scaling=4.0))
    if kind == "gemma2":
        config = transformers.Gemma2Config(**sizes, **more, head_dim=8, final_logit_softcapping=0.05)
        return transformers.Gemma2ForCausalLM(config)
    config = transformers.Qwen3Config(**sizes, **more, head_dim=8, tie_word_embeddings=True)
    return transformers.Qwen3ForCausalLM(config)


@pytest.mark.parametrize(
    ("kind", "plain"), [("gpt2", True), ("granite", False), ("gemma2", False), ("tied qwen3", True)]
)
def test_any_architecture(kind: str, plain: bool, encoded: Encoded) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        wrapped = CausalLM(small(kind))
    assert wrapped._plain_head is plain
    assert_close(score(wrapped, encoded), one_by_one(wrapped.model, encoded))


def test_bfloat16_stays_close(hf_folder: Path, encoded: Encoded, model: CausalLM) -> None:
    rough = score(load(hf_folder, "cpu", "bfloat16"), encoded)
    exact = score(model, encoded)
    assert not np.array_equal(rough, exact)
    assert_close(rough, exact, 0.1)


def test_damaged_weights_are_refused(hf_folder: Path, encoded: Encoded) -> None:
    broken = load(hf_folder, "cpu")
    with torch.no_grad():
        broken.model.lm_head.weight[5] = float("nan")
    with pytest.raises(DataError, match="60 of 60 likelihoods are not finite"):
        score(broken, encoded)


def test_device_and_dtype_that_are_not_there(hf_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`--device` gpu"):
        choose_device("gpu")
    with pytest.raises(DataError, match="torch sees"):
        choose_device("cuda:99")
    with pytest.raises(DataError, match="cannot be read as that of a causal language model"):
        load(tmp_path)
