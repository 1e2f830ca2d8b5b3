"""Kinds of jobs that end in other processes: a run on several processes, and measuring by vLLM (a stand-in)."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from t2scaling.artefacts import write_json
from t2scaling.testbed.pretrain.torchrun import ProcessesError, on_processes
from t2scaling.testbed.study import open_study
from t2scaling.testbed.study.desk import Desk
from t2scaling.testbed.study.jobs import Study, make_jobs
from t2scaling.testbed.study.worker import work
from t2scaling.testbed.suite import tiny

pytestmark = pytest.mark.slow
STAND_IN = Path(__file__).parents[1] / "evaluate" / "stand_in"


def opened(tmp_path: Path, engine: str) -> tuple[Study, Desk]:
    """A study of one cell, written down for workers."""
    suite = tiny()
    replace(suite, cells=suite.cells[:1], corpus_tokens=50_000, tasks=("arithmetic",)).save(tmp_path / "suite.json")
    file = tmp_path / "trial.yaml"
    file.write_text(f"suite: {{file: suite.json}}\nevaluate: {{questions: 5, samples: 3, engine: {engine}}}\n")
    study = open_study(file, tmp_path / "out")
    study.suite.save(study.layout.suite)
    write_json(study.layout.config, study.config.model_dump(mode="json"))
    desk = Desk(study.layout.root)
    desk.write_jobs(make_jobs(study))
    return study, desk


def test_vllm_measures_where_a_worker_has_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STAND_IN))
    study, desk = opened(tmp_path, "vllm")
    run_id = study.suite.cells[0].run_id
    assert work(desk.jobs(), desk, gpus=0) == 0  # trains, and leaves measuring to others
    assert study.layout.trained(run_id)
    assert [job.id for job in desk.jobs() if not job.done] == [f"{run_id}-evaluate"]
    assert work(desk.jobs(), desk, gpus=1) == 0
    assert all(job.done for job in desk.jobs()), desk.log(f"{run_id}-evaluate").read_text()
    found = pl.read_parquet(study.layout.measurement(run_id, "arithmetic"))["nll"]
    samples = pl.read_parquet(study.layout.measurement(run_id, "arithmetic", "sample"))
    assert samples["n_samples"].to_list() == [3] * 5
    from t2scaling.testbed.evaluate import evaluate

    ours = evaluate(study.layout.run(run_id), study.layout.task("arithmetic"), tmp_path / "ours")
    assert found.to_list() == pytest.approx(pl.read_parquet(ours)["nll"].to_list(), rel=1e-4)


def test_torchrun_trains_a_run_and_tells_what_went_wrong(tmp_path: Path) -> None:
    from t2scaling.testbed.pretrain import prepare_corpus, read_run

    suite = tiny()
    suite = replace(suite, cells=suite.cells[:1], corpus_tokens=50_000)
    run_id = suite.cells[0].run_id
    prepare_corpus(suite, tmp_path / "corpus", jobs=1)
    arguments = {"run_id": run_id, "corpus_dir": tmp_path / "corpus", "device": "cpu"}
    function = "t2scaling.testbed.pretrain:pretrain"
    on_processes(2, function, suite, out_dir=tmp_path / "runs", shard=True, **arguments)
    assert read_run(tmp_path / "runs" / run_id)["processes"] == 2
    other = replace(suite, seed=1)
    with pytest.raises(ProcessesError, match="holds a run of another plan"):
        on_processes(2, function, other, out_dir=tmp_path / "runs", **arguments)


def test_processes_save_together_and_end_when_asked(tmp_path: Path) -> None:
    """SIGTERM to the one that asked: exit 0, with a checkpoint of a run that is not done."""
    from t2scaling.testbed.pretrain import checkpoint, prepare_corpus

    suite = tiny()
    cell = replace(suite.cells[0], n_tokens=suite.cells[0].n_tokens * 500)
    training = replace(suite.training, checkpoint_seconds=1e6, log_every=1)
    suite = replace(suite, cells=(cell,), corpus_tokens=50_000, training=training)
    prepare_corpus(suite, tmp_path / "corpus", jobs=1)
    suite.save(tmp_path / "suite.json")
    program = (
        "import sys; from t2scaling.testbed import stop; from t2scaling.testbed.suite import Suite; "
        "from t2scaling.testbed.pretrain.torchrun import on_processes\n"
        "stop.listen()\n"
        "try: on_processes(2, 't2scaling.testbed.pretrain:pretrain', Suite.load(sys.argv[1]), run_id=sys.argv[2], "
        "out_dir=sys.argv[3], corpus_dir=sys.argv[4], device='cpu')\n"
        "except stop.StopRequested: sys.exit(0)\n"
        "sys.exit(1)"
    )
    words = [tmp_path / "suite.json", cell.run_id, tmp_path / "runs", tmp_path / "corpus"]
    asked = subprocess.Popen([sys.executable, "-c", program, *map(str, words)])
    metrics = tmp_path / "runs" / cell.run_id / "metrics.jsonl"
    while asked.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") > 3):
        time.sleep(0.05)
    asked.terminate()
    assert asked.wait() == 0
    assert not (tmp_path / "runs" / cell.run_id / "run.json").exists()
    found, notes = checkpoint.latest(tmp_path / "runs" / cell.run_id / "checkpoints")
    assert found is not None
    assert not notes
