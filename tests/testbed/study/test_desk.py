"""When a job may begin, what its failure blocks, and when its worker has lost it."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2scaling.artefacts import write_json
from t2scaling.testbed.lease import LeaseLostError, take
from t2scaling.testbed.study.desk import Desk, Job, State, Status, chains, ready


def test_a_failure_blocks_the_whole_chain(tmp_path: Path) -> None:
    made = {name: (str(tmp_path / f"{name}.out"),) for name in "abcd"}
    jobs = [
        Job("c", "m:f", {}, made["c"], after=("b",)),
        Job("b", "m:f", {}, made["b"], after=("a",)),
        Job("a", "m:f", {}, made["a"]),
        Job("d", "m:f", {}, made["d"]),
    ]
    desk = Desk(tmp_path)
    write_json(tmp_path / "failed" / "a.json", {"error": "gone"})
    found = {name: status.state for name, status in desk.survey(jobs).items()}
    assert found == {"a": State.FAILED, "b": State.BLOCKED, "c": State.BLOCKED, "d": State.WAITING}


def test_a_job_begins_when_all_before_it_are_done_and_none_is_open_that_it_stands_behind() -> None:
    job = Job("c", "m:f", after=("a",), behind=("b",))

    def begins(a: State, b: State) -> bool:
        return list(ready([job], {"a": Status(a), "b": Status(b), "c": Status(State.WAITING)}, gpus=0)) == [job]

    assert begins(State.DONE, State.DONE)
    assert begins(State.DONE, State.FAILED)  # a twin that failed holds up nobody
    assert not begins(State.DONE, State.RUNNING)
    assert not begins(State.WAITING, State.DONE)
    assert not begins(State.FAILED, State.FAILED)


def test_a_chain_is_as_long_as_its_costliest_branch() -> None:
    jobs = [Job("a", "m:f", cost=1.0), Job("b", "m:f", after=("a",), cost=5.0), Job("c", "m:f", after=("a",), cost=2.0)]
    assert chains(jobs) == {"a": 6.0, "b": 5.0, "c": 2.0}


def test_a_lease_that_was_taken_over_is_lost_at_once(tmp_path: Path) -> None:
    held = take(tmp_path / "work.lease")
    assert held is not None
    held.check()
    (tmp_path / "work.lease").unlink()
    with pytest.raises(LeaseLostError, match="taken over"):
        held.check()
    held.release()
