"""`t2 status FOLDER`: how a study stands, from its files alone."""

import time
from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, console, emit


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of a study.")],
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds until nothing is left.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Show how a study stands: done, running where, failed why, time to go. Reads files alone, from any machine."""
    from t2scaling.testbed.study import overview
    from t2scaling.testbed.study.view import table, watcher

    seen = overview(folder)
    if watch and not as_json:
        with watcher(console()) as show:
            while True:
                show(seen)
                if not seen.active:
                    break
                time.sleep(2.0)
                seen = overview(folder)
    else:
        emit(seen.to_dict(), as_json=as_json, show=table(seen))
    return 1 if seen.failed() else 0
