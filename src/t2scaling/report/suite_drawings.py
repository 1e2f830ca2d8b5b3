"""The paper's figures of a whole suite: frontiers by stage (Figure 5), isoFLOP profiles by task (Figures 6 and 7)."""

from collections.abc import Mapping, Sequence

from t2scaling.laws import FitResult
from t2scaling.report import figures
from t2scaling.report.drawings import Drawing, drawings
from t2scaling.report.results.findings import plans
from t2scaling.report.results.page import Suite

_SERVING = (1.0, 4.0, 16.0)  # inference budgets of Figures 6 and 7, in samples of the largest model


def suite_drawings(suite: Suite) -> list[Drawing]:
    """Figures 2 to 8 of a suite, as far as its stages and tasks go."""
    serving = suite.serving[0]
    planned = plans(suite.fits("base", suite.base.task, serving), suite.budget, serving)
    shown = drawings([fit for fit, _ in planned], [made for _, made in planned], serving) if planned else []
    stages = [stage for stage in ("base", "ft", "sft") if suite.of_stage(stage)]
    if len(stages) > 1:
        by_stage = {stage: suite.fits(stage, suite.of_stage(stage)[0].task, serving) for stage in stages}
        shown.append(
            Drawing(
                "stages",
                "Frontiers after post-training",
                figures.stages(by_stage, serving),
                "Each law's isoFLOP profiles at each run's own k: pretrained, after fine-tuning, after SFT.",
            )
        )
    return shown + _by_task(suite)


def _by_task(suite: Suite) -> list[Drawing]:
    """One figure per law: a row per task, a column per inference budget."""
    budgets = [share * suite.serving[0] for share in _SERVING]
    found: dict[str, dict[str, list[FitResult | None]]] = {}
    for data in suite.of_stage("base"):
        for column, budget in enumerate(budgets):
            for fit in suite.fits("base", data.task, budget):
                row = found.setdefault(fit.law.name, {}).setdefault(data.task, [None] * len(budgets))
                row[column] = fit
    return [
        Drawing(
            f"tasks-{law}",
            f"IsoFLOP profiles by task: {_label(rows)}",
            figures.task_profiles(rows, budgets),
            "A row per task, a column per inference budget; each run at the k that the budget affords it.",
        )
        for law, rows in found.items()
    ]


def _label(rows: Mapping[str, Sequence[FitResult | None]]) -> str:
    return next(fit.law.label for row in rows.values() for fit in row if fit is not None)
