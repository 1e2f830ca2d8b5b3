"""What is shown of a board."""

from __future__ import annotations

import io

from rich.console import Console

from t2scaling.testbed.study.runner import Board, Job
from t2scaling.testbed.study.view import duration, headline, table, watcher


def board() -> Board:
    """One job done, one failed, one blocked by it, one running."""
    jobs = Board(
        [
            Job("first", "nowhere:x", cost=4),
            Job("second", "nowhere:x", cost=3),
            Job("third", "nowhere:x", after=("second",)),
            Job("fourth", "nowhere:x", cost=1),
        ]
    )
    for _ in range(3):
        jobs.take()
    jobs.done("first", "trained [well]")
    jobs.failed("second", "ValueError: no", "logs/second.log")
    return jobs


def test_the_table_names_what_runs_what_failed_and_what_is_done():
    console = Console(file=io.StringIO(), width=120)
    console.print(table(board()))
    text = console.file.getvalue()
    for part in ("first", "trained [well]", "second", "ValueError: no", "third", "blocked", "fourth", "running"):
        assert part in text


def test_the_headline_counts():
    assert headline(board()).startswith("1 running · 1 done · 1 failed · 1 blocked")


def test_without_a_terminal_each_ended_job_is_one_line_once():
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    jobs = board()
    with watcher(console) as show:
        show(jobs)
        jobs.done("fourth")
        show(jobs)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 4
    assert "[1/4] first: done" in lines[0]
    assert "trained [well]" in lines[0]
    assert "ValueError: no (log: logs/second.log)" in lines[1]
    assert lines[3].startswith("[4/4] fourth: done")


def test_on_a_terminal_the_table_is_live():
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with watcher(console) as show:
        show(board())
    assert "1 running" in console.file.getvalue()


def test_durations():
    assert [duration(s) for s in (3.21, 59.9, 75, 7500)] == ["3.2 s", "59.9 s", "1 min 15 s", "2 h 5 min"]
