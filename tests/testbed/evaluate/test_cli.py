from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from t2scaling.cli.main import run
from t2scaling.testbed.tasks import Task, save


def test_likelihoods_then_samples(
    run_dir: Path, task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = save(task, tmp_path / "toy.jsonl"), tmp_path / "evals"
    common = ["evaluate", str(run_dir), "--tasks", str(file), "-o", str(out), "--device", "cpu"]
    assert run([*common, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    frame = pl.read_parquet(told["path"])
    assert told["mean_nll"] == pytest.approx(frame["nll"].mean())
    assert (told["run_id"], told["task"], told["n_questions"], told["reused"]) == ("cell-1", "toy", 60, False)
    assert run([*common, "--mode", "sample", "--samples", "8"]) == 0
    shown = capsys.readouterr().out
    assert "cell-1" in shown
    assert "pass@1" in shown
    assert set(pl.read_parquet(out / "cell-1" / "toy.samples.parquet")["n_samples"]) == {8}
    assert run([*common, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["reused"] is True


def test_a_local_copy_of_a_real_task(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": f"Anna walked to the {place}"} for place in ("river", "market", "river")]
    pl.DataFrame(rows).write_parquet(tmp_path / "validation.parquet")
    command = ["evaluate", str(run_dir), "--tasks", f"lambada_openai={tmp_path}", "-o", str(tmp_path), "--json"]
    assert run([*command, "--mode", "sample", "--samples", "3", "--count-answers"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    frame = pl.read_parquet(told["path"])
    assert told["task"] == "lambada_openai"
    assert frame["chance"].to_list() == [0.5, 0.0, 0.5]
    assert (frame["wrong_counts"].list.sum() + frame["n_correct"]).to_list() == [3, 3, 3]
    assert run(["evaluate", str(run_dir), "--tasks", "sciq=nowhere"]) == 2
    assert "no local copy at `nowhere`" in capsys.readouterr().err


def test_a_plain_folder_and_a_grader(
    hf_folder: Path, task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save(task, tmp_path / "toy.jsonl")
    grader = tmp_path / "grader.py"
    grader.write_text("def anything(question, completion):\n    return len(completion) > 0\n")
    command = [
        "evaluate",
        str(hf_folder),
        "--tasks",
        str(file),
        "-o",
        str(tmp_path),
        "--n-tokens",
        "2B",
        "--run-id",
        "me",
    ]
    graded = ["--mode", "sample", "--samples", "4", "--grader", f"{grader}:anything", "--max-new-tokens", "2", "--json"]
    assert run(command + graded) == 0
    (told,) = json.loads(capsys.readouterr().out)
    frame = pl.read_parquet(tmp_path / "me" / "toy.samples.parquet")
    assert frame["n_tokens"][0] == 2e9
    assert 0.5 < told["pass_at_1"] <= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tasks", "nonsense"], "`nonsense` is no task"),
        (["--tasks", ","], "names no task"),
        (["--tasks", "knowledge", "--temperature", "0"], "temperature"),
        (["--tasks", "knowledge", "--n-tokens", "5B"], "leave out --n-params"),
    ],
)
def test_bad_input_is_one_paragraph(
    arguments: list[str], says: str, run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(run_dir), "-o", str(tmp_path), *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert says in told.err
    assert "Traceback" not in told.err
