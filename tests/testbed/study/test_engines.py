"""The same workers on engines: Ray with a node that vanishes, submitit's executors, Slurm; one study on all of them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from t2scaling.artefacts import sha256
from t2scaling.testbed.study import study
from t2scaling.testbed.study.desk import Desk, Job, State
from t2scaling.testbed.study.starters import Place, start
from t2scaling.testbed.study.starters.places import cores
from t2scaling.testbed.suite import tiny

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


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of this machine alone: its own controller and node, without accounting and without munge."""
    if not all(map(shutil.which, ("slurmctld", "slurmd", "sbatch"))) or os.geteuid() != 0:
        pytest.skip(
            "slurm-wlm is not installed, or this is not root: `--on slurm` is tried with submitit's executors only"
        )
    folder, host = tmp_path_factory.mktemp("slurm"), socket.gethostname().split(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
    settings = {
        "ClusterName": "one", "SlurmctldHost": f"{host}(127.0.0.1)", "AuthType": "auth/none", "CredType": "cred/none",
        "SlurmUser": "root", "SlurmctldPort": ports[0], "SlurmdPort": ports[1], "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool", "SlurmctldPidFile": folder / "ctld.pid", "SlurmdPidFile": folder / "d.pid",
        "ProctrackType": "proctrack/linuxproc", "TaskPlugin": "task/none", "SwitchType": "switch/none",
        "JobAcctGatherType": "jobacct_gather/none", "AccountingStorageType": "accounting_storage/none",
        "SelectType": "select/cons_tres", "SelectTypeParameters": "CR_CPU", "MpiDefault": "none", "ReturnToService": 2,
        "NodeName": f"{host} NodeAddr=127.0.0.1 CPUs={max(2, cores())}",
        "PartitionName": "all Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    }  # fmt: skip
    file = folder / "slurm.conf"
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("wb") as log:
        patch.setenv("SLURM_CONF", str(file))
        started = [subprocess.Popen([name, "-D"], stdout=log, stderr=log) for name in ("slurmctld", "slurmd")]
        try:
            for _ in range(600):
                if "idle" in subprocess.run(["sinfo", "-h"], capture_output=True, text=True, check=False).stdout:
                    break
                time.sleep(0.2)
            else:
                pytest.fail((folder / "log").read_text())
            yield
            subprocess.run(["scancel", "--user", "root"], check=True)
            while subprocess.run(["squeue", "-h"], capture_output=True, check=True).stdout:
                time.sleep(0.2)
        finally:
            for one_of in started:
                one_of.terminate()
                one_of.wait()


@pytest.mark.usefixtures("slurm")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["TERM", "USR2", "KILL"])
def test_slurm_itself(desk: Desk, name: str) -> None:
    """One of two workers is asked to end, as before a preemption or time limit, or killed; the other goes on."""
    pytest.importorskip("submitit")
    jobs, asked = jobs_of(desk, 12, seconds=0.5), list[str]()

    def watch() -> None:
        tasks = subprocess.run(
            ["squeue", "-h", "-r", "-t", "R", "-o", "%i"], capture_output=True, text=True, check=True
        )
        if not asked and len(tasks.stdout.split()) == 2 and any(job.done for job in jobs):
            asked.append(tasks.stdout.split()[0])
            subprocess.run(["scancel", f"--signal={name}", asked[0]], check=True)

    start("slurm", desk.root, [Place()] * 2, {"lifetime": 2.0, "timeout_min": 5}, watch)
    assert asked
    assert len(check(desk, jobs)) <= (name == "KILL")  # what was asked to end had first ended its job


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two cells."""
    folder = tmp_path_factory.mktemp("files")
    suite = tiny()
    replace(suite, cells=suite.cells[:2], corpus_tokens=50_000, tasks=("arithmetic", "causal")).save(
        folder / "suite.json"
    )
    file = folder / "small.yaml"
    file.write_text(
        "suite: {file: suite.json}\nevaluate: {questions: 10, samples: 2}\ndevice: cpu\n"
        "fit: {laws: [chinchilla]}\nreport: false\n"
    )
    return file


@pytest.fixture(scope="module")
def by_pool(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SHA-256 of the observations that a pool of this machine makes."""
    return observations(study_file, tmp_path_factory.mktemp("pool"), "local")


def observations(file: Path, out: Path, on: str, **options: str) -> str:
    result = study(file, out=out, jobs=2, on=on, options=options)
    assert not result.failed
    return sha256(out / "observations.parquet")


def test_observations_are_the_same_by_joiners(study_file: Path, by_pool: str, tmp_path: Path) -> None:
    program = "import sys; from t2scaling.cli.main import main; main(sys.argv[1:])"
    words = ["study", str(study_file), "-o", str(tmp_path), "-j", "1", "--join"]
    joiners = [subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [joiner.wait() for joiner in joiners] == [0, 0]
    assert observations(study_file, tmp_path, "local") == by_pool


def test_observations_are_the_same_by_ray(study_file: Path, by_pool: str, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    assert observations(study_file, tmp_path, "ray", num_cpus=2, object_store_memory=80_000_000) == by_pool  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_observations_are_the_same_by_submitit(study_file: Path, by_pool: str, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    assert observations(study_file, tmp_path, "slurm", cluster="local") == by_pool


@pytest.mark.usefixtures("slurm")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_observations_are_the_same_by_slurm(study_file: Path, by_pool: str, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    assert observations(study_file, tmp_path, "slurm", timeout_min="30") == by_pool
