"""A tiny Qwen3 with random weights and its own tokenizer, and questions whose answers it gives now and then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from t2scaling.run_record import weights_sha256
from t2scaling.testbed.tasks import Question, Task

PLACES = ("garden", "kitchen", "market", "river", "station", "harbour", "library", "cellar")
NAMES = ("Anna", "Boris", "Chloe", "David", "Elena", "Farid")
CONTEXT = 64


def sentence(rng: np.random.Generator) -> str:
    """A sentence of the tests' little language."""
    return f"{rng.choice(NAMES)} walked from the {rng.choice(PLACES)} to the {rng.choice(PLACES)}."


def save_tokenizer(folder: Path, vocab_size: int) -> Any:
    """Train a byte-level BPE tokenizer on a few sentences and save it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    rng = np.random.default_rng(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([sentence(rng) for _ in range(200)], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(folder)
    return fast


def save_model(folder: Path, vocab_size: int, sharpness: float = 60.0, **options: Any) -> None:
    """Save a random Qwen3; a sharpened head makes some answers likely, as training would."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = Qwen3Config(
        vocab_size=vocab_size,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=0,
        **(sizes | options),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight *= sharpness
    model.save_pretrained(folder)


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: weights, config, tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    vocab_size = len(save_tokenizer(folder, 320))
    save_model(folder, vocab_size)
    return folder


@pytest.fixture(scope="session")
def task(hf_folder: Path) -> Task:
    """60 questions with prompts of unequal length, answered with what the model itself said at temperature 1.

    So their likelihoods spread, as those of a trained model do.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rng = np.random.default_rng(1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(hf_folder), AutoTokenizer.from_pretrained(hf_folder)
    questions: list[Question] = []
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(1)
        while len(questions) < 60:
            prompt = " ".join(sentence(rng) for _ in range(rng.integers(1, 3))) + "\nAnswer:"
            steps = int(rng.integers(1, 4))
            answer = _said(model, tokenizer, prompt, steps)
            if answer is not None:
                questions.append(Question(f"q{len(questions)}", prompt, answer, float("nan"), "test"))
    return Task("toy", "generated", {"test": tuple(questions)})


def _said(model: Any, tokenizer: Any, prompt: str, steps: int) -> str | None:
    """A completion that starts with a space and that the tokenizer reads back as the tokens drawn, if there is one."""
    import torch

    ids = tokenizer(prompt, return_tensors="pt").input_ids
    drawn = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=steps,
        do_sample=True,
        num_return_sequences=8,
        pad_token_id=0,
    )[:, ids.shape[1] :]
    for sample in drawn:
        text = tokenizer.decode(sample)
        if text.startswith(" ") and text.strip() and tokenizer(text).input_ids == sample.tolist():
            return str(text)
    return None


@pytest.fixture
def run_dir(hf_folder: Path, tmp_path: Path) -> Path:
    """A finished run as `pretrain` leaves it."""
    folder = tmp_path / "runs" / "cell-1"
    folder.mkdir(parents=True)
    (folder / "model").symlink_to(hf_folder)
    record = {
        "run_id": "cell-1",
        "stage": "base",
        "n_params": 27_000,
        "convention": "with_head",
        "n_tokens": 1_000_000,
        "train_flops": 1.62e11,
        "overtrained": False,
        "seed": 3,
        "sha256": weights_sha256(hf_folder),
    }
    (folder / "run.json").write_text(json.dumps(record))
    return folder
