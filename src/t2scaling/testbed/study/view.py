"""Showing a board: a live table on a terminal, one plain line per ended job elsewhere.

Both are callables for `run_jobs(watch=…)`. The table holds what is running and what has failed; done jobs are counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from t2scaling.testbed.study.runner import Board, Outcome, State

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ENDED = (State.DONE, State.FAILED, State.BLOCKED)
_STYLE = {State.RUNNING: "cyan", State.FAILED: "red", State.BLOCKED: "yellow", State.DONE: "green"}
_LAST = 5  # ended jobs kept in the live table


@contextmanager
def watcher(console: Console) -> Iterator[Callable[[Board], None]]:
    """Yield the callable that shows a board on this console."""
    if not console.is_terminal:
        yield _lines(console)
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=2) as live:
        yield lambda board: live.update(table(board))


def table(board: Board) -> Table:
    """What is running, what has failed, what was done last, and how much is left."""
    from rich.table import Table
    from rich.text import Text

    outcomes = board.outcomes()
    shown = Table("job", "state", "time", "", title=headline(board), title_justify="left", box=None, pad_edge=False)
    for name, outcome in _interesting(outcomes):
        style = _STYLE.get(outcome.state, "")
        seconds = time.monotonic() - outcome.started if outcome.state is State.RUNNING else outcome.seconds
        shown.add_row(Text(name), Text(outcome.state, style=style), duration(seconds), Text(outcome.note))
    return shown


def headline(board: Board) -> str:
    """How many jobs are in which state, and the time left once there is something to go by."""
    outcomes = board.outcomes()
    counts = Counter(outcome.state for outcome in outcomes.values())
    parts = [f"{counts[state]} {state}" for state in State if counts[state]]
    left = _time_left(board, outcomes)
    return " · ".join([*parts, f"about {duration(left)} left"] if left else parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: 3.2 s, 4 min 10 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    return f"{minutes} min {int(seconds) % 60} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _interesting(outcomes: dict[str, Outcome]) -> list[tuple[str, Outcome]]:
    done = sorted((o.started + o.seconds, name) for name, o in outcomes.items() if o.state is State.DONE)
    names = [name for _, name in done[-_LAST:]]
    for state in (State.FAILED, State.BLOCKED, State.RUNNING):
        names += [name for name, outcome in outcomes.items() if outcome.state is state]
    return [(name, outcomes[name]) for name in names]


def _time_left(board: Board, outcomes: dict[str, Outcome]) -> float | None:
    """Cost that is left, at the pace of the jobs done so far and with as many workers as are busy."""
    now = time.monotonic()
    done = [name for name, o in outcomes.items() if o.state is State.DONE and board.jobs[name].cost > 0]
    busy = [name for name, o in outcomes.items() if o.state is State.RUNNING]
    spent, covered = (sum(f(name) for name in done) for f in (lambda n: outcomes[n].seconds, _cost(board)))
    if not covered or not busy:
        return None
    open_jobs = [name for name, o in outcomes.items() if o.state in (State.WAITING, State.RUNNING)]
    left = sum(map(_cost(board), open_jobs)) * spent / covered
    left -= sum(min(now - outcomes[name].started, _cost(board)(name) * spent / covered) for name in busy)
    return max(left, 0.0) / len(busy)


def _cost(board: Board) -> Callable[[str], float]:
    return lambda name: board.jobs[name].cost


def _lines(console: Console) -> Callable[[Board], None]:
    """Print each job once, when it has ended."""
    from rich.markup import escape

    seen: set[str] = set()

    def show(board: Board) -> None:
        outcomes = board.outcomes()
        for name, outcome in outcomes.items():
            if outcome.state in _ENDED and name not in seen:
                seen.add(name)
                where = f" (log: {outcome.log})" if outcome.state is State.FAILED else ""
                line = f"{name}: {outcome.state} in {duration(outcome.seconds)}. {outcome.note}{where}"
                console.print(escape(f"[{len(seen)}/{len(outcomes)}] {line}"))

    return show
