"""Where workers run. A starter begins as many workers on a study's folder as it has places, and waits for them.

It owns nothing: what is done, leased or failed stands in the folder, so any number of starters may be at one study.

`STARTERS` maps the name that `--on` takes to "module:function"; a further engine is one file and one line here. Each is
called as start(folder, places, options, watch) with watch() called about once a second.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from t2scaling.errors import ArgumentError, unknown
from t2scaling.testbed.study.starters.places import Place

STARTERS: dict[str, str] = {
    "local": "t2scaling.testbed.study.starters.local:start",
    "ray": "t2scaling.testbed.study.starters.ray:start",
    "slurm": "t2scaling.testbed.study.starters.slurm:start",
}


def starter(name: str) -> Callable[..., Any]:
    """The function behind a name. Raises ArgumentError for one that is not known."""
    if name not in STARTERS:
        raise unknown("on", name, STARTERS)
    module, _, function = STARTERS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def start(name: str, folder: Path, places: list[Place], options: dict[str, str], watch: Callable[[], object]) -> None:
    """Begin workers on an engine and wait until there is nothing left for them."""
    if not places:
        raise ArgumentError("`jobs` = 0 places: a study needs at least one worker.")
    starter(name)(folder, places, options, watch)


__all__ = ["STARTERS", "Place", "start", "starter"]
