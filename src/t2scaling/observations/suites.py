"""Suites that come with the package, by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.schema import nearest
from t2scaling.observations.table import Observations, read_conventions

# The suite that the demo shows, and that `load_suite()` loads.
DEFAULT_SUITE = "world"


def load_suite(name: str = DEFAULT_SUITE) -> Observations:
    """The observations of a suite that ships with the package.

    name  "simulated": 106 cells of the paper's Figure 8 grid, drawn from a stated law with stated noise
          "world": the suite that this project trained and evaluated, where the release carries it
    Raises DataError for another name, and where this release does not carry the suite.
    """
    if name not in SUITES:
        raise DataError(f"no suite `{name}`{nearest(name, SUITES)}: there are {', '.join(SUITES)}.")
    return SUITES[name]()


def _simulated() -> Observations:
    from t2scaling.suite.simulated import CONVENTIONS, simulate

    return Observations.from_frame(simulate(), CONVENTIONS, where="the simulated suite")


def _world() -> Observations:
    packaged = resources.files("t2scaling.observations") / "data" / "world.parquet"
    if not packaged.is_file():
        raise DataError(
            "this release carries no trained suite yet: `simulated` is there to try things on, and "
            "`t2 study` trains and evaluates one."
        )
    with resources.as_file(packaged) as path:
        return Observations.from_frame(pl.read_parquet(path), read_conventions(path), where="the suite `world`")


SUITES: dict[str, Callable[[], Observations]] = {"simulated": _simulated, "world": _world}
