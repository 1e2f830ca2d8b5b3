"""What decides the weights of a run, as one number: so that a run folder never mixes two plans."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2scaling import artefacts
from t2scaling.errors import SuiteError
from t2scaling.testbed.corpus import Corpus
from t2scaling.testbed.suite import Cell, Suite

# How often a run is logged and saved changes nothing in it.
_OPERATIONAL = ("checkpoint_seconds", "keep_checkpoints", "log_every")


def pretrain_fingerprint(suite: Suite, cell: Cell, corpus: Corpus) -> str:
    """Of a cell's plan and text. Under wsd it leaves out D, so that the cells of one size agree on their trunk."""
    training = {name: value for name, value in suite.training.to_dict().items() if name not in _OPERATIONAL}
    plan = asdict(cell)
    own = ("shape", "batch_size") if suite.training.schedule == "wsd" else ("shape", "batch_size", "n_tokens")
    return fingerprint(
        {name: plan[name] for name in own},
        training,
        suite.seq_len,
        suite.run_seed(cell),
        corpus.n_tokens,
        [shard["sha256"] for shard in corpus.manifest["shards"]],
    )


def fingerprint(*parts: Any) -> str:
    """SHA-256 of plain values."""
    return hashlib.sha256(artefacts.dumps(parts).encode()).hexdigest()


def check_fingerprint(folder: Path, found: dict[str, Any], expected: str) -> None:
    """Raise SuiteError if what was `found` in `folder` belongs to another plan."""
    if found.get("fingerprint") != expected:
        raise SuiteError(
            f"`{folder}` holds a run of another plan (shape, budget, training, seed or corpus differ): choose another "
            "folder, or delete that run."
        )
