"""`t2 study` end to end, in processes of its own: interrupted, killed, started twice, and with a run that fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from t2scaling.artefacts import sha256
from t2scaling.observations import read
from t2scaling.testbed.suite import Suite, TrainingConfig, isoflop_grid, levels
from t2scaling.testbed.suite.grid import BatchRule
from t2scaling.testbed.suite.recipes import MINIATURE
from t2scaling.testbed.suite.shape import ModelShape

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = [sys.executable, "-c", "from t2scaling.cli.main import main; main()", "study"]


def small_suite() -> Suite:
    """Eight cells that train in about a second each."""
    shapes = [ModelShape(*sizes, vocab_size=300) for sizes in MINIATURE[:3]]
    grid = isoflop_grid(
        shapes,
        levels(1e9, 4e9, 2),
        seq_len=64,
        batch=BatchRule(512, 1e5, 512, 512),
        ratio=(0.5, 15),
        overtrained_ratio=60,
        min_steps=5,
    )
    training = TrainingConfig(checkpoint_seconds=0.2, log_every=1)
    tasks = ("spatial", "causal")
    return Suite(
        "small",
        tuple(grid),
        training,
        corpus_tokens=40_000,
        heldout_tokens=2_048,
        seq_len=64,
        vocab_size=300,
        tasks=tasks,
        seed=3,
    )


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    small_suite().save(folder / "suite.json")
    path = folder / "small.yaml"
    path.write_text("suite: {file: suite.json}\nevaluate: {questions: 10}\nfit: {laws: [chinchilla]}\nreport: false\n")
    return path


@pytest.fixture(scope="module")
def whole(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    assert finished(start(study_file, out))[0] == 0
    return out


def start(file: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(file), "-o", str(out), "--json", "-j", "2", *options], stdout=subprocess.PIPE, text=True
    )


def without(whole: Path, out: Path, *runs: str) -> None:
    """A copy of a finished study that lacks some of its runs."""
    shutil.copytree(whole, out)
    for name in runs:
        shutil.rmtree(out / "runs" / name)
        shutil.rmtree(out / "evals" / name)


def finished(study: subprocess.Popen[str]) -> tuple[int, dict]:
    answer, _ = study.communicate(timeout=600)
    return study.returncode, json.loads(answer) if answer else {}


def weights(out: Path) -> dict[str, str]:
    """Checksum of every run's weights."""
    return {
        path.parent.name: str(json.loads(path.read_text())["sha256"]) for path in sorted(out.glob("runs/*/run.json"))
    }


def steps_logged(out: Path) -> dict[str, list[int]]:
    return {
        path.parent.name: [json.loads(line)["step"] for line in path.read_text().splitlines()]
        for path in sorted(out.glob("runs/*/metrics.jsonl"))
    }


@pytest.mark.slow
def test_two_studies_at_once_share_the_work(study_file, whole, tmp_path):
    out = tmp_path / "out"
    both = [start(study_file, out), start(study_file, out)]
    answers = [finished(study) for study in both]
    assert [code for code, _ in answers] == [0, 0]
    assert weights(out) == weights(whole)
    # A run that had been trained twice would have its steps in the log twice.
    for name, steps in steps_logged(out).items():
        assert steps == sorted(set(steps)), name
    for name in weights(whole):
        assert {path.name for path in (out / "evals" / name).iterdir()} == {"spatial.parquet", "causal.parquet"}


@pytest.mark.slow
def test_killed_workers_and_a_killed_study_cost_no_run_and_change_no_weights(study_file, whole, tmp_path):
    out, gone = tmp_path / "out", [cell.run_id for cell in small_suite().cells][:4]
    without(whole, out, *gone)
    study = start(study_file, out)
    wait_until(lambda: any((out / "runs" / name / "metrics.jsonl").is_file() for name in gone), study)
    worker = children(study.pid)[0]
    os.kill(worker, signal.SIGKILL)
    # The study goes on: another worker takes the place of the one that was killed.
    wait_until(lambda: len(children(study.pid)) == 2 and worker not in children(study.pid), study)
    study.kill()
    study.communicate()
    assert len(weights(out)) < len(weights(whole))
    code, answer = finished(start(study_file, out))
    assert (code, answer["failed"]) == (0, {})
    assert weights(out) == weights(whole)


@pytest.mark.slow
def test_post_training_can_be_added_to_a_study_that_is_done(study_file, whole, tmp_path):
    file, out = study_file.with_name("more.yaml"), tmp_path / "study"
    shutil.copytree(whole, out)  # other tests compare with `whole` as it was
    file.write_text(study_file.read_text() + "posttrain: {tasks: [causal], modes: [sft], epochs: 1}\n")
    code, answer = finished(start(file, out))
    names = [cell.run_id for cell in small_suite().cells]
    assert (code, answer["failed"]) == (0, {})
    assert sorted(answer["done"]) == sorted(f"{name}-sft-causal" for name in names)
    tuned = read(out / "observations.parquet").measurements("causal", "sft")
    assert sorted(tuned.run_id) == sorted(names)


@pytest.mark.slow
def test_a_run_that_fails_is_reported_and_stops_no_other(study_file, whole, tmp_path):
    out, (first, *_, last) = tmp_path / "out", [cell.run_id for cell in small_suite().cells]
    without(whole, out, first, last)
    (out / "runs" / first).write_text("a file where the run's folder should be")
    code, answer = finished(start(study_file, out))
    assert (code, answer["done"]) == (1, [last])
    assert list(answer["failed"]) == [first]
    assert "Error" in answer["failed"][first]["error"]
    assert "Traceback" in Path(answer["failed"][first]["log"]).read_text()
    assert weights(out) == {name: sha for name, sha in weights(whole).items() if name != first}
    assert set(read(answer["artefacts"]["observations"]).runs["run_id"]) == set(weights(out))
    (out / "runs" / first).unlink()
    assert finished(start(study_file, out))[0] == 1
    code, answer = finished(start(study_file, out, "--retry"))
    assert (code, answer["done"]) == (0, [first])


@pytest.mark.slow
def test_the_example_runs_from_plan_to_report(tmp_path):
    out = tmp_path / "tiny"
    code, answer = finished(start(EXAMPLES / "tiny.yaml", out))
    assert (code, answer["failed"], answer["artefacts"]["problems"]) == (0, {}, [])
    plan = json.loads((out / "plan.json").read_text())
    assert plan["train_flops"] == 3e11
    assert plan["optimum"]["tokens_per_param"] > 0
    assert "<svg" in (out / "report.html").read_text()
    assert "## RQ2" in (out / "results.md").read_text()


def children(process: int) -> list[int]:
    """Process ids of the workers of a study."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(status[1]) == process and status[0] != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition, study: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert study.poll() is None, "the study ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_forecast_is_written_before_its_cells_are_trained(study_file: Path, whole: Path, tmp_path: Path) -> None:
    file, out = study_file.with_name("validated.yaml"), tmp_path / "study"
    file.write_text(
        study_file.read_text() + "validate: {laws: [chinchilla], tasks: [causal], train_flops: [2e9], seeds: 2}\n"
    )
    shutil.copytree(whole, out)
    code, first = finished(start(file, out))
    assert code == 0
    assert first["verdict"] == []
    forecast = (out / "forecast.json").read_bytes()
    assert json.loads(forecast)["observations_sha256"] == sha256(out / "observations.parquet")
    assert not (out / "validation").exists()
    code, second = finished(start(file, out))
    assert code == 0
    assert (out / "forecast.json").read_bytes() == forecast
    names = {point["run_id"] for point in json.loads(forecast)["points"] if point["run_id"]}
    assert {row["run_id"] for row in second["verdict"]} == names
    assert all(row["runs"] == 2 and row["measured"] > 0 for row in second["verdict"])
    assert len(list(out.glob("validation/runs/*/run.json"))) == 2 * len(names)
    # The suite's own measurements are as they were: the forecast's cells are kept apart.
    assert set(read(out / "observations.parquet").runs["run_id"]) == set(weights(out))
