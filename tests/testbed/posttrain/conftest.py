"""A pretrained run to tune, and a task of a few questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2scaling.testbed.pretrain import prepare_corpus, pretrain
from t2scaling.testbed.suite import BatchRule, ModelShape, Suite, TrainingConfig, cell
from t2scaling.testbed.tasks import Question, Task


@pytest.fixture(scope="session")
def base_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of thirty steps."""
    shape = ModelShape(16, 2, 1, 48, 512)
    run = cell(shape, 30 * 512 * 6.0 * shape.n_params(), seq_len=64, batch=BatchRule(512, 1, 512, 512), run_id="base")
    training = TrainingConfig(learning_rate=1e-2, checkpoint_seconds=1e-6, log_every=2)
    suite = Suite("small", (run,), training, corpus_tokens=30_000, heldout_tokens=512, seq_len=64)
    folder = tmp_path_factory.mktemp("base")
    prepare_corpus(suite, folder / "corpus", jobs=1)
    return pretrain(suite, "base", folder / "runs", folder / "corpus", device="cpu")


@pytest.fixture(scope="session")
def colours() -> Task:
    """Ten questions to learn by heart, and no more."""
    names = ("sky", "grass", "snow", "coal", "sun", "blood", "sea", "milk", "leaf", "night")
    answers = (
        " blue.",
        " green.",
        " white.",
        " black.",
        " yellow.",
        " red.",
        " blue.",
        " white.",
        " green.",
        " black.",
    )
    splits = {
        split: tuple(
            Question(f"{split}-{name}", f"Question: What colour is the {name}?\nAnswer:", answer, 0.0, split)
            for name, answer in zip(names, answers, strict=True)
        )
        for split in ("train", "test")
    }
    return Task("colours", "real", splits)
