"""64 samples per question: `t2scaling.testbed.evaluate` against transformers' `generate`, one sample at a time.

What each does, on the same checkpoint, questions and threads, in one process, in CPU seconds:
  generate       one call per sample, batch size 1, ordinary sampling, as many new tokens as the answer has; timed on
                 some questions with some samples each and scaled up
  no dropping    every sample drawn to the answer's length from a shared prompt cache (`sample.complete`)
  exact match    the same samples, each dropped at its first token that differs from the answer, which leaves one
                 pass over prompt and answer (`match.count_matches`); its counts must equal those of no dropping
Weights are random, with a sharpened head, and the answers are what the model itself says, so that samples do match.
Run: python benchmarks/sampling.py [questions]
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from t2scaling.testbed import corpus, tasks
from t2scaling.testbed.evaluate.match import count_matches
from t2scaling.testbed.evaluate.model import CausalLM, load
from t2scaling.testbed.evaluate.sample import Drawing, complete
from t2scaling.testbed.evaluate.streams import question_key
from t2scaling.testbed.evaluate.tokens import Encoded, Tokenizer, encode
from t2scaling.testbed.pretrain.model import qwen3_config
from t2scaling.testbed.suite import ModelShape

VOCAB, SAMPLES = 512, 64
SHAPES = {
    "14k": ModelShape(width=16, depth=2, n_heads=2, d_ff=48, vocab_size=VOCAB),
    "107k": ModelShape(width=48, depth=3, n_heads=4, d_ff=128, vocab_size=VOCAB),
    "491k": ModelShape(width=96, depth=4, n_heads=4, d_ff=256, vocab_size=VOCAB),
}


def checkpoint(folder: Path, shape: ModelShape) -> tuple[CausalLM, Tokenizer]:
    """A model of this shape with random weights, and a tokenizer trained on the built-in corpus."""
    from transformers import Qwen3ForCausalLM

    torch.manual_seed(0)
    model = Qwen3ForCausalLM(qwen3_config(shape, 128))
    with torch.no_grad():
        model.lm_head.weight *= 40
    model.save_pretrained(folder)
    corpus.train_tokenizer(corpus.source("builtin", 0).documents(), VOCAB, folder)
    return load(folder, "cpu"), Tokenizer.at(folder)


def questions_of(model: CausalLM, tokenizer: Tokenizer, n: int) -> tuple[Encoded, list[np.ndarray]]:
    """Prompts of the knowledge task; answers of 1 to 4 tokens drawn from the model itself."""
    asked = tasks.load("knowledge").questions("test")[:n]
    encoded = encode(asked, tokenizer, model.max_length)
    keys = [question_key(0, "answers", question.question_id) for question in asked]
    drawing = Drawing(keys, np.arange(len(asked)) % 4 + 1, 1.0, np.zeros(model.vocab_size, dtype=bool))
    said = {question: tuple(samples[0]) for question, _, samples in complete(model, encoded, drawing, 1)}
    own = replace(encoded, answers=tuple(said[question] for question in range(len(asked))))
    return own, [question_key(0, "samples", question.question_id) for question in asked]


@torch.inference_mode()
def one_at_a_time(model: CausalLM, encoded: Encoded, n_questions: int, n_samples: int) -> float:
    """CPU seconds for all questions × SAMPLES samples, from a slice of them."""
    start = time.process_time()
    for question in range(n_questions):
        ids = torch.tensor([encoded.prompts[question]])
        for _ in range(n_samples):
            model.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=len(encoded.answers[question]),
                do_sample=True,
                pad_token_id=0,
            )
    spent = time.process_time() - start
    tokens = encoded.answer_lengths
    return spent / (tokens[:n_questions].sum() * n_samples) * tokens.sum() * SAMPLES


def timed(work: Any) -> tuple[float, np.ndarray]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def drawn_in_full(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> np.ndarray:
    drawing = Drawing(keys, encoded.answer_lengths, 1.0, np.zeros(model.vocab_size, dtype=bool))
    count = np.zeros(len(encoded), dtype=np.int64)
    for question, _, samples in complete(model, encoded, drawing, SAMPLES):
        count[question] += sum(tuple(tokens) == encoded.answers[question] for tokens in samples)
    return count


def main(n_questions: int = 400) -> None:
    print(f"{n_questions} questions × {SAMPLES} samples; {torch.get_num_threads()} thread(s)")
    for label, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            model, tokenizer = checkpoint(Path(folder), shape)
            encoded, keys = questions_of(model, tokenizer, n_questions)
        one_at_a_time(model, encoded, 1, 2)
        reference = one_at_a_time(model, encoded, 20, 8)
        full, count = timed(lambda m=model, e=encoded, k=keys: drawn_in_full(m, e, k))
        fast, matched = timed(lambda m=model, e=encoded, k=keys: count_matches(m, e, k, SAMPLES))
        different = int((count != matched).sum())
        print(
            f"sampling, {label} parameters: generate {reference:.0f} s (scaled up from 160 samples); "
            f"no dropping {full:.2f} s, ratio {reference / full:.0f}×; "
            f"exact match {fast:.2f} s, ratio {reference / fast:.0f}×; "
            f"{matched.sum():,} of {SAMPLES * n_questions:,} samples match, {different} questions counted differently"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
