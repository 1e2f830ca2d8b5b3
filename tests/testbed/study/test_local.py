"""Jobs carried out by real worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from t2scaling.testbed.study.local import Slot, cores, run_jobs, slots
from t2scaling.testbed.study.runner import Board, Job, State

WORK = '''
import os, time
from pathlib import Path
from t2scaling.testbed.study.locks import lock

def append(path, text, seconds=0.0):
    time.sleep(seconds)
    with open(path, "a") as file:
        file.write(text + "\\n")
    print("said", text)
    return f"wrote {text}"

def fail(message):
    raise ValueError(message)

def refuse(message):
    from t2scaling.errors import SuiteError
    raise SuiteError(message)

def leave(code):
    os._exit(code)

def once(path, folder, seconds=0.0):
    """Append one line unless the artefact is there; leaves the process id to be found."""
    with lock(Path(folder) / "lock"):
        artefact = Path(folder) / "artefact"
        if artefact.exists():
            return "there already"
        Path(folder, "pid").write_text(str(os.getpid()))
        time.sleep(seconds)
        with open(path, "a") as file:
            file.write("x\\n")
        artefact.write_text("")

def environment():
    return f"{os.environ['OMP_NUM_THREADS']} {os.environ['CUDA_VISIBLE_DEVICES']!r} {os.getpid()}"
'''


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """Makes jobs that call the functions above, which workers can import."""
    (tmp_path / "study_work.py").write_text(textwrap.dedent(WORK))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def job(id: str, function: str, after: tuple[str, ...] = (), cost: float = 0.0, **arguments: object) -> Job:
        return Job(id, f"study_work:{function}", arguments, after, cost=cost)

    return job


def test_jobs_run_in_order_of_dependence_and_length(work, tmp_path):
    path = str(tmp_path / "lines")
    jobs = [
        work("short", "append", cost=1, path=path, text="short"),
        work("long", "append", cost=9, path=path, text="long"),
        work("last", "append", after=("short", "long"), cost=99, path=path, text="last"),
        work("first", "append", cost=5, path=path, text="first"),
    ]
    outcomes = run_jobs(Board(jobs), [Slot()], tmp_path / "logs")
    assert Path(path).read_text().split() == ["long", "short", "last", "first"]
    assert {outcome.state for outcome in outcomes.values()} == {State.DONE}
    assert outcomes["long"].note == "wrote long"
    assert Path(outcomes["long"].log).read_text() == "said long\n"


def test_a_failed_job_is_reported_with_its_log_and_stops_no_other(work, tmp_path):
    path = str(tmp_path / "lines")
    jobs = [
        work("bad", "fail", cost=9, message="no such thing"),
        work("needs bad", "append", after=("bad",), path=path, text="never"),
        work("good", "append", path=path, text="good"),
    ]
    outcomes = run_jobs(Board(jobs), [Slot()], tmp_path / "logs")
    assert outcomes["bad"].state is State.FAILED
    assert outcomes["bad"].note == "ValueError: no such thing"
    assert "Traceback" in Path(outcomes["bad"].log).read_text()
    assert outcomes["needs bad"].state is State.BLOCKED
    assert outcomes["good"].state is State.DONE
    assert Path(path).read_text() == "good\n"


def test_a_worker_survives_a_refusal_and_not_an_unforeseen_error(work, tmp_path):
    ask = {"function": "environment"}
    jobs = [
        work("1", **ask, cost=5),
        work("2", "refuse", cost=4, message="no"),
        work("3", **ask, cost=3),
        work("4", "fail", cost=2, message="no"),
        work("5", **ask, cost=1),
    ]
    outcomes = run_jobs(Board(jobs), [Slot()], tmp_path / "logs")
    assert outcomes["2"].note == "SuiteError: no"
    assert "Traceback" in Path(outcomes["2"].log).read_text()
    assert outcomes["1"].note == outcomes["3"].note != outcomes["5"].note


def test_a_worker_that_leaves_fails_its_job_alone(work, tmp_path):
    jobs = [work("leaves", "leave", cost=9, code=3), work("stays", "environment")]
    outcomes = run_jobs(Board(jobs), [Slot()], tmp_path / "logs")
    assert outcomes["leaves"].state is State.FAILED
    assert "exit code 3" in outcomes["leaves"].note
    assert outcomes["stays"].state is State.DONE


def test_a_killed_worker_is_replaced_and_its_job_tried_again(work, tmp_path):
    path = tmp_path / "lines"
    board = Board([work("killed", "once", path=str(path), folder=str(tmp_path), seconds=1.0)])
    killer = threading.Thread(target=_kill_when_there, args=(tmp_path / "pid",))
    killer.start()
    outcomes = run_jobs(board, [Slot()], tmp_path / "logs")
    killer.join()
    assert outcomes["killed"].state is State.DONE
    assert outcomes["killed"].attempts == 2
    assert path.read_text() == "x\n"


def test_two_studies_at_once_do_each_job_once(work, tmp_path):
    path = tmp_path / "lines"

    def jobs() -> list[Job]:
        folders = [tmp_path / f"job-{i}" for i in range(4)]
        return [work(f.name, "once", path=str(path), folder=str(f), seconds=0.2) for f in folders]

    boards = [Board(jobs(), patience=0.1), Board(jobs(), patience=0.1)]
    threads = [threading.Thread(target=run_jobs, args=(b, [Slot()] * 2, tmp_path / "logs")) for b in boards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() == "x\n" * 4
    for board in boards:
        assert {outcome.state for outcome in board.outcomes().values()} == {State.DONE}


def test_workers_are_kept_and_have_one_thread_and_their_own_gpu(work, tmp_path):
    board = Board([work(str(i), "environment") for i in range(3)])
    notes = {outcome.note for outcome in run_jobs(board, [Slot(1, "7")], tmp_path / "logs").values()}
    assert len(notes) == 1
    assert notes.pop().startswith("1 '7' ")


def test_workers_end_when_the_study_is_killed(work, tmp_path):
    program = f"""
from t2scaling.testbed.study.local import Slot, run_jobs
from t2scaling.testbed.study.runner import Board, Job
arguments = {{"path": {str(tmp_path / "lines")!r}, "folder": {str(tmp_path)!r}, "seconds": 60.0}}
run_jobs(Board([Job("long", "study_work:once", arguments)]), [Slot()], {str(tmp_path / "logs")!r})
"""
    study = subprocess.Popen([sys.executable, "-c", program])
    worker = int(_wait_for(tmp_path / "pid"))
    study.kill()
    study.wait()
    deadline = time.monotonic() + 3000
    while _alive(worker):
        assert time.monotonic() < deadline, "the worker outlived its study"
        time.sleep(0.05)


def test_slots_follow_the_machine():
    assert slots(3, "cpu") == [Slot()] * 3
    assert len(slots(None, "cpu")) == cores() >= 1


def _wait_for(path: Path) -> str:
    deadline = time.monotonic() + 300
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)
    return path.read_text()


def _kill_when_there(path: Path) -> None:
    os.kill(int(_wait_for(path)), signal.SIGKILL)


def _alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
