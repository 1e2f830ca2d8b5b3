"""Writes down what the laws expect of the larger cells of a suite, before those are trained.

    t2 study examples/english.yaml -o out/english            # stop it once the smaller budgets are measured
    python scripts/forecast_cells.py out/english 6.4e12 docs/forecasts/english.json lambada_openai sciq

The laws see the cells of at most so many training FLOPs, overtrained ones included; every larger cell of the plan is a
point, at two inference budgets. Refuses where one of those has been trained. The file is as `validate:` of a study
writes it (see `t2scaling.testbed.study.forecast`), so that `judge` puts the measurements beside it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import polars as pl

from t2scaling.artefacts import sha256
from t2scaling.costs import sample_flops
from t2scaling.errors import DataError, FitError
from t2scaling.laws import fit
from t2scaling.observations import Observations, read
from t2scaling.testbed.study.forecast import Forecast, Point, expected
from t2scaling.testbed.study.jobs import load_study

LAWS = ("chinchilla", "loss", "accuracy", "bottleneck")
SAMPLES = (1, 16)  # inference budgets, in samples of the largest model


def main(folder: str, up_to: str, output: str, *tasks: str) -> None:
    study = load_study(folder)
    seen = {cell.run_id for cell in study.suite.cells if cell.level <= float(up_to)}
    ahead = [cell for cell in study.suite.cells if cell.run_id not in seen and cell.seed == study.suite.cells[0].seed]
    if early := [cell.run_id for cell in ahead if study.layout.trained(cell.run_id)]:
        sys.exit(f"{early[0]} is trained: a forecast is made before")
    measured = read([study.layout.measurement(run, task) for run in sorted(seen) for task in tasks])
    known = measured.frame().with_columns(pl.col("nll").cast(pl.Float32))  # as the suite will ship them
    observations = Observations.from_frame(known, measured.conventions)
    one_sample = float(sample_flops(max(cell.n_params for cell in study.suite.cells), 1))
    parameters, points = {}, []
    for law, task, samples in product(LAWS, tasks, SAMPLES):
        serving = samples * one_sample
        try:
            fitted = fit(observations, law=law, task=task, inference_flops=serving)
        except (DataError, FitError) as error:
            print(f"{law} {task}: {error}")
            continue
        parameters[f"{law} {task} {serving:g}"] = fitted.law.parameters
        for cell in ahead:
            here = Point(law, task, cell.level, serving, "planned", float(cell.n_params), float(cell.n_tokens))
            points.append(expected(here, cell, fitted))
    path = observations.write(Path(output).with_suffix(".parquet"))
    suite = json.loads(replace(study.suite, cells=tuple(ahead)).to_json())
    runs = tuple(sorted(observations.runs["run_id"]))
    made = Forecast(sha256(path), runs, parameters, tuple(points), suite)
    print(f"{made.save(Path(output))}: {len(points)} points of {len(ahead)} cells, from {len(runs)} runs")


if __name__ == "__main__":
    main(*sys.argv[1:])
