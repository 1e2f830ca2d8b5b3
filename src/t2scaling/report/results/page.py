"""The page: sections, tables and their cells; `t2 results` writes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from t2scaling.artefacts import write_text
from t2scaling.costs import sample_flops
from t2scaling.foreign import read_json, validate
from t2scaling.report.results import findings, sentences, verdict
from t2scaling.report.results.markdown import change, grid_table, level, number, percent, points, ratio, table
from t2scaling.report.runs import overtrained, train_flops
from t2scaling.report.style import law_label
from t2scaling.units import format_flops, format_number, format_ratio

if TYPE_CHECKING:
    from t2scaling.laws import FitResult
    from t2scaling.laws.measurements import Measurements
    from t2scaling.observations import Observations

TITLES = {"base": "pretrained", "ft": "fine-tuned (loss on everything)", "sft": "fine-tuned on the answer (SFT)"}
# A second, larger inference budget, in samples of the largest model.
LARGER = 16.0


class _Remarks(BaseModel):
    remarks: list[str] = []


@dataclass(frozen=True, eq=False)
class Suite:
    """What the page is written from.

    data       measurements by (stage, task)
    budget     training FLOPs of the largest level that has overtrained cells
    serving    inference FLOPs: one sample of the largest model, and `LARGER` samples
    """

    observations: Observations
    data: dict[tuple[str, str], Measurements]
    budget: float
    serving: list[float]
    manifest: dict[str, Any]
    seed: int

    def of_stage(self, stage: str) -> list[Measurements]:
        """Measurements of every task at a stage, the macro average first."""
        return [data for (at, _), data in self.data.items() if at == stage]

    @property
    def base(self) -> Measurements:
        """The macro average of the pretrained checkpoints, or the only task."""
        return self.of_stage("base")[0]

    @property
    def remarks(self) -> list[str]:
        """What those who made the suite add, from its manifest."""
        return validate(_Remarks, self.manifest, "the manifest's `remarks`").remarks

    @cached_property
    def fitted(self) -> list[findings.Fitted]:
        """Chinchilla's law of every task's k = 1 loss, pretrained checkpoints, the macro average first."""
        return [findings.chinchilla_fit(data, self.seed) for data in self.of_stage("base")]

    @cache  # noqa: B019  # a Suite lives as long as its page
    def fits(self, stage: str, task: str, inference_flops: float) -> list[FitResult]:
        """Every T² law on all cells."""
        return findings.fits(self.data[stage, task], inference_flops, self.seed)

    @cache  # noqa: B019
    def table1(self, stage: str, inference_flops: float) -> list[findings.Pair]:
        """The pairs of every task and level, the largest level last within each task."""
        return [row for data in self.of_stage(stage) for row in findings.table1(data, stage, inference_flops)]

    def optima(self, stage: str, inference_flops: float, tasks: set[str] | None = None) -> list[findings.Optimum]:
        """Each task's optima under the training budget, at a stage."""
        return [
            row
            for data in self.of_stage(stage)
            if tasks is None or data.task in tasks
            for row in findings.optima(
                data, self.fits(stage, data.task, inference_flops), stage, self.budget, inference_flops, self.seed
            )
        ]


def gather(
    observations: Observations,
    inference_flops: float | None = None,
    manifest: dict[str, Any] | None = None,
    seed: int = 0,
) -> Suite:
    """Arrays and budgets for the page.

    inference_flops  the smaller inference budget; default 2·N of the largest model, which buys every size a sample
    """
    stages = [stage for stage in TITLES if stage in observations.stages]
    data = {
        (stage, task): observations.measurements(task, stage)
        for stage in stages
        for task in findings.tasks_of(observations, stage)
    }
    base = next(iter(data.values()))
    for (stage, task), tuned in list(data.items()):
        if stage != "base" and task != "macro" and ("base", task) in data:
            data[sentences.BEFORE, task] = data["base", task].take(np.isin(data["base", task].run_id, tuned.run_id))
    over, flops = overtrained(base), train_flops(base)
    largest = float((flops[over] if over.any() else flops).max())
    serving = float(sample_flops(base.N.max(), 1)) if inference_flops is None else inference_flops
    return Suite(observations, data, largest, [serving, LARGER * serving], manifest or {}, seed)


def render(suite: Suite) -> str:
    """The page as Markdown."""
    parts = ["# What the suite says", _origin(suite), *_suite(suite), *_fits(suite)]
    parts += [*_rq1(suite), *_rq2(suite), *verdict.section(suite.manifest), *_rq3(suite)]
    parts += sentences.caveats()
    return "\n\n".join(parts) + "\n"


def write_results(observations: Observations, path: str | Path, **options: Any) -> Path:
    """Compute and write the page; options as in `gather`. Returns the path."""
    return write_text(path, render(gather(observations, **options)))


def read_manifest(path: str | Path) -> dict[str, Any]:
    """The manifest.json of a suite. Raises DataError where it is none."""
    content = read_json(path, way_out="Give the manifest.json that `t2 study` wrote.")
    return dict(validate(dict[str, Any], content, f"`{path}` is no manifest.json"))


def _origin(suite: Suite) -> str:
    conventions = suite.observations.conventions
    statement = conventions.get("statement", "")
    made = f" {statement}" if statement else ""
    return (
        f"Every number on this page is computed from the observations by `t2 results`; none is typed in.{made} "
        f"N counts parameters ({conventions.get('n_params', 'unstated')}), D training tokens, k samples per problem; "
        "C_inf (inf for inference) is FLOPs per token served; losses are in nats. The questions are those of Roberts "
        "et al. 2026 (arXiv 2604.01411)."
    )


def _suite(suite: Suite) -> list[str]:
    base = suite.base
    out = ["## The suite", sentences.suite(base, suite.observations.tasks), grid_table(base)]
    return [*out, sentences.effort(suite.manifest)] if suite.manifest else out


def _fits(suite: Suite) -> list[str]:
    rows = [[row.task, percent(row.error), f"{row.inner_minima} of {row.n_levels}"] for row in suite.fitted]
    return [
        "## Does loss fall smoothly?",
        sentences.smooth(suite.fitted[0]),
        table(["task", "relative error of the Chinchilla fit", "isoFLOP levels with an inner minimum"], rows),
    ]


def _rq1(suite: Suite) -> list[str]:
    out = ["## RQ1. Does test-time compute move the optimum?", "### As measured"]
    for serving in suite.serving:
        found = [row for data in suite.of_stage("base") for row in findings.shifts(data, "base", serving)]
        out += [sentences.guessed(found)] if any(math.isfinite(row.best.guess) for row in found) else []
        for rows in _by_metric(found):
            out += [sentences.shifts(rows, serving), _pair_table(_largest(rows), "best of all", "least loss at k = 1")]
    out += ["### By the laws", sentences.by_construction()]
    for serving in suite.serving:
        optima = suite.optima("base", serving)
        out += [sentences.rq1(optima, suite.budget, serving), _optima_table(optima)]
    return out


def _optima_table(rows: list[findings.Optimum]) -> str:
    body = [[row.task, law_label(row.law), ratio(row.chinchilla_ratio), *_place(row), _range(row)] for row in rows]
    head = ["task", "law", "Chinchilla D/N", "T² D/N", "T²/Chinchilla", "T² N", "k", "measured range"]
    return table(head, body)


def _place(row: findings.Optimum) -> list[str]:
    """D/N, its ratio to Chinchilla's, N and k of an optimum; dashes where there is none."""
    if not row.exists:
        return ["–"] * 4
    return [ratio(row.ratio), number(row.ratio / row.chinchilla_ratio), format_number(row.n_params), number(row.k)]


def _range(row: findings.Optimum) -> str:
    """Whether an optimum lies within what was measured, or is none."""
    if not row.exists:
        return "no optimum: runs to the smallest N"
    return "outside" if row.extrapolates else "inside"


def _rq2(suite: Suite) -> list[str]:
    out = ["## RQ2. Do the overtrained cells keep the forecast?"]
    rows = [
        row
        for data in suite.of_stage("base")
        for serving in suite.serving
        for row in findings.forecasts(data, suite.fits("base", data.task, serving), serving)
    ]
    if not rows:
        return [*out, "The suite marks no cell as overtrained, so nothing can be held out."]
    out += [sentences.rq2(rows, suite.base.task), _forecast_table(rows), *_advantages(suite), *_table1(suite, "base")]
    return [*out, "### Against the paper", sentences.against_paper(rows, suite.fitted, suite.base, suite.remarks)]


def _forecast_table(rows: list[findings.Forecast]) -> str:
    body = [
        [
            row.task,
            law_label(row.law),
            format_flops(row.inference_flops),
            str(row.held_out.n),
            percent(row.in_sample.mean),
            percent(row.held_out.mean),
            percent(row.held_out.bias, signed=True),
            points(row.held_out.absolute) if row.metric == "pass_at_k" else f"{row.held_out.absolute:.3f} nats",
        ]
        for row in rows
    ]
    head = ["task", "law", "C_inf", "held-out runs", "error in sample", "error held out", "signed", "absolute"]
    return table(head, body)


def _advantages(suite: Suite) -> list[str]:
    """The advantage at the largest level, predicted without that level, beside what was measured."""
    rows = [
        row
        for data in suite.of_stage("base")
        for serving in suite.serving
        for row in findings.advantages(
            suite.fits("base", data.task, serving),
            [pair for pair in suite.table1("base", serving) if pair.task == data.task],
        )
    ]
    if not rows:
        return []
    body = [
        [
            row.pair.task,
            law_label(row.law),
            format_flops(row.pair.inference_flops),
            change(row.pair.metric, row.predicted),
            change(row.pair.metric, row.pair.difference, row.pair.se),
        ]
        for row in rows
    ]
    head = ["task", "law", "C_inf", "predicted advantage", "measured advantage"]
    return ["### The advantage, with both sides held out", sentences.advantages(rows), table(head, body)]


def _table1(suite: Suite, stage: str) -> list[str]:
    out = []
    for serving in suite.serving:
        for rows in _by_metric(suite.table1(stage, serving)):
            top = _largest(rows)
            out += [
                sentences.pairs(rows, serving),
                f"At the largest such level, C_train = {format_flops(top[0].train_flops)} FLOPs:",
                _pair_table(top, "best overtrained", "Chinchilla-optimal"),
            ]
    return out


def _by_metric(rows: list[findings.Pair]) -> list[list[findings.Pair]]:
    """The pairs told in pass@k, and those told in nats, where there are any."""
    parts = [[row for row in rows if row.metric == metric] for metric in ("pass_at_k", "neg_log_pass_at_k")]
    return [part for part in parts if part]


def _largest(rows: list[findings.Pair]) -> list[findings.Pair]:
    most = max(row.train_flops for row in rows)
    return [row for row in rows if row.train_flops > 0.8 * most]


def _pair_table(rows: list[findings.Pair], best: str, usual: str) -> str:
    body = [
        [
            row.task,
            _reading(row.metric, row.best),
            _reading(row.metric, row.usual),
            "the same cell" if row.best.run_id == row.usual.run_id else change(row.metric, row.difference, row.se),
        ]
        for row in rows
    ]
    return table(["task", best, usual, "difference"], body)


def _reading(metric: str, cell: findings.Reading) -> str:
    size = f"N {format_number(cell.n_params)}, D/N {format_ratio(cell.n_tokens / cell.n_params)}, k {number(cell.k)}"
    guess = f"; a guesser {level(metric, cell.guess)}" if math.isfinite(cell.guess) else ""
    return f"{level(metric, cell.value, cell.se)} ({size}{guess})"


def _rq3(suite: Suite) -> list[str]:
    stages = [stage for stage in ("ft", "sft") if suite.of_stage(stage)]
    out = ["## RQ3. Does it survive post-training?"]
    if not stages:
        return [*out, "The observations hold no post-trained checkpoints."]
    tuned = {data.task for data in suite.of_stage(sentences.BEFORE)}
    rows = [
        row
        for serving in suite.serving
        for stage in [sentences.BEFORE, *stages]
        for row in suite.optima(stage, serving, tuned)
    ]
    rows.sort(key=lambda row: (row.inference_flops, row.task, findings.LAWS.index(row.law)))
    out += [sentences.rq3(rows), _stage_table(rows)]
    for stage in stages:
        out += [f"### Checkpoints {TITLES[stage]}", *_table1(suite, stage)]
    return out


def _stage_table(rows: list[findings.Optimum]) -> str:
    body = [
        [
            row.task,
            row.stage,
            law_label(row.law),
            format_flops(row.inference_flops),
            ratio(row.chinchilla_ratio),
            _place(row)[0],
            _range(row),
        ]
        for row in rows
    ]
    return table(["task", "stage", "law", "C_inf", "Chinchilla D/N", "T² D/N", "measured range"], body)
