"""The page: sections, tables and their cells; `t2 results` writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.artefacts import write_text
from t2scaling.costs import sample_flops
from t2scaling.errors import DataError
from t2scaling.report import cells
from t2scaling.report.results import findings, sentences
from t2scaling.report.results.markdown import grid_table, number, percent, ratio, table
from t2scaling.units import format_flops, format_number, format_ratio

if TYPE_CHECKING:
    from t2scaling.laws.measurements import Measurements
    from t2scaling.observations import Observations

TITLES = {"base": "pretrained", "ft": "fine-tuned (loss on everything)", "sft": "fine-tuned on the answer (SFT)"}
# A second, larger inference budget, in samples of the largest model.
LARGER = 16.0


@dataclass(frozen=True)
class Suite:
    """What the page is written from.

    data       measurements by (stage, task)
    budgets    training FLOPs of the largest level that has overtrained cells, and a hundred times that
    serving    inference FLOPs: one sample of the largest model, and `LARGER` samples
    """

    observations: Observations
    data: dict[tuple[str, str], Measurements]
    budgets: list[float]
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

    @cached_property
    def fitted(self) -> list[findings.Fitted]:
        """Chinchilla's law of every task's k = 1 loss, pretrained checkpoints, the macro average first."""
        return [findings.chinchilla_fit(data, self.seed) for data in self.of_stage("base")]


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
    over, flops = cells.overtrained(base), cells.train_flops(base)
    largest = float((flops[over] if over.any() else flops).max())
    serving = float(sample_flops(base.N.max(), 1)) if inference_flops is None else inference_flops
    return Suite(observations, data, [largest, 100 * largest], [serving, LARGER * serving], manifest or {}, seed)


def render(suite: Suite) -> str:
    """The page as Markdown."""
    parts = ["# What the suite says", _origin(suite), *_suite(suite), *_fits(suite)]
    parts += [*_rq1(suite), *_rq2(suite), *_rq3(suite), *sentences.caveats()]
    return "\n\n".join(parts) + "\n"


def write_results(observations: Observations, path: str | Path, **options: Any) -> Path:
    """Compute and write the page; options as in `gather`. Returns the path."""
    return write_text(path, render(gather(observations, **options)))


def read_manifest(path: str | Path) -> dict[str, Any]:
    """The manifest.json of a suite. Raises DataError where it is none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"`{path}` is not a manifest.json ({error}).") from error
    if not isinstance(content, dict):
        raise DataError(f"`{path}` is not a manifest.json: it holds a {type(content).__name__}.")
    return content


def _origin(suite: Suite) -> str:
    conventions = suite.observations.conventions
    statement = conventions.get("statement", "")
    made = f" {statement}" if statement else ""
    return (
        "Every number on this page is computed from the observations by "
        f"`t2 results`; none is typed in.{made} N counts parameters "
        f"({conventions.get('n_params', 'unstated')}), D training tokens, "
        "k samples per problem; losses are in nats. The questions are those of Roberts et al. 2026 "
        "(arXiv 2604.01411)."
    )


def _suite(suite: Suite) -> list[str]:
    base = suite.base
    out = ["## The suite", sentences.suite(base, suite.observations.tasks), grid_table(base)]
    if suite.manifest:
        out.append(sentences.effort(suite.manifest))
    return out


def _fits(suite: Suite) -> list[str]:
    fitted = suite.fitted
    rows = [[row.task, percent(row.error), f"{row.inner_minima} of {row.n_levels}"] for row in fitted]
    return [
        "## Does loss fall smoothly?",
        sentences.smooth(fitted[0]),
        table(["task", "relative error of the Chinchilla fit", "isoFLOP levels with an inner minimum"], rows),
    ]


def _rq1(suite: Suite) -> list[str]:
    rows = [
        row
        for data in suite.of_stage("base")
        for row in findings.optima(data, "base", suite.budgets, suite.serving, suite.seed)
    ]
    out = ["## RQ1. Does test-time compute move the optimum?", sentences.rq1(rows)]
    for budget in suite.budgets:
        for serving in suite.serving:
            out.append(f"C_train = {format_flops(budget)} FLOPs, C_inf = {format_flops(serving)} FLOPs per token:")
            out.append(_optima_table([r for r in rows if (r.train_flops, r.inference_flops) == (budget, serving)]))
    return out


def _optima_table(rows: list[findings.Optimum]) -> str:
    body = [
        [
            row.task,
            sentences.LAW[row.law],
            ratio(row.chinchilla_ratio),
            *_place(row),
            _range(row),
        ]
        for row in rows
    ]
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
    errors = [
        row
        for data in suite.of_stage("base")
        for serving in suite.serving
        for row in findings.forecasts(data, serving, suite.seed)
    ]
    out = ["## RQ2. Do the overtrained cells keep the forecast?"]
    if not errors:
        return [*out, "The suite marks no cell as overtrained, so nothing can be held out."]
    out += [sentences.rq2(errors, suite.base.task), _forecast_table(errors), *_table1(suite, "base")]
    return [*out, "### Against the paper", sentences.against_paper(errors, suite.fitted, suite.base)]


def _forecast_table(rows: list[findings.Forecast]) -> str:
    body = [
        [
            row.task,
            sentences.LAW[row.law],
            format_flops(row.inference_flops),
            str(row.n_cells),
            percent(row.in_sample),
            percent(row.error),
            percent(row.bias, signed=True),
            f"{row.absolute:.3f} nats" if row.metric == "neg_log_pass_at_k" else f"{100 * row.absolute:.1f} points",
        ]
        for row in rows
    ]
    head = ["task", "law", "C_inf", "held-out cells", "error in sample", "error held out", "signed", "absolute"]
    return table(head, body)


def _table1(suite: Suite, stage: str) -> list[str]:
    out = []
    for serving in suite.serving:
        rows = [row for data in suite.of_stage(stage) for row in findings.pairs(data, stage, serving)]
        if not rows:
            continue
        largest = max(row.train_flops for row in rows)
        out.append(sentences.pairs(rows, serving))
        out.append(f"At the largest such level, C_train = {format_flops(largest)} FLOPs:")
        out.append(_pair_table([row for row in rows if row.train_flops > 0.8 * largest]))
    return out


def _pair_table(rows: list[findings.Pair]) -> str:
    body = [
        [
            row.task,
            _reading(row.overtrained),
            _reading(row.chinchilla),
            f"{percent(row.difference, signed=True)} ± {percent(row.se)}",
        ]
        for row in rows
    ]
    return table(["task", "best overtrained", "Chinchilla-optimal", "difference"], body)


def _reading(cell: cells.Reading) -> str:
    size = f"N {format_number(cell.n_params)}, D/N {format_ratio(cell.n_tokens / cell.n_params)}, k {number(cell.k)}"
    return f"{percent(cell.pass_at_k)} ± {percent(cell.se)} ({size})"


def _rq3(suite: Suite) -> list[str]:
    stages = [stage for stage in ("ft", "sft") if suite.of_stage(stage)]
    out = ["## RQ3. Does it survive post-training?"]
    if not stages:
        return [*out, "The observations hold no post-trained checkpoints."]
    rows = _frontiers(suite, stages)
    out += [sentences.rq3(rows), _stage_table(rows)]
    for stage in stages:
        out += [f"### Checkpoints {TITLES[stage]}", *_table1(suite, stage)]
    return out


def _frontiers(suite: Suite, stages: list[str]) -> list[findings.Optimum]:
    """Optima of the tasks that were post-trained, at every stage, under the first pair of budgets."""
    tuned = {task for at, task in suite.data if at in stages and task != "macro"}
    rows = []
    for stage in ["base", *stages]:
        for data in suite.of_stage(stage):
            if data.task in tuned:
                rows += findings.optima(data, stage, suite.budgets[:1], suite.serving, suite.seed)
    return sorted(rows, key=lambda row: (row.inference_flops, row.task, findings.LAWS.index(row.law)))


def _stage_table(rows: list[findings.Optimum]) -> str:
    body = [
        [
            row.task,
            row.stage,
            sentences.LAW[row.law],
            format_flops(row.inference_flops),
            ratio(row.chinchilla_ratio),
            _place(row)[0],
            _range(row),
        ]
        for row in rows
    ]
    return table(["task", "stage", "law", "C_inf", "Chinchilla D/N", "T² D/N", "measured range"], body)
