"""Suites that come with the package, by name."""

import json
from collections.abc import Callable
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from t2scaling.errors import DataError
from t2scaling.observations.schema import nearest
from t2scaling.observations.table import Observations
from t2scaling.observations.tabular import open_sheet

# The suite that the demo shows, and that `load_suite()` loads.
DEFAULT_SUITE = "world"


def load_observations(name: str = DEFAULT_SUITE) -> Observations:
    """The observations of a suite that ships with the package.

    name  "simulated": 106 cells of the paper's Figure 8 grid, drawn from a stated law with stated noise
          "world": 65 cells, 29 of them with three seeds, that this project trained on its own text and measured
          "english": 45 cells on real English, asked the paper's eight tasks: losses, of success too rare to tell
          "world-0.1.0": the suite `world` as version 0.1.0 shipped it, which stays as it is

    >>> load_observations("simulated").tasks[:2]
    ('arc_easy', 'arithmetic')

    Raises DataError for another name.
    """
    if name not in SUITES:
        raise DataError(f"no suite `{name}`{nearest(name, SUITES)}: there are {', '.join(SUITES)}.")
    return SUITES[name]()


load_suite = load_observations


def suite_manifest(name: str) -> dict[str, Any]:
    """What made a shipped suite: seeds, versions, FLOPs, seconds, class of machine. Empty for a simulated one."""
    return dict(json.loads(_data(f"{name}.json").read_text())) if name in _PACKAGED else {}


def _data(name: str) -> Traversable:
    return resources.files("t2scaling.observations") / "data" / name


def _simulated() -> Observations:
    from t2scaling.observations.simulated import CONVENTIONS, simulate

    return Observations.from_frame(simulate(), CONVENTIONS, where="the simulated suite")


def _packaged(name: str) -> Observations:
    with resources.as_file(_data(f"{name}.parquet")) as path:
        return Observations.from_frame(open_sheet(path), where=f"the suite `{name}`")


# Suites whose measurements and manifest lie in `data` under their name.
_PACKAGED = ("world", "english", "world-0.1.0")
SUITES: dict[str, Callable[[], Observations]] = {
    "simulated": _simulated,
    **{name: partial(_packaged, name) for name in _PACKAGED},
}
