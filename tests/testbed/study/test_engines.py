"""The same workers on engines: Ray with a node that vanishes, submitit's local and debug executors, real Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from t2scaling.testbed.study.desk import Desk, Job, State
from t2scaling.testbed.study.starters import Place, start

pytestmark = pytest.mark.slow
HERE = str(Path(__file__).parent)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder with jobs, one of which has a bug; workers can import `stub_work`."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, *filter(None, [os.environ.get("PYTHONPATH")])]))
    return Desk(tmp_path, lifetime=2.0)


def jobs_of(desk: Desk, count: int, seconds: float = 0.3) -> list[Job]:
    made = [str(desk.root / "made" / f"job-{i}") for i in range(count)]
    journal = str(desk.root / "journal")
    jobs = [
        Job(Path(path).name, "stub_work:write", {"path": path, "seconds": seconds, "journal": journal}, (path,))
        for path in made
    ]
    bug = Job("bug", "stub_work:fail", {"message": "a bug"}, (str(desk.root / "made" / "bug"),))
    desk.write_jobs([*jobs, bug])
    return [*jobs, bug]


def check(desk: Desk, jobs: list[Job]) -> list[str]:
    """All done but the bug, which was tried once; returns the jobs that began more than once."""
    states = {name: status.state for name, status in desk.survey(jobs).items()}
    assert states.pop("bug") is State.FAILED
    assert set(states.values()) == {State.DONE}
    assert desk.log("bug").read_text().count("Traceback") == 1
    begun = [line.split()[3] for line in (desk.root / "journal").read_text().splitlines() if " begin " in line]
    return [name for name in states if begun.count(name) > 1]


def test_ray_loses_a_node_and_gains_one(desk: Desk) -> None:
    ray = pytest.importorskip("ray", reason="ray is not installed: `--on ray` is not tried")
    from ray.cluster_utils import Cluster

    jobs = jobs_of(desk, 24, seconds=0.5)
    size = {"num_cpus": 1, "num_gpus": 2, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**size, "include_dashboard": False})
    try:
        doomed = cluster.add_node(**size)
        cluster.add_node(**size)
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        cluster.wait_for_nodes()
        changed = []

        def watch() -> None:
            if not changed and sum(job.done for job in jobs) >= 4:
                changed.append(doomed)
                cluster.remove_node(doomed, allow_graceful=False)
                cluster.add_node(**size)

        start("ray", desk.root, [Place(1, "0")] * 3, {"lifetime": 2.0}, watch)
        assert changed
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert len(check(desk, jobs)) <= 1  # the one that was lost with its node


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # submitit's
@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_submitit(desk: Desk, cluster: str) -> None:
    pytest.importorskip("submitit", reason="submitit is not installed: `--on slurm` is not tried")
    jobs = jobs_of(desk, 6, seconds=0.05)
    start("slurm", desk.root, [Place()] * 2, {"cluster": cluster, "lifetime": 2.0}, lambda: None)
    assert check(desk, jobs) == []


@pytest.fixture
def slurm() -> Any:
    """A running Slurm of this machine."""
    if shutil.which("sbatch") is None or subprocess.run(["sinfo"], capture_output=True, check=False).returncode:
        pytest.skip("no Slurm answers here: `--on slurm` is tried with submitit's local executors only")


def test_slurm_itself(desk: Desk, slurm: Any) -> None:
    pytest.importorskip("submitit")
    jobs = jobs_of(desk, 6, seconds=0.05)
    begun = time.monotonic()
    start("slurm", desk.root, [Place()] * 2, {"lifetime": 2.0, "timeout_min": 5}, lambda: None)
    assert check(desk, jobs) == []
    assert time.monotonic() > begun
