"""Findings in words, made from the numbers: each sentence says what came out, whichever way it came out."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from t2scaling.laws.measurements import Measurements
from t2scaling.report.results.findings import Advantage, Fitted, Forecast, Optimum, Pair, Reading
from t2scaling.report.results.markdown import change, number, percent
from t2scaling.report.runs import cells, levels, overtrained, train_flops
from t2scaling.report.style import law_label
from t2scaling.units import format_flops, format_number, format_ratio

BEFORE = "before"  # pretrained checkpoints that were tuned: what tuning changes is seen on the same cells alone


def suite(data: Measurements, tasks: tuple[str, ...]) -> str:
    """Size and spread of the suite."""
    ratio, flops, cell = data.D / data.N, train_flops(data), cells(data)
    over = np.unique(cell[overtrained(data)]).size
    count, runs = np.bincount(cell), data.N.size
    seeds = (
        f", {runs} runs ({int((count > 1).sum())} cells have up to {count.max()} seeds)" if runs > count.size else ""
    )
    return (
        f"{count.size} cells over {len(levels(data))} compute levels and {np.unique(data.N).size} sizes{seeds}: "
        f"N from {format_number(data.N.min())} to {format_number(data.N.max())}, D from {format_number(data.D.min())} "
        f"to {format_number(data.D.max())}, D/N from {format_ratio(ratio.min())} to {format_ratio(ratio.max())}; "
        f"{over} are marked as overtrained (*). Training took {format_flops(float(flops.sum()))} FLOPs. "
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


def shifts(rows: list[Pair], inference_flops: float) -> str:
    """Where the best measured cell lies, against the one of least loss, at equal budgets."""
    smaller = [row for row in rows if row.best.n_params < row.usual.n_params]
    same = sum(row.best.run_id == row.usual.run_id for row in rows)
    clear = sum(row.gain > 2 * row.se for row in smaller)
    best = "greatest pass@k" if rows[0].metric == "pass_at_k" else "least mean −log pass@k"
    text = (
        f"At C_inf = {format_flops(inference_flops)}, in {len(smaller)} of {len(rows)} pairs of task and level the "
        f"cell of {best} at its own k is smaller and longer trained than the cell of least k = 1 loss, in "
        f"{clear} of them by more than two standard errors; in {same} it is the same cell."
    )
    if smaller:
        times = np.median([_per_param(row.best) / _per_param(row.usual) for row in smaller])
        text += f" Where it is smaller, its tokens per parameter are {number(float(times))} times as many (median)."
    return f"{text} At the largest level:"


def _per_param(cell: Reading) -> float:
    return cell.n_tokens / cell.n_params


def by_construction() -> str:
    """What the laws' direction is worth."""
    return (
        "That a T² optimum trains on more tokens per parameter than the k = 1 optimum of the same law is no finding: "
        "the first-order condition puts it there for every G > 0 and gamma > 0, whatever the data. What a law can say "
        "is how far, where its optimum lies within what was measured; optima outside are shown and not counted."
    )


def rq1(rows: list[Optimum], train_flops: float, inference_flops: float) -> str:
    """How far the laws move the optimum, where that was measured."""
    head = f"At C_train = {format_flops(train_flops)} and C_inf = {format_flops(inference_flops)}"
    inside = [row for row in rows if row.exists and not row.extrapolates and np.isfinite(row.chinchilla_ratio)]
    none, outside = sum(not row.exists for row in rows), sum(row.exists and row.extrapolates for row in rows)
    rest = f"{outside} lie outside the measured range and {none} have no optimum"
    if not inside:
        return f"{head}, none of {len(rows)} optima (task × law) lies inside the measured range; {rest}."
    times = [row.ratio / row.chinchilla_ratio for row in inside]
    return (
        f"{head}, {len(inside)} of {len(rows)} optima (task × law) lie inside the measured range, with "
        f"{number(min(times))} to {number(max(times))} times the tokens per parameter of the Chinchilla law fitted to "
        f"the same task's k = 1 loss (median {number(float(np.median(times)))}); {rest}."
    )


def rq2(rows: list[Forecast], task: str) -> str:
    """How far off the overtrained cells the forecasts are."""
    parts = [
        f"the {law_label(row.law)} is off by {percent(row.held_out.mean)} on {row.held_out.n} held-out runs "
        f"({percent(row.in_sample.mean)} in sample; {_direction(row)}) at C_inf = {format_flops(row.inference_flops)}"
        for row in rows
        if row.task == task
    ]
    return (
        f"Laws fitted without the overtrained cells, judged on them by mean |predicted − observed| / observed at "
        f"k = C_inf/(2·N), for {task}: {'; '.join(parts)}. The loss law predicts mean −log pass@k, the accuracy law "
        "mean pass@k, so the two errors are of different quantities (the paper reports 2.8 % and 8.4 %)."
    )


def against_paper(rows: list[Forecast], fitted: list[Fitted], data: Measurements, remarks: list[str]) -> str:
    """Where the suite differs from the paper's, and why the findings may differ with it; a Markdown list.

    remarks   what those who made the suite add, from its manifest
    """
    task = rows[0].task
    loss, accuracy = ([row for row in rows if row.task == task and row.law == law] for law in ("loss", "accuracy"))
    nats = [f"{percent(row.held_out.mean)} at C_inf {format_flops(row.inference_flops)}" for row in loss]
    shares = [f"{percent(row.held_out.mean)} at C_inf {format_flops(row.inference_flops)}" for row in accuracy]
    worst = max(fitted, key=lambda row: row.error)
    items = [_success(task, accuracy)] if accuracy else []
    items += [
        f"**Held-out error** ({task}): the loss law is off by {', '.join(nats)}, against the paper's 2.8 %"
        + (f"; the accuracy law by {', '.join(shares)}, against 8.4 %." if shares else "."),
        f"**The models** have {format_number(data.N.min())} to {format_number(data.N.max())} parameters; the paper's "
        f"5M to 901M. Of the tasks, a Chinchilla law fits {worst.task} worst ({percent(worst.error)} in sample).",
        _seeds(data),
        *remarks,
    ]
    return "\n".join(f"- {item}" for item in items)


def _success(task: str, rows: list[Forecast]) -> str:
    low, high = min(row.held_out.lowest for row in rows), max(row.held_out.highest for row in rows)
    near_one = (
        " As pass@k nears 1, −log pass@k nears 0, and a sum with the terms A/N^alpha + B/D^beta cannot follow it "
        "there, whatever the data; the accuracy law saturates at 1 by form."
    )
    return (
        f"**Success** ({task}): on the held-out runs the mean pass@k runs from {percent(low)} to {percent(high)}; in "
        f"the paper's Figure 3 it stays below 20 %.{near_one if high > 0.8 else ''}"
    )


def _seeds(data: Measurements) -> str:
    count = np.bincount(cells(data))
    if count.max() == 1:
        return "**One run per cell**: differences between neighbouring cells hold the luck of one seed."
    return (
        f"**Seeds**: {int((count > 1).sum())} of {count.size} cells were trained {count.max()} times; the others once, "
        "and hold the luck of one seed."
    )


def _direction(row: Forecast) -> str:
    if abs(row.held_out.bias) < row.held_out.mean / 3:
        return "to both sides"
    optimistic = (row.held_out.bias < 0) == (row.metric == "neg_log_pass_at_k")
    return "optimistic" if optimistic else "pessimistic"


def pairs(rows: list[Pair], inference_flops: float) -> str:
    """In how many comparisons the overtrained cell wins, and where."""
    wins = sum(row.gain > 0 for row in rows)
    clear = sum(row.gain > 2 * row.se for row in rows)
    lost = sum(row.gain < -2 * row.se for row in rows)
    what = "pass@k" if rows[0].metric == "pass_at_k" else "mean −log pass@k"
    return (
        f"Best overtrained cell against Chinchilla-optimal cell, {what} at k = C_inf/(2·N) with C_inf = "
        f"{format_flops(inference_flops)}, over all {len(rows)} pairs of task and level: the overtrained cell is "
        f"ahead in {wins}, by more than two standard errors in {clear}, and behind by as much in {lost}."
    )


def guessed(rows: list[Pair]) -> str:
    """How far a guesser gets, where the data say how easy guessing is."""
    told = [row for row in rows if row.metric == "pass_at_k"]
    shares = [row.best.guess / row.best.value for row in told if np.isfinite(row.best.guess)]
    text = (
        "Of guessing: a guesser knows only the questions' form, and where it reaches more than a fifth of the best "
        f"cell's pass@k, a pair is told by mean −log pass@k: {len(rows) - len(told)} of {len(rows)} pairs."
    )
    if shares:
        return f"{text} In the others the guesser reaches at most {percent(max(shares))} of it."
    worse = sum(row.best.guess < row.best.value for row in rows)
    return f"{text} In {worse} of these the guesser is better in nats too."


def advantages(rows: list[Advantage]) -> str:
    """How much of a predicted advantage was there."""
    kinds = [[row for row in rows if row.pair.metric == metric] for metric in ("pass_at_k", "neg_log_pass_at_k")]
    parts = [_advantages(kind) for kind in kinds if kind]
    return (
        "Laws fitted without any cell of the largest level, asked by how much its best overtrained cell differs from "
        f"its Chinchilla-optimal one: {'; '.join(parts)}."
    )


def _advantages(rows: list[Advantage]) -> str:
    metric, parts = rows[0].pair.metric, []
    for law in dict.fromkeys(row.law for row in rows):
        own = [row for row in rows if row.law == law]
        signs = sum((row.predicted > 0) == (row.pair.difference > 0) for row in own)
        mean = change(metric, float(np.mean([row.predicted for row in own])))
        parts.append(f"{mean} by the {law_label(law)} (the sign is right in {signs} of {len(own)})")
    measured = change(metric, float(np.mean([row.pair.difference for row in rows])))
    what = "pass@k" if metric == "pass_at_k" else "mean −log pass@k"
    return f"in {what} they predict on average {' and '.join(parts)}, and {measured} were measured"


def rq3(rows: list[Optimum]) -> str:
    """Whether the optimum's direction holds after post-training, and how far D/N moves."""
    by_stage: dict[str, list[Optimum]] = defaultdict(list)
    for row in rows:
        by_stage[row.stage].append(row)
    base = {(row.task, row.law, row.inference_flops): row.ratio for row in by_stage[BEFORE] if row.exists}
    parts = []
    for stage, found in by_stage.items():
        found = [row for row in found if row.exists]
        inside = [row for row in found if not row.extrapolates]
        ahead = sum(row.ratio > 1.05 * row.chinchilla_ratio for row in inside)
        text = f"{stage}: {len(inside)} of {len(found)} optima lie inside the measured range, {ahead} beyond Chinchilla"
        moved = [row.ratio / base[key] for row in found if (key := (row.task, row.law, row.inference_flops)) in base]
        if stage != BEFORE and moved:
            text += f", and its D/N is {number(float(np.median(moved)))} times that before (median)"
        parts.append(text)
    return (
        "Optima of laws fitted before and after, on the cells and tasks that were post-trained. "
        + "; ".join(parts)
        + "."
    )


def caveats() -> list[str]:
    """What to keep in mind, as the page's last section."""
    return [
        "## How to read this",
        "- pass@k counts a problem as solved if any of k samples is right: it presumes a verifier that finds it.\n"
        "- The best overtrained cell is chosen by the pass@k that the table shows, as in the paper: with several "
        "candidates per level this favours them slightly. The Chinchilla cell is chosen by its k = 1 loss.\n"
        "- ± is one standard error over questions and, where a cell was trained more than once, over its seeds; with "
        "one seed it holds no variation of training.\n"
        "- A forecast marked “outside” lies beyond the range of N, D, D/N or k that was measured.\n"
        "- C_inf = 2·N·k is FLOPs per token served. Prompts, attention and memory traffic are left out, as in the "
        "paper.",
    ]
