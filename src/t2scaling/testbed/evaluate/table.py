"""The table of one run and task: where it lies, how it was made, what it says in one line.

Tables are in the canonical columns. Their Parquet metadata holds the conventions and the recipe: everything that
decides the numbers but for the number of samples, so that a table can be recognised and samples can be added.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from t2scaling.artefacts import write_with
from t2scaling.foreign import parquet_json, read_parquet
from t2scaling.testbed.evaluate.checkpoint import Run
from t2scaling.testbed.evaluate.questions import Asked
from t2scaling.testbed.evaluate.settings import Settings
from t2scaling.testbed.evaluate.tokens import Encoded, Tokenizer

CONVENTIONS_KEY = "t2scaling.conventions"
RECIPE_KEY = "t2scaling.testbed.evaluate"
_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "chance": pl.Float64,
    "wrong_counts": pl.List(pl.Int64),
    "wrong_answers": pl.List(pl.String),
}


@dataclass(frozen=True)
class Measured:
    """One task measured on one run.

    path         the table written, or found with the same settings
    reused       true if nothing had to be run
    n_questions  questions asked
    mean_nll     mean nats per question (mode nll), else None
    pass_at_1    share of questions answered by one sample: mean exp(−nll), or mean share of correct samples
    n_samples    samples per question (mode sample), else None
    n_truncated  questions whose prompt was cut to the model's context
    """

    run_id: str
    task: str
    path: Path
    reused: bool
    n_questions: int
    mean_nll: float | None
    pass_at_1: float
    n_samples: int | None
    n_truncated: int


@dataclass(frozen=True)
class Found:
    """A table made before by the same recipe.

    n_samples  samples per question it holds (0 in mode nll)
    missing    samples per question that it lacks
    """

    frame: pl.DataFrame
    n_samples: int
    missing: int


def table_path(out_dir: str | Path, run: Run, task: str, settings: Settings) -> Path:
    """Where the table of a run, a task and a mode lies."""
    # A post-trained run bears the name of the run it comes from, so its tables carry their stage.
    stage = "" if run.stage == "base" else f".{run.stage}"
    return Path(out_dir) / run.run_id / f"{task}{stage}{'.samples' if settings.mode == 'sample' else ''}.parquet"


def recipe(run: Run, asked: Asked, tokenizer: Tokenizer, settings: Settings) -> dict[str, Any]:
    """Everything that decides the numbers, but for the number of samples."""
    made_from = {"run": run.fingerprint, "questions": asked.digest, "tokenizer": tokenizer.digest}
    return made_from | settings.identity()


def find(path: Path, made_by: Mapping[str, Any], settings: Settings) -> Found | None:
    """The table at `path` if it was made by the same recipe."""
    if not path.is_file() or parquet_json(path, RECIPE_KEY) != made_by:
        return None
    frame = read_parquet(path)
    if settings.mode == "nll":
        return Found(frame, 0, 0)
    have = int(frame["n_samples"][0])
    return Found(frame, have, max(0, settings.n_samples - have))


def build(run: Run, asked: Asked, encoded: Encoded, outcome: Mapping[str, Any]) -> pl.DataFrame:
    """The table, one row per question, in canonical columns and prompt_tokens_dropped.

    outcome  columns that were measured, each of length Q
    """
    n = len(encoded)
    return pl.DataFrame(
        {
            "run_id": [run.run_id] * n,
            "stage": [run.stage] * n,
            "n_params": np.full(n, run.n_params, dtype=np.int64),
            "n_tokens": np.full(n, run.n_tokens, dtype=np.float64),
            "task": [asked.task] * n,
            "question_id": [question.question_id for question in asked.questions],
            "chance": [None if math.isnan(question.chance) else question.chance for question in asked.questions],
            **outcome,
            "nll_tokens": encoded.answer_lengths,
            "prompt_tokens": encoded.prompt_lengths,
            "prompt_tokens_dropped": encoded.dropped,
            **{name: [value] * n for name, value in run.facts.items()},
        },
        schema_overrides={name: kind for name, kind in _TYPES.items() if name == "chance" or name in outcome},
    )


def write(frame: pl.DataFrame, path: Path, run: Run, made_by: Mapping[str, Any]) -> None:
    """Write the table with its conventions and recipe, in one step."""
    metadata = {
        CONVENTIONS_KEY: json.dumps({"n_params": run.convention, "nll": "sum"}, sort_keys=True),
        RECIPE_KEY: json.dumps(made_by, sort_keys=True),
    }
    write_with(path, lambda temporary: frame.write_parquet(temporary, compression="zstd", metadata=metadata))


def summary(frame: pl.DataFrame, path: Path, task: str, reused: bool) -> Measured:
    """What the table says in one line."""
    likelihoods = "nll" in frame.columns
    nll = frame["nll"].to_numpy() if likelihoods else None
    chance = np.exp(-nll) if nll is not None else (frame["n_correct"] / frame["n_samples"]).to_numpy()
    return Measured(
        run_id=frame["run_id"][0],
        task=task,
        path=path,
        reused=reused,
        n_questions=len(frame),
        mean_nll=float(nll.mean()) if nll is not None else None,
        pass_at_1=float(chance.mean()),
        n_samples=None if likelihoods else int(frame["n_samples"][0]),
        n_truncated=int((frame["prompt_tokens_dropped"].to_numpy() > 0).sum()),
    )
