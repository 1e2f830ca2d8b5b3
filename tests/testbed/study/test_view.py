"""What is shown of a study's state."""

from __future__ import annotations

import io
import time

from rich.console import Console

from t2scaling.testbed.study.desk import Job, State, Status
from t2scaling.testbed.study.status import Overview, duration
from t2scaling.testbed.study.view import table, watcher


def seen(**changes: Status) -> Overview:
    """One job done, one failed, one blocked by it, one running."""
    jobs = [
        Job(name, "nowhere:x", cost=cost) for name, cost in (("first", 4), ("second", 3), ("third", 0), ("fourth", 1))
    ]
    found = {
        "first": Status(State.DONE),
        "second": Status(State.FAILED, "ValueError: no [such] thing"),
        "third": Status(State.BLOCKED, "needs `second`, which did not succeed"),
        "fourth": Status(State.RUNNING, "on here, process 7", time.time() - 0.5),
    }
    return Overview(jobs, found | changes)


def test_the_table_names_what_runs_and_what_failed() -> None:
    console = Console(file=io.StringIO(), width=120)
    console.print(table(seen()))
    text = console.file.getvalue()
    for part in ("second", "ValueError: no [such] thing", "third", "blocked", "fourth", "running", "process 7"):
        assert part in text


def test_the_headline_counts_and_foretells() -> None:
    assert seen().headline().startswith("1 running · 1 done · 1 failed · 1 blocked · about 0.")
    assert seen(fourth=Status(State.DONE)).seconds_left is None


def test_without_a_terminal_each_ended_job_is_one_line_once() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    with watcher(console) as show:
        show(seen())
        show(seen(fourth=Status(State.DONE)))
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "[1/4] first: done"
    assert lines[1] == "[2/4] second: failed. ValueError: no [such] thing"
    assert lines[-1] == "[4/4] fourth: done"
    assert len(lines) == 4


def test_on_a_terminal_the_table_is_live() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with watcher(console) as show:
        show(seen())
    assert "1 running" in console.file.getvalue()


def test_durations() -> None:
    assert [duration(s) for s in (3.21, 59.9, 75, 7500)] == ["3.2 s", "59.9 s", "1 min 15 s", "2 h 5 min"]
