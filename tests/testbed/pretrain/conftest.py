"""A suite of one small cell, its corpus, and children that can be killed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch

from t2scaling.testbed.pretrain import prepare_corpus, pretrain
from t2scaling.testbed.suite import BatchRule, ModelShape, Suite, TrainingConfig, cell

SHAPE = ModelShape(8, 2, 1, 24, 512)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Here and in children: weights may differ in the last bit between numbers of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small_suite() -> Suite:
    """One run of 60 steps, with a checkpoint after every second step."""
    run = cell(SHAPE, 60 * 8 * 32 * 6.0 * SHAPE.n_params(), seq_len=32, batch=BatchRule(256, 1, 256, 256), run_id="run")
    training = TrainingConfig(checkpoint_seconds=1e-6, log_every=2, learning_rate=1e-2)
    return Suite("small", (run,), training, corpus_tokens=50_000, heldout_tokens=1024, seq_len=32)


@pytest.fixture(scope="session")
def corpus_dir(small_suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of `small_suite`."""
    path = tmp_path_factory.mktemp("corpus")
    prepare_corpus(small_suite, path, jobs=1)
    return path


@pytest.fixture(scope="session")
def spawn() -> Callable[..., BaseProcess]:
    """Start `pretrain` in a child process; the imports are paid once, by a server that forks the children."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["t2scaling.testbed.pretrain.train", "transformers.models.qwen3.modeling_qwen3"])

    def start(*arguments: Any) -> BaseProcess:
        child = context.Process(target=pretrain, args=arguments, kwargs={"device": "cpu"})
        child.start()
        return child

    return start
