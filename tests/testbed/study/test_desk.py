"""What waits for a failure is blocked, however long the chain."""

from __future__ import annotations

from pathlib import Path

from t2scaling.artefacts import write_json
from t2scaling.testbed.study.desk import Desk, Job, State


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
