"""Showing how a study stands: a live table on a terminal, one plain line per ended job elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from t2scaling.testbed.study.desk import State
from t2scaling.testbed.study.status import MOST_NOTES, Overview, duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ENDED = (State.DONE, State.FAILED, State.BLOCKED)
_STYLE = {State.RUNNING: "cyan", State.FAILED: "red", State.BLOCKED: "yellow"}


@contextmanager
def watcher(console: Console) -> Iterator[Callable[[Overview], None]]:
    """Yield the callable that shows an overview on this console."""
    if not console.is_terminal:
        yield _lines(console)
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=2) as live:
        yield lambda seen: live.update(table(seen))


def table(seen: Overview) -> Table:
    """What has failed and what is running; the rest is counted."""
    from rich.table import Table
    from rich.text import Text

    shown = Table("job", "state", "time", "", title=seen.headline(), title_justify="left", box=None, pad_edge=False)
    told = [(name, status) for name, status in seen.found.items() if status.state in _STYLE]
    for name, status in told[:MOST_NOTES]:
        spent = duration(time.time() - status.since) if status.since else ""
        shown.add_row(Text(name), Text(status.state, style=_STYLE[status.state]), spent, Text(status.note))
    if len(told) > MOST_NOTES:
        shown.add_row(f"and {len(told) - MOST_NOTES} more")
    return shown


def _lines(console: Console) -> Callable[[Overview], None]:
    """Print each job once, when it has ended while somebody looked."""
    from rich.markup import escape

    known: set[str] = set()

    def show(seen: Overview) -> None:
        for name, status in seen.found.items():
            if status.state in _ENDED and name not in known:
                known.add(name)
                if name not in seen.begun_with:
                    note = f". {status.note}" if status.note else ""
                    console.print(escape(f"[{len(known)}/{len(seen.found)}] {name}: {status.state}{note}"))

    return show
