"""Per-question NLL of the four generated tasks: `t2scaling.testbed.evaluate` against lm-eval's Hugging Face backend.

Both score the same 1,000 test questions of each task, with the same checkpoint, tokenizer and threads, in one process,
in CPU seconds; both have their model loaded and have run once before the clock starts. lm-eval runs with the batch
size it has by default (1), and with larger ones, of which the fastest is compared too. Ours is timed twice: from text,
as lm-eval does it for every model, and as in a suite, whose models after the first find the questions tokenised. The
models are the suites' architecture with random weights, which cost what trained weights cost. The largest difference
between the per-question NLLs is printed. Run: python benchmarks/nll_scoring.py [questions per task]
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from t2scaling.testbed import corpus, tasks
from t2scaling.testbed.suite import ModelShape

TASKS = ("knowledge", "arithmetic", "causal", "spatial")
VOCAB = 512
SHAPES = {
    "14k": ModelShape(width=16, depth=2, n_heads=2, d_ff=48, vocab_size=VOCAB),
    "107k": ModelShape(width=48, depth=3, n_heads=4, d_ff=128, vocab_size=VOCAB),
    "491k": ModelShape(width=96, depth=4, n_heads=4, d_ff=256, vocab_size=VOCAB),
    "850k": ModelShape(width=128, depth=4, n_heads=4, d_ff=336, vocab_size=VOCAB),
}
BATCH_SIZES = (1, 16, 64, 256)


def checkpoint(folder: Path, shape: ModelShape) -> Path:
    """Save a model of this shape with random weights, and a tokenizer trained on the built-in corpus."""
    from transformers import Qwen3ForCausalLM

    from t2scaling.testbed.pretrain.model import qwen3_config

    Qwen3ForCausalLM(qwen3_config(shape, 128)).save_pretrained(folder)
    corpus.train_tokenizer(corpus.source("builtin", 0).documents(), VOCAB, folder)
    return folder


def seconds(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """The fastest of some runs, and what the last one gave."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def ours(folder: Path, questions: list[tasks.Question]) -> tuple[float, float, np.ndarray]:
    """CPU seconds from text, CPU seconds with the questions tokenised, nats."""
    from t2scaling.testbed.evaluate import tokens
    from t2scaling.testbed.evaluate.model import load
    from t2scaling.testbed.evaluate.nll import score

    model, tokenizer = load(folder, "cpu"), tokens.Tokenizer.at(folder)

    def work() -> np.ndarray:
        return score(model, tokens.encode(questions, tokenizer, model.max_length))

    def from_text() -> np.ndarray:
        tokens._encode_pairs.cache_clear()
        return work()

    cold, _ = seconds(from_text)
    warm, nll = seconds(work)
    return cold, warm, nll


def lm_eval(folder: Path, questions: list[tasks.Question], batch_size: int) -> tuple[float, np.ndarray]:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(folder), device="cpu", batch_size=batch_size)
    requests = [
        Instance("loglikelihood", {}, (question.prompt, question.answer), i) for i, question in enumerate(questions)
    ]
    model.loglikelihood(requests[:batch_size], disable_tqdm=True)
    spent, told = seconds(lambda: model.loglikelihood(requests, disable_tqdm=True), 1 if batch_size == 1 else 3)
    return spent, -np.array([likelihood for likelihood, _ in told])


def main(n_questions: int = 1000) -> None:
    import torch

    logging.disable(logging.WARNING)
    questions = [question for name in TASKS for question in tasks.load(name).questions("test")[:n_questions]]
    print(f"{len(questions):,} questions of {', '.join(TASKS)}; {torch.get_num_threads()} thread(s)")
    for label, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = checkpoint(Path(folder), shape)
            cold, warm, nll = ours(path, questions)
            theirs = {size: lm_eval(path, questions, size) for size in BATCH_SIZES}
        fastest = min(theirs, key=lambda size: theirs[size][0])
        difference = max(np.abs(nll - other).max() for _, other in theirs.values())
        print(f"NLL scoring, {label} parameters: {cold:.2f} s from text, {warm:.2f} s in a suite")
        for name, size in (("as it comes", 1), ("at its fastest", fastest)):
            spent = theirs[size][0]
            ratios = f"ratio {spent / cold:.1f}×, in a suite {spent / warm:.1f}×"
            print(f"  lm-eval {name} (batch size {size}): {spent:.2f} s; {ratios}")
        print(f"  largest difference of a question's NLL: {difference:.1e} nats")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
