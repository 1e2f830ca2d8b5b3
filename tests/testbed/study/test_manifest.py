"""What is told of how a suite was made."""

from __future__ import annotations

import platform

from t2scaling.artefacts import sha256, write_json, write_text
from t2scaling.testbed.study.manifest import manifest


def test_the_manifest_adds_up_the_runs_and_names_no_machine(tmp_path):
    for name, seconds in (("a", 2.0), ("b", 3.0)):
        record = {
            "run_id": name,
            "n_params": 1e4,
            "n_tokens": 1e5,
            "stage": "base",
            "seed": 4,
            "train_flops": 1e9,
            "seconds": seconds,
            "path": "/secret",
        }
        write_json(tmp_path / "runs" / name / "run.json", record)
    tuned = {"run_id": "b-ft-toy", "stage": "ft", "posttrain": {"task": "toy", "seconds": 0.5, "steps": 6}}
    write_json(tmp_path / "runs" / "b-ft-toy" / "run.json", record | tuned)
    observations = write_text(tmp_path / "observations.parquet", "table")
    found = manifest(tmp_path / "runs", observations, {"name": "trial", "seed": 4})
    assert (found["n_runs"], found["seconds"], found["train_flops"]) == (3, 5.5, 2e9)
    assert found["observations_sha256"] == sha256(observations)
    assert found["versions"]["python"] == platform.python_version()
    assert "cores" in found["machine"]
    assert platform.node() not in str(found)
    assert "/secret" not in str(found)
