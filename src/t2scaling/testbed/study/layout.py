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


@dataclass(frozen=True)
class Layout:
    """The folder of one study."""

    root: Path

    @property
    def suite(self) -> Path:
        return self.root / "suite.json"

    @property
    def config(self) -> Path:
        """The checked study file as JSON, for workers."""
        return self.root / "study.json"

    @property
    def corpus(self) -> Path:
        return self.root / "corpus"

    @property
    def tasks(self) -> Path:
        return self.root / "tasks"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def evals(self) -> Path:
        return self.root / "evals"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def observations(self) -> Path:
        return self.root / "observations.parquet"

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.json"

    @property
    def forecast(self) -> Path:
        return self.root / "forecast.json"

    @property
    def validation(self) -> Path:
        """The folder of the small study of the forecast's cells."""
        return self.root / "validation"

    @property
    def verdict(self) -> Path:
        """What became of the forecast."""
        return self.validation / "verdict.json"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def results(self) -> Path:
        return self.root / "results.md"

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
