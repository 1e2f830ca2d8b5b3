"""The progress bar of a run: loss, tokens per second, utilisation where the peak is known, time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from t2scaling.testbed.suite import Suite
from t2scaling.units import format_number


@contextmanager
def run_progress(
    suite: Suite, run_id: str, counter: str, console: Any, disable: bool = False
) -> Iterator[Callable[[dict[str, float]], None]]:
    """Yield the `report` argument of `pretrain`, which moves a bar on `console`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    cell = suite.cell(run_id)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=disable, transient=True) as progress:
        task = progress.add_task(f"{counter} {run_id}", total=cell.n_tokens, state="starting")

        def report(row: dict[str, float]) -> None:
            state = f"loss {row['loss']:.3f}  {format_number(row['tokens_per_second'])} tokens/s"
            if "utilisation" in row:
                state += f"  {row['utilisation']:.0%} of peak"
            progress.update(task, completed=row["tokens"], state=state)

        yield report
