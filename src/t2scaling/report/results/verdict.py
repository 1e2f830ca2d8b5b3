"""Forecasts that were written before their cells were trained, beside what was then measured.

A manifest holds them under `verdicts`: `{"fitted_to": words, "points": rows}`, the rows as `t2 study` writes them to
verdict.json (one per point and metric).
"""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel

from t2scaling.foreign import validate
from t2scaling.report.results.markdown import change, level, number, percent, ratio, table
from t2scaling.report.style import law_label
from t2scaling.units import format_flops, format_number

_NAMES = {"pass_at_k": "mean pass@k", "neg_log_pass_at_k": "mean −log pass@k", "loss": "the k = 1 loss"}


class Point(BaseModel):
    """One cell that a law's forecast named, in one metric; `standard_error` over seeds, None with one run."""

    law: str
    task: str
    train_flops: float
    inference_flops: float
    kind: str
    run_id: str = ""
    cell_params: float
    cell_tokens: float
    k: float
    metric: str
    runs: int
    predicted: float
    measured: float
    standard_error: float | None


class Verdict(BaseModel):
    """All points of one forecast, and what its laws were fitted to."""

    fitted_to: str
    points: list[Point]


class _Verdicts(BaseModel):
    verdicts: list[Verdict] = []


def section(manifest: dict[str, Any]) -> list[str]:
    """Predicted beside measured for every point, and the difference of a law's optimum to its Chinchilla point."""
    found = validate(_Verdicts, manifest, "the manifest's `verdicts`").verdicts
    if not found:
        return []
    out = [
        "## Forecast first, then trained",
        "Each forecast was written down before any of its cells was trained: every law's optimum and the law's own "
        "Chinchilla point, each stood for by a cell of nearly that N and D, or the suite's planned cells. ± is one "
        "standard error over seeds; of pass@k more is better, of nats less.",
    ]
    for one in found:
        main = [point for point in one.points if point.metric == _metric(one.points, point.law)]
        planned = [point for point in main if point.kind == "planned"]
        named = [point for point in main if point.kind != "planned"]
        out += [f"### Laws fitted to {one.fitted_to}", _sentence(main)]
        out += [_points(named), _differences(named)] if named else []
        out += _by_cell(planned)
    return out


def _by_cell(rows: list[Point]) -> list[str]:
    """A table of each task and inference budget: a row per cell, and of each law what it said and what was measured."""
    out = []
    for task, serving in dict.fromkeys((row.task, row.inference_flops) for row in rows):
        at = {(row.run_id, row.law): row for row in rows if (row.task, row.inference_flops) == (task, serving)}
        cells = {run: row for (run, _), row in at.items()}
        laws = list(dict.fromkeys(law for _, law in at))
        head = ["C_train", "N", "D/N", "k", "runs", *(f"{law_label(law)}: predicted, measured" for law in laws)]
        body = []
        for run, cell in cells.items():
            said = [at.get((run, law)) for law in laws]
            k = max(row.k for row in said if row is not None)
            place = [format_number(cell.cell_params), ratio(cell.cell_tokens / cell.cell_params), number(k)]
            body.append([format_flops(cell.train_flops), *place, str(cell.runs), *map(_both, said)])
        out += [f"{task}, C_inf = {format_flops(serving)}:", table(head, body)]
    return out


def _both(row: Point | None) -> str:
    if row is None:
        return "–"
    return f"{level(row.metric, row.predicted)}, {level(row.metric, row.measured, row.standard_error)}"


def _metric(rows: list[Point], law: str) -> str:
    """The metric a law is judged in: pass@k where it says one."""
    said = {row.metric for row in rows if row.law == law}
    return next(name for name in ("pass_at_k", "neg_log_pass_at_k", "loss") if name in said)


def _sentence(rows: list[Point]) -> str:
    parts = []
    for law in dict.fromkeys(row.law for row in rows):
        off = [abs(row.predicted - row.measured) / row.measured for row in rows if row.law == law and row.measured]
        if off:
            name = _NAMES[_metric(rows, law)]
            parts.append(
                f"the {law_label(law)} is off by {percent(sum(off) / len(off))} of {name} on {len(off)} points"
            )
    return f"On average {'; '.join(parts)}."


def _points(rows: list[Point]) -> str:
    head = ["law", "task", "C_train", "C_inf", "point", "N", "D/N", "k", "predicted", "measured", "runs"]
    return table(
        head,
        [
            [
                law_label(row.law),
                row.task,
                format_flops(row.train_flops),
                format_flops(row.inference_flops),
                row.kind,
                format_number(row.cell_params),
                ratio(row.cell_tokens / row.cell_params),
                number(row.k),
                level(row.metric, row.predicted),
                level(row.metric, row.measured, row.standard_error),
                str(row.runs),
            ]
            for row in rows
        ],
    )


def _differences(rows: list[Point]) -> str:
    """Optimum minus Chinchilla point of the same law, task and budgets: predicted, and measured."""
    usual = {_key(row): row for row in rows if row.kind == "chinchilla"}
    body = []
    for row in rows:
        other = usual.get(_key(row))
        if row.kind != "optimum" or other is None:
            continue
        errors = [row.standard_error, other.standard_error]
        spread = None if None in errors else math.hypot(*(error for error in errors if error is not None))
        body.append(
            [
                law_label(row.law),
                row.task,
                format_flops(row.train_flops),
                format_flops(row.inference_flops),
                change(row.metric, row.predicted - other.predicted),
                change(row.metric, row.measured - other.measured, spread),
            ]
        )
    head = ["law", "task", "C_train", "C_inf", "optimum minus Chinchilla, predicted", "measured"]
    return table(head, body) if body else "No law's forecast has both points."


def _key(row: Point) -> tuple[str, str, float, float]:
    return row.law, row.task, row.train_flops, row.inference_flops
