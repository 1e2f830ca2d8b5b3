"""Puts a finished study into the package as its default suite.

    t2 study examples/world.yaml -o out/world
    python scripts/ship_suite.py out/world [verdict.json of an earlier forecast ...]
    t2 results world -o docs/results.md

Writes the observations (losses rounded to single precision, which halves the file) and the study's manifest to
src/t2scaling/observations/data/; the manifest holds what became of its forecasts. Refuses a suite with cells that are
not measured, a forecast other than docs/forecasts/world.json, and a file of 4 MB or more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from t2scaling.artefacts import sha256, write_json
from t2scaling.observations import Observations, read
from t2scaling.observations.table import write_frame
from t2scaling.units import format_number

DATA = Path(__file__).parents[1] / "src" / "t2scaling" / "observations" / "data"
FORECASTS = Path(__file__).parents[1] / "docs" / "forecasts"
LARGEST_BYTES = 4_000_000


def statement(observations: Observations) -> str:
    """What the suite is, in one sentence, for the pages that show numbers from it."""
    base = observations.runs.filter(pl.col("stage") == "base")
    sizes = base["n_params"].sort()
    return (
        f"{len(base)} checkpoints of {format_number(sizes[0])} to {format_number(sizes[-1])} parameters, really "
        f"trained on the built-in procedural English and measured on {len(observations.tasks)} of the tasks that come "
        "with it: a miniature, whose numbers show how the laws behave and say nothing about models of practical size."
    )


def planned(study: Path) -> set[str]:
    """The runs of the study's suite."""
    return {cell["run_id"] for cell in json.loads((study / "suite.json").read_text())["cells"]}


def check_forecast(study: Path) -> None:
    """The study's forecast has to be the one that was committed before its cells were trained."""
    made = study / "forecast.json"
    if made.is_file() and made.read_bytes() != (FORECASTS / "world.json").read_bytes():
        sys.exit(f"{made} is not the forecast in {FORECASTS}")


def main(study: Path, *others: Path) -> None:
    observations = read(study / "observations.parquet")
    if missing := sorted(planned(study) - set(observations.runs["run_id"])):
        sys.exit(f"{len(missing)} cells of the suite are not measured, such as {missing[0]}: finish the study first")
    check_forecast(study)
    conventions = {**observations.conventions, "origin": "trained", "statement": statement(observations)}
    target = DATA / "world.parquet"
    write_frame(observations.frame().with_columns(pl.col("nll").cast(pl.Float32)), conventions, target)
    size = target.stat().st_size
    if size >= LARGEST_BYTES:
        target.unlink()
        sys.exit(f"{target} would have {size:,} bytes; at most {LARGEST_BYTES:,} are shipped")
    manifest = json.loads((study / "manifest.json").read_text())
    verdicts = [json.loads(path.read_text()) for path in others] + manifest.get("verdicts", [])
    facts = {"name": "world", "observations_sha256": sha256(target), "verdicts": verdicts}
    write_json(DATA / "world.json", manifest | facts)
    print(f"{target.name}: {size:,} bytes, {len(observations.runs)} runs\n{conventions['statement']}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
