"""Workers that share a folder: order, failures, deaths, several at once, and the starters that begin them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.lease import take
from t2scaling.testbed.study.desk import Desk, Job, State, chains
from t2scaling.testbed.study.starters import STARTERS, start
from t2scaling.testbed.study.starters.places import Place, cores, places
from t2scaling.testbed.study.worker import work

HERE = str(Path(__file__).parent)
Make = Callable[..., Job]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lifetime=2.0)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes jobs of `stub_work`, which workers can import; each makes a file of its name."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HERE, *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.syspath_prepend(HERE)

    def job(
        id: str, function: str = "write", after: tuple[str, ...] = (), cost: float = 0.0, **arguments: object
    ) -> Job:
        path = str(tmp_path / "made" / id)
        if function in ("write", "die", "environment"):
            arguments = {"path": path, **arguments}
        return Job(id, f"stub_work:{function}", dict(arguments), (path,), after, cost=cost)

    return job


def run(desk: Desk, jobs: list[Job], here: int | list[Place] = 1) -> dict[str, State]:
    """Have local workers do the jobs; returns the states."""
    desk.write_jobs(jobs)
    start("local", desk.root, here if isinstance(here, list) else [Place()] * here, {"lifetime": 2.0}, lambda: None)
    return {name: status.state for name, status in desk.survey(jobs).items()}


def test_jobs_run_in_order_of_dependence_and_length(make: Make, desk: Desk) -> None:
    journal = str(desk.root / "journal")
    jobs = [
        make("short", cost=1, journal=journal),
        make("long", cost=9, journal=journal),
        make("last", after=("short", "long"), cost=99, journal=journal),
        make("first", cost=5, journal=journal),
    ]
    run(desk, jobs)
    order = [line.split()[3] for line in Path(journal).read_text().splitlines() if " begin " in line]
    assert order == ["long", "short", "last", "first"]
    assert desk.log("long").read_text() == "said long\nwritten\n"


def test_a_failed_job_is_reported_with_its_log_and_stops_no_other(make: Make, desk: Desk) -> None:
    jobs = [
        make("bad", "fail", cost=9, message="no such thing"),
        make("refused", "refuse", cost=8, message="not so"),
        make("needs bad", after=("bad",)),
        make("good"),
    ]
    states = run(desk, jobs)
    assert states == {
        "bad": State.FAILED, "refused": State.FAILED, "needs bad": State.BLOCKED, "good": State.DONE,
    }  # fmt: skip
    found = desk.survey(jobs)
    assert found["bad"].note == "ValueError: no such thing"
    assert found["refused"].note == "SuiteError: not so"
    assert "`bad`" in found["needs bad"].note
    assert "Traceback" in desk.log("bad").read_text()


def test_a_failure_is_begun_again_only_on_demand(make: Make, desk: Desk) -> None:
    jobs = [make("bad", "fail", message="no")]
    assert run(desk, jobs)["bad"] is State.FAILED
    before = desk.log("bad").read_text()
    assert run(desk, jobs)["bad"] is State.FAILED
    assert desk.log("bad").read_text() == before
    assert desk.retry() == 1
    assert run(desk, jobs)["bad"] is State.FAILED
    assert len(desk.log("bad").read_text()) > len(before)


def test_a_job_whose_worker_dies_is_begun_again_but_not_for_ever(make: Make, desk: Desk) -> None:
    jobs = [make("once", "die", times=1), make("always", "die", times=99)]
    states = run(desk, jobs)
    assert states == {"once": State.DONE, "always": State.FAILED}
    assert "worker died 3 times" in desk.survey(jobs)["always"].note


def test_what_is_done_is_not_done_again(make: Make, desk: Desk) -> None:
    journal = desk.root / "journal"
    jobs = [make("a", journal=str(journal)), make("b", journal=str(journal))]
    run(desk, jobs)
    once = journal.read_text()
    run(desk, jobs, 2)
    assert journal.read_text() == once


def test_workers_at_once_do_each_job_once(make: Make, desk: Desk) -> None:
    journal = desk.root / "journal"
    jobs = [make(f"job-{i}", seconds=0.05, journal=str(journal)) for i in range(12)]
    assert set(run(desk, jobs, 3).values()) == {State.DONE}
    assert holders(journal) == {f"job-{i}": 1 for i in range(12)}


def holders(journal: Path) -> dict[str, int]:
    """How many times each job ended."""
    ended: dict[str, int] = defaultdict(int)
    for line in journal.read_text().splitlines():
        _, _, what, name = line.split()
        ended[name] += what == "end"
    return dict(ended)


def test_a_lost_lease_ends_the_worker_before_it_writes(make: Make, desk: Desk) -> None:
    """Stopped past its lease, the first holder writes nothing: the second one's artefact is the only one."""
    journal = desk.root / "journal"
    job = make("slow", seconds=3.0, journal=str(journal))
    desk.write_jobs([job])
    first = subprocess.Popen(Place().command(desk.root, 1.0), stderr=subprocess.DEVNULL)
    wait_until(lambda: journal.exists())
    first.send_signal(signal.SIGSTOP)
    # Its process lives, so the lease runs out by silence alone: the lifetime and ten seconds.
    second = subprocess.Popen(Place().command(desk.root, 1.0), stderr=subprocess.DEVNULL)
    assert second.wait() == 0
    assert job.done
    made = os.stat(job.makes[0]).st_mtime_ns
    first.send_signal(signal.SIGCONT)
    assert first.wait() == 75
    assert os.stat(job.makes[0]).st_mtime_ns == made
    assert holders(journal) == {"slow": 1}


def test_sigterm_ends_a_worker_in_good_order(make: Make, desk: Desk) -> None:
    journal = desk.root / "journal"
    jobs = [make(f"job-{i}", seconds=0.3, journal=str(journal)) for i in range(50)]
    desk.write_jobs(jobs)
    worker = subprocess.Popen(Place().command(desk.root), stderr=subprocess.DEVNULL)
    wait_until(lambda: journal.exists() and " end " in journal.read_text())
    worker.terminate()
    assert worker.wait() == 0
    states = {status.state for status in desk.survey(jobs).values()}
    assert states == {State.DONE, State.WAITING}
    lines = journal.read_text().splitlines()
    assert sum(" begin " in line for line in lines) == sum(" end " in line for line in lines)


def test_workers_end_with_the_process_that_began_them(make: Make, desk: Desk) -> None:
    desk.write_jobs([make("long", seconds=600.0, journal=str(desk.root / "journal"))])
    program = (
        "import sys; from pathlib import Path; from t2scaling.testbed.study.starters import Place, start; "
        "start('local', Path(sys.argv[1]), [Place()], {}, lambda: None)"
    )
    study = subprocess.Popen([sys.executable, "-c", program, str(desk.root)])
    wait_until(lambda: (desk.root / "journal").exists())
    worker = int((desk.root / "journal").read_text().split()[1])
    study.kill()
    study.wait()
    wait_until(lambda: not alive(worker))


def test_a_worker_has_its_place_s_threads_and_gpu(make: Make, desk: Desk) -> None:
    job = make("where", "environment")
    run(desk, [job], [Place(1, "7")])
    assert Path(job.makes[0]).read_text() == "1 '7'"


def test_a_job_waits_for_a_worker_with_enough_gpus(make: Make, desk: Desk) -> None:
    small = make("small")
    large = Job(
        "large",
        small.function,
        {"path": str(desk.root / "made" / "large")},
        (str(desk.root / "made" / "large"),),
        gpus=4,
    )
    assert work([small, large], desk, patience=0.01) == 0
    assert small.done
    assert not large.done
    assert work([small, large], desk, gpus=4, patience=0.01) == 0
    assert large.done


def test_a_lease_has_one_holder_and_is_free_when_its_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "work.lease"
    first = take(path)
    assert first is not None
    assert take(path) is None
    first.check()
    first.release()
    program = f"from t2scaling.testbed.lease import take; import os; take({str(path)!r}); os._exit(9)"
    subprocess.run([sys.executable, "-c", program], check=False)
    assert path.exists()
    again = take(path)
    assert again is not None
    again.release()


def test_circles_and_unknown_ids_are_refused() -> None:
    def job(id: str, *after: str) -> Job:
        return Job(id, "nowhere:nothing", after=after)

    with pytest.raises(SuiteError, match="circle: a, b"):
        chains([job("a", "b"), job("b", "a")])
    with pytest.raises(SuiteError, match="`a` waits for `x`"):
        chains([job("a", "x")])
    assert chains([Job("a", "n:n", cost=1.0), Job("b", "n:n", after=("a",), cost=5.0)]) == {"a": 6.0, "b": 5.0}


def test_places_follow_the_machine() -> None:
    assert places(3, "cpu") == [Place()] * 3
    assert len(places(None, "cpu")) == cores() >= 1
    with pytest.raises(ArgumentError, match="did you mean slurm"):
        start("slurn", Path(), [Place()], {}, lambda: None)
    assert set(STARTERS) == {"local", "ray", "slurm"}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for as long as a very busy machine may need."""
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
