"""Findings in words, made from the numbers: each sentence says what came out, whichever way it came out."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from t2scaling.laws.measurements import Measurements
from t2scaling.report import cells
from t2scaling.report.results.findings import Fitted, Forecast, Optimum, Pair
from t2scaling.report.results.markdown import number, percent
from t2scaling.report.results.markdown import ratio as spell
from t2scaling.units import format_flops, format_number, format_ratio

LAW = {"loss": "Approach 1 (loss)", "accuracy": "Approach 2 (accuracy)"}


def suite(data: Measurements, tasks: tuple[str, ...]) -> str:
    """Size and spread of the suite."""
    ratio, flops, over = data.D / data.N, cells.train_flops(data), cells.overtrained(data)
    return (
        f"{data.N.size} cells over {len(cells.levels(data))} compute levels and {np.unique(data.N).size} sizes: "
        f"N from {format_number(data.N.min())} to {format_number(data.N.max())}, D from {format_number(data.D.min())} "
        f"to {format_number(data.D.max())}, D/N from {format_ratio(ratio.min())} to {format_ratio(ratio.max())}; "
        f"{int(over.sum())} are marked as overtrained (*). Training took {format_flops(float(flops.sum()))} FLOPs. "
        f"Tasks: {', '.join(tasks)}. The table gives D/N by training FLOPs (rows) and N (columns)."
    )


def effort(manifest: dict[str, Any]) -> str:
    """What the suite cost, and on what."""
    hours = manifest.get("seconds", 0.0) / 3600
    versions = ", ".join(f"{name} {version}" for name, version in manifest.get("versions", {}).items())
    return (
        f"Made with seed {manifest.get('seed')} in {number(hours)} hours of single runs "
        f"({manifest.get('n_runs')} runs, post-training included) on {manifest.get('machine')}. Versions: {versions}."
    )


def smooth(row: Fitted) -> str:
    """How well a Chinchilla law describes the k = 1 loss."""
    return (
        f"A Chinchilla law fitted to the k = 1 loss of all cells ({row.task}) misses it by {percent(row.error)} on "
        f"average, in sample. {row.inner_minima} of {row.n_levels} isoFLOP levels with three cells or more have their "
        "least loss at an inner size."
    )


def rq1(rows: list[Optimum]) -> str:
    """Which way the optimum moves."""
    if not any(np.isfinite(row.chinchilla_ratio) for row in rows):
        return "No law could be fitted that has an optimum."
    none = sum(not row.exists for row in rows)
    ratio = np.array([row.ratio / row.chinchilla_ratio for row in rows if row.exists])
    ratio = ratio[np.isfinite(ratio)]
    more, less = int((ratio > 1.05).sum()), int((ratio < 0.95).sum())
    macro = [row for row in rows if row.task == rows[0].task and row.train_flops == rows[0].train_flops]
    headline = "; ".join(
        f"{LAW[row.law]}, C_inf {format_flops(row.inference_flops)}: {spell(row.ratio)} against "
        f"{spell(row.chinchilla_ratio)}"
        for row in macro
    )
    return (
        f"Of {ratio.size} optima (task × law × budgets), {more} train on more tokens per parameter than the optimum of "
        f"the Chinchilla law fitted to the same task's k = 1 loss, {less} on fewer, {ratio.size - more - less} within "
        f"5 % of it{f'; {none} more have no optimum' if none else ''}. The median factor is "
        f"{number(float(np.median(ratio)))}. For {rows[0].task} at "
        f"C_train = {format_flops(rows[0].train_flops)}: {headline}."
    )


def rq2(rows: list[Forecast], task: str) -> str:
    """How far off the overtrained cells the forecasts are."""
    parts = [
        f"{LAW[row.law]} is off by {percent(row.error)} on {row.n_cells} held-out cells ({percent(row.in_sample)} in "
        f"sample; {_direction(row)}) at C_inf = {format_flops(row.inference_flops)}"
        for row in rows
        if row.task == task
    ]
    return (
        f"Laws fitted without the overtrained cells, judged on them by mean |predicted − observed| / observed at "
        f"k = C_inf/(2·N), for {task}: {'; '.join(parts)}. Approach 1 predicts mean −log pass@k, Approach 2 mean "
        "pass@k, so the two errors are of different quantities (the paper reports 2.8 % and 8.4 %)."
    )


def against_paper(rows: list[Forecast], fitted: list[Fitted], data: Measurements) -> str:
    """Where the suite differs from the paper's, and why the findings may differ with it; a Markdown list."""
    task, budgets = rows[0].task, sorted({row.inference_flops for row in rows})
    at = {(row.law, row.inference_flops): row for row in rows if row.task == task}
    spans = [at["accuracy", budget].observed for budget in budgets if ("accuracy", budget) in at]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    nats = [f"{row.absolute:.2f} nats at C_inf {format_flops(row.inference_flops)}" for row in _of(at, "loss", budgets)]
    shares = [
        f"{percent(row.error)} at C_inf {format_flops(row.inference_flops)}" for row in _of(at, "accuracy", budgets)
    ]
    worst = max(fitted, key=lambda row: row.error)
    sizes = f"{format_number(data.N.min())} to {format_number(data.N.max())}"
    return (
        f"- **Success is common here.** On the held-out cells the mean pass@k ({task}) runs from {percent(low)} to "
        f"{percent(high)}; in the paper's Figure 3 it stays below 20 %. As pass@k nears 1, −log pass@k nears 0, and a "
        "sum with the terms A/N^alpha + B/D^beta cannot follow it there: Approach 1's relative error grows without "
        f"bound whatever the data. Its absolute error is {', '.join(nats)}.\n"
        f"- **Approach 2 is off by {', '.join(shares)}**, against the paper's 8.4 %. It saturates at 1 by form, which "
        "suits tasks that are nearly solved.\n"
        f"- **The models are small**: N from {sizes} instead of 5M to 901M, on a procedural text with few skills. A "
        "skill comes at once when a model is large and trained enough, not little by little, and a power law then "
        f"fits worse: {worst.task} is off by {percent(worst.error)} in sample.\n"
        "- **One run per cell**: differences between neighbouring cells hold the luck of one seed."
    )


def _of(rows: dict[tuple[str, float], Forecast], law: str, budgets: list[float]) -> list[Forecast]:
    return [rows[law, budget] for budget in budgets if (law, budget) in rows]


def _direction(row: Forecast) -> str:
    if abs(row.bias) < row.error / 3:
        return "to both sides"
    optimistic = (row.bias < 0) == (row.metric == "neg_log_pass_at_k")
    return "optimistic" if optimistic else "pessimistic"


def pairs(rows: list[Pair], inference_flops: float) -> str:
    """In how many comparisons the overtrained cell wins, and where."""
    wins = sum(row.difference > 0 for row in rows)
    clear = sum(row.difference > 2 * row.se for row in rows)
    lost = sum(row.difference < -2 * row.se for row in rows)
    return (
        f"Best overtrained cell against Chinchilla-optimal cell, pass@k at k = C_inf/(2·N) with C_inf = "
        f"{format_flops(inference_flops)}, over all {len(rows)} pairs of task and level: the overtrained cell is "
        f"ahead in {wins}, by more than two standard errors in {clear}, and behind by as much in {lost}."
    )


def rq3(rows: list[Optimum]) -> str:
    """Whether the optimum's direction holds after post-training, and how far D/N moves."""
    by_stage: dict[str, list[Optimum]] = defaultdict(list)
    for row in rows:
        by_stage[row.stage].append(row)
    base = {(row.task, row.law, row.inference_flops): row.ratio for row in by_stage["base"] if row.exists}
    parts = []
    for stage, found in by_stage.items():
        found = [row for row in found if row.exists]
        ahead = sum(row.ratio > 1.05 * row.chinchilla_ratio for row in found)
        text = f"{stage}: T² overtrains beyond Chinchilla in {ahead} of {len(found)}"
        moved = [row.ratio / base[key] for row in found if (key := (row.task, row.law, row.inference_flops)) in base]
        if stage != "base" and moved:
            text += f", and its D/N is {number(float(np.median(moved)))} times that of the base checkpoints (median)"
        parts.append(text)
    return "Optima refitted at each stage on the tasks that were post-trained. " + "; ".join(parts) + "."


def caveats() -> list[str]:
    """What to keep in mind, as the page's last section."""
    return [
        "## How to read this",
        "- pass@k counts a problem as solved if any of k samples is right: it presumes a verifier that finds it.\n"
        "- The best overtrained cell is chosen by the pass@k that the table shows, as in the paper: with several "
        "candidates per level this favours them slightly. The Chinchilla cell is chosen by its k = 1 loss.\n"
        "- ± is one standard error over questions. It holds no seed-to-seed variation of training: each cell was "
        "trained once.\n"
        "- A forecast marked “outside” lies beyond the range of N, D, D/N or k that was measured.\n"
        "- C_inf = 2·N·k is FLOPs per token served. Prompts, attention and memory traffic are left out, as in the "
        "paper.",
    ]
