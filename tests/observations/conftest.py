"""Small logs and tables, written as the harnesses write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zipfile_zstd  # noqa: F401  (teaches zipfile method 93)

TIME = "2026-01-02T03-04-05.678901"


@pytest.fixture
def table() -> dict[str, list[Any]]:
    """Two runs, one task, three questions, likelihoods."""
    return {
        "run_id": ["a"] * 3 + ["b"] * 3,
        "n_params": [1e6] * 3 + [2e6] * 3,
        "n_tokens": [1e9] * 3 + [2e9] * 3,
        "task": ["sums"] * 6,
        "question_id": ["q0", "q1", "q2"] * 2,
        "nll": [1.0, 2.0, 3.0, 0.5, 1.5, 2.5],
    }


@pytest.fixture
def counts(table: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The same with counts in place of likelihoods."""
    del table["nll"]
    return {**table, "n_samples": [10, 20, 30, 10, 20, 30], "n_correct": [0, 5, 30, 1, 2, 3]}


@pytest.fixture
def lm_eval_log(tmp_path: Path) -> Callable[..., Path]:
    """Write a samples file and its results file; returns the samples file."""

    def write(
        task: str,
        rows: list[dict[str, Any]] | str,
        *,
        model: str = "tiny",
        time: str = TIME,
        config: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        results: bool = True,
    ) -> Path:
        folder = tmp_path / "logs" / model
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"samples_{task}_{time}.jsonl"
        path.write_text(rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows))
        if results:
            content = {"configs": {task: config or {}}, "config": {"model_num_parameters": 38752, **(settings or {})}}
            (folder / f"results_{time}.json").write_text(json.dumps(content))
        return path

    return write


def eval_sample(
    name: str | int, epoch: int, value: Any, scorer: str = "match", tokens: int = 5, **more: Any
) -> dict[str, Any]:
    """One entry of an Inspect log's summaries."""
    return {
        "id": name,
        "epoch": epoch,
        "scores": {scorer: {"value": value}},
        "model_usage": {"m": {"input_tokens": 7, "output_tokens": tokens}},
        "uuid": f"{name}-{epoch}-{scorer}",
        **more,
    }


@pytest.fixture
def inspect_sample() -> Callable[..., dict[str, Any]]:
    """Builder of one entry of an Inspect log's summaries."""
    return eval_sample


@pytest.fixture
def inspect_log(tmp_path: Path) -> Callable[..., Path]:
    """Write an `.eval` log, zstd-compressed as Inspect writes it; returns its path."""

    def write(
        samples: list[dict[str, Any]],
        *,
        name: str = "log",
        task: str = "sums",
        model: str = "mock/one",
        metadata: dict[str, Any] | None = None,
        members: dict[str, Any] | None = None,
        leave_out: tuple[str, ...] = (),
        status: str = "success",
    ) -> Path:
        path = tmp_path / "inspect" / f"{name}.eval"
        path.parent.mkdir(exist_ok=True)
        facts = {"n_params": 38752, "train_tokens": 1e9} if metadata is None else metadata
        header = {"version": 2, "status": status, "eval": {"task": task, "model": model, "metadata": facts}}
        files = {"header.json": header, "summaries.json": samples, **(members or {})}
        with zipfile.ZipFile(path, "w", compression=93) as archive:
            for member, content in files.items():
                if member not in leave_out:
                    archive.writestr(member, json.dumps(content))
        return path

    return write


@pytest.fixture
def t2(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process: exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        from t2scaling.cli.main import run as main

        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def suite_frame() -> Callable[..., pl.DataFrame]:
    """A canonical table of R runs × Q questions per task, with likelihoods that depend on all three."""

    def build(R: int = 4, Q: int = 5, tasks: tuple[str, ...] = ("sums",)) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "run_id": [f"r{r}" for _ in tasks for r in range(R) for _ in range(Q)],
                "n_params": [1e6 * (r + 1) for _ in tasks for r in range(R) for _ in range(Q)],
                "n_tokens": [1e9 * (R - r) for _ in tasks for r in range(R) for _ in range(Q)],
                "task": [task for task in tasks for _ in range(R) for _ in range(Q)],
                "question_id": [f"q{q}" for _ in tasks for _ in range(R) for q in range(Q)],
                "nll": [1.0 + t + 0.1 * r + 0.01 * q for t in range(len(tasks)) for r in range(R) for q in range(Q)],
            }
        )

    return build
