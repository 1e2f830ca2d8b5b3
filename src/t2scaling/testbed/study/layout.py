"""Where a study keeps its artefacts, and how one sees that a run or a measurement is there.

study/
  suite.json  study.yaml  study.json
  corpus/  tasks/<task>.jsonl
  runs/<run_id>/run.json …          pretrained and post-trained runs; done once run.json is there
  evals/<run_id>/<task>.parquet     done once it is there; <task>.sft.parquet for a post-trained run, which bears
                                    the name of its cell here
  observations.parquet  manifest.json  fit.json  fit-<law>.json  plan.json  report.html  results.md
  forecast.json  validation/        see validation.py
  logs/<job>.log  locks/ attempts/ failed/    see desk.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class _At:
    """A place in a study's folder."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts

    def __get__(self, layout: Layout, owner: type[Layout]) -> Path:
        return layout.root.joinpath(*self._parts)


@dataclass(frozen=True)
class Layout:
    """The folder of one study."""

    root: Path

    suite = _At("suite.json")
    config = _At("study.json")  # the checked study file, for workers
    corpus = _At("corpus")
    tasks = _At("tasks")
    runs = _At("runs")
    evals = _At("evals")
    logs = _At("logs")
    observations = _At("observations.parquet")
    manifest = _At("manifest.json")
    forecast = _At("forecast.json")
    validation = _At("validation")  # the small study of the forecast's cells
    verdict = _At("validation", "verdict.json")  # what became of the forecast
    plan = _At("plan.json")
    report = _At("report.html")
    results = _At("results.md")

    def fit(self, law: str, main: bool = False) -> Path:
        """The fit that the plan is made from is fit.json; others carry their law's name."""
        return self.root / ("fit.json" if main else f"fit-{law}.json")

    def task(self, name: str) -> Path:
        """The questions of one task, one JSON line each."""
        return self.tasks / f"{name}.jsonl"

    def run(self, run_id: str) -> Path:
        return self.runs / run_id

    def trained(self, run_id: str) -> bool:
        """Whether a run is done: run.json is written last."""
        return self.run_facts(run_id).is_file()

    def run_facts(self, run_id: str) -> Path:
        """The facts of a run, written last."""
        return self.run(run_id) / "run.json"

    def measurement(self, run_id: str, task: str, mode: str = "nll") -> Path:
        """The table of one run on one task, by likelihood or by sampling."""
        return self.evals / run_id / (f"{task}.parquet" if mode == "nll" else f"{task}.samples.parquet")

    def tuned_id(self, run_id: str, task: str, mode: str) -> str:
        """Name of the run that comes of post-training a cell on one task."""
        return f"{run_id}-{mode}-{task}"

    def tuned_measurement(self, run_id: str, task: str, mode: str) -> Path:
        """The table of one cell, post-trained on a task, on that task."""
        return self.evals / run_id / f"{task}.{mode}.parquet"
