"""Puts a finished study into the package as a suite of that name.

    t2 study examples/world.yaml -o out/world
    python scripts/ship_suite.py world out/world [verdict.json, or an earlier forecast.json, ...]
    t2 results world -o docs/results.md

Writes the observations (losses rounded to single precision, which halves the file) and the study's manifest to
src/t2scaling/observations/data/; the manifest holds what became of its forecasts, judged here where a forecast is given
instead of a verdict. Refuses a suite with cells that are not measured, a forecast of the study that is not the one in
docs/forecasts, and a file of 4 MB or more.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.artefacts import sha256, write_json
from t2scaling.observations import Observations, read
from t2scaling.observations.table import write_frame
from t2scaling.testbed.study.forecast import Forecast, fitted_to, judge
from t2scaling.testbed.suite import Suite
from t2scaling.units import format_number

DATA = Path(__file__).parents[1] / "src" / "t2scaling" / "observations" / "data"
FORECASTS = Path(__file__).parents[1] / "docs" / "forecasts"
LARGEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Kind:
    """What is particular to a suite: the text it learnt from, and remarks for its page."""

    text: str
    tasks: str
    remarks: tuple[str, ...]


SUITES = {
    "world": Kind(
        "the built-in procedural English",
        "{} of the tasks that come with it",
        (
            "**The text is procedural and holds few skills.** A skill comes at once when a model is large and trained "
            "enough, not little by little, and a power law then fits worse.",
        ),
    ),
    "english": Kind(
        "112 million tokens of openly licensed English (Wikipedia of January 2018, CC-BY-SA-3.0; novels and other "
        "books in the public domain from 100_english_novels, ELTeC and Standard Ebooks)",
        "the paper's four real tasks (ARC-Easy, OpenBookQA, SciQ, LAMBADA) and its four generated ones",
        (
            "**Losses, not success.** At these sizes the right answer is so unlikely that a guesser who knows the "
            "form of the answers does better: what is compared is mean −log pass@k, which falls smoothly and which "
            "the laws can be held to, and nothing is said of problems solved. Where success is this rare, −log pass@k "
            "is the loss less ln k: a model of half the size draws twice the samples and is given 0.69 nats for them.",
            "**The generated tasks** are asked of models whose text has no such questions; their losses fall with "
            "those of the text, and their pass@k is nothing.",
        ),
    ),
}


def statement(kind: Kind, observations: Observations) -> str:
    """What the suite is, in one sentence, for the pages that show numbers from it."""
    base = observations.runs.filter(pl.col("stage") == "base")
    sizes = base["n_params"].sort()
    return (
        f"{len(base)} checkpoints of {format_number(sizes[0])} to {format_number(sizes[-1])} parameters, really "
        f"trained on {kind.text} and measured on {kind.tasks.format(len(observations.tasks))}: a miniature, whose "
        "numbers show how the laws behave and say nothing about models of practical size."
    )


def planned(study: Path) -> set[str]:
    """The runs of the study's suite."""
    return {cell["run_id"] for cell in json.loads((study / "suite.json").read_text())["cells"]}


def check_forecast(name: str, study: Path) -> None:
    """The study's forecast has to be the one that was committed before its cells were trained."""
    made = study / "forecast.json"
    if made.is_file() and made.read_bytes() != (FORECASTS / f"{name}.json").read_bytes():
        sys.exit(f"{made} is not the forecast in {FORECASTS}")


def verdict(path: Path, study: Path, observations: Observations) -> dict[str, Any]:
    """What became of a forecast: as stored, or judged by the study's measurements."""
    content: dict[str, Any] = json.loads(path.read_text())
    if "fitted_on" not in content:
        return content
    forecast = Forecast.load(path)
    words = fitted_to(forecast, Suite.load(study / "suite.json"))
    return {"fitted_to": words, "points": judge(forecast, observations)}


def main(name: str, study: Path, *others: Path) -> None:
    kind = SUITES[name]
    observations = read(study / "observations.parquet")
    if missing := sorted(planned(study) - set(observations.runs["run_id"])):
        sys.exit(f"{len(missing)} cells of the suite are not measured, such as {missing[0]}: finish the study first")
    check_forecast(name, study)
    conventions = {**observations.conventions, "origin": "trained", "statement": statement(kind, observations)}
    target = DATA / f"{name}.parquet"
    write_frame(observations.frame().with_columns(pl.col("nll").cast(pl.Float32)), conventions, target)
    size = target.stat().st_size
    if size >= LARGEST_BYTES:
        target.unlink()
        sys.exit(f"{target} would have {size:,} bytes; at most {LARGEST_BYTES:,} are shipped")
    manifest = json.loads((study / "manifest.json").read_text())
    verdicts = [verdict(path, study, observations) for path in others] + manifest.get("verdicts", [])
    facts = {"name": name, "observations_sha256": sha256(target), "verdicts": verdicts, "remarks": kind.remarks}
    write_json(DATA / f"{name}.json", manifest | facts)
    print(f"{target.name}: {size:,} bytes, {len(observations.runs)} runs\n{conventions['statement']}")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
