"""What is checked and prepared before the first run of a suite starts."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from t2scaling.errors import SuiteError
from t2scaling.testbed.corpus import Corpus, prepare
from t2scaling.testbed.suite import Suite
from t2scaling.units import format_number

WEIGHT_BYTES = 4
MOMENT_BYTES = 8
# A process makes about this many tokens of the built-in text in the time that it takes to start.
TOKENS_PER_PROCESS = 500_000


def bytes_needed(suite: Suite, run_ids: Sequence[str], at_once: int = 1) -> int:
    """Disk that runs will take: every final model, and the checkpoints of the `at_once` largest while they last.

    Weights and each of the two moments are float32; a checkpoint is written before the oldest is removed.
    """
    sizes = sorted((suite.cell(run_id).shape.n_params("total") for run_id in run_ids), reverse=True)
    kept = sum(sizes[:at_once]) * (suite.training.keep_checkpoints + 1)
    if suite.training.schedule == "wsd":
        kept += sum(sizes)  # the trunks keep a checkpoint for each cell's branch
    return sum(sizes) * WEIGHT_BYTES + kept * (WEIGHT_BYTES + MOMENT_BYTES)


def check_plan(suite: Suite, run_ids: Sequence[str], out_dir: str | Path, at_once: int = 1) -> None:
    """Raise SuiteError if the disk under `out_dir` has no room for these runs."""
    missing = [run_id for run_id in run_ids if not (Path(out_dir) / run_id / "run.json").exists()]
    folder = Path(out_dir).absolute()
    while not folder.exists():
        folder = folder.parent
    free, needed = shutil.disk_usage(folder).free, bytes_needed(suite, missing, at_once)
    if needed > free:
        raise SuiteError(
            f"suite `{suite.name}` needs {format_number(needed)} bytes for {len(missing)} runs, `{folder}` has "
            f"{format_number(free)} free: choose another folder, or fewer runs."
        )


def prepare_corpus(suite: Suite, corpus_dir: str | Path, jobs: int | None = None) -> Corpus:
    """Make the corpus of a suite, or open it if it is there.

    jobs   processes; None is one per core, but no more than the text is worth
    """
    if jobs is None:
        jobs = min(os.cpu_count() or 1, -(-suite.corpus_tokens // TOKENS_PER_PROCESS))
    return prepare(corpus_dir, suite.corpus, suite.vocab_size, suite.corpus_tokens, jobs=jobs)
