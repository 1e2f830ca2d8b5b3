"""The numbers of 0.1.0 against this version's: fits of its four laws, their plans and their frontiers.

    python benchmarks/compare_with_0_1_0.py [--data ../shared/data] [--only simulated]
    PYTHONPATH=<checkout of 0.1.0>/src python benchmarks/compare_with_0_1_0.py --write   # made the stored numbers

Prints, for each suite, how many numbers agree to 1e-9 (relative, with a floor of 1e-12 of the largest in their list)
and every case that does not, with the reason where one is known (`REASONS`). Exits 1 for a difference without one.
Suites that are not at hand (the folder of public data is optional) are named and left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import t2scaling as t2
from t2scaling.laws import fit_chinchilla

STORED = Path(__file__).parents[1] / "tests" / "reference" / "numbers_0_1_0.json"
LAWS = ("loss", "accuracy", "chinchilla", "naive")
TOLERANCE = 1e-9
Numbers = dict[str, list[float]]
PLAIN = {"quality": False} if hasattr(t2, "ArgumentError") else {}  # 0.1.0 judged no fit on hidden runs

# Pattern of a case's name → how far its numbers may lie from those of 0.1.0, and why.
_POOR = "the fit misses its own runs by so much that nothing is planned with it"
_UNFINISHED = "the fit ran out of iterations, as in 0.1.0, and nothing is planned with such a fit any more"
_NO_BEST_SIZE = "0.1.0 planned 1 to 28 parameters; by such a law ever smaller models do better, and a plan says so now"
REASONS: dict[str, tuple[float, str]] = {
    r"^gemstones/openbookqa/naive/(plan|lifetime|frontier)": (np.inf, _NO_BEST_SIZE),
    r"^[a-z]+/[a-z0-9]+/naive/(plan|lifetime)": (np.inf, _POOR),
    r"^pythia/gsm8k/accuracy/(plan|lifetime)": (np.inf, _POOR),
    r"^simulated/arc_easy/accuracy/(plan|lifetime)": (np.inf, _UNFINISHED),
    r"^world/[a-z]+/arithmetic/(accuracy|naive)/(plan|lifetime|frontier)": (np.inf, _NO_BEST_SIZE),
    r"/lifetime_chinchilla$": (1e-6, "Chinchilla's share of a lifetime budget comes from a search in a flat "
                                     "valley, where rounding moves it by up to the root of the machine's precision"),
}  # fmt: skip


def fits(observations: Any, tasks: list[str], inference_flops: float, train_flops: float, **options: Any) -> Iterator:
    """(task/law, numbers) for every task and law; numbers are those of the fit, of two plans and of a frontier."""
    for task in tasks:
        for law in LAWS:
            yield f"{task}/{law}", numbers(observations, law, task, inference_flops, train_flops, options)


def numbers(
    observations: Any, law: str, task: str, inference_flops: float, train_flops: float, options: dict[str, Any]
) -> Numbers:
    """What a fit says, and what is planned with it; empty lists where the law has no best size."""
    try:
        fit = t2.fit(observations, law, task=task, inference_flops=inference_flops, **options, **PLAIN)
    except (t2.T2Error, ValueError):
        return {"parameters": []}
    found = {"parameters": list(fit.law.parameters.values()), "objective": [fit.objective]}
    found["residuals"] = [float(np.nansum(fit.residuals**2)), float(np.nanmax(np.abs(fit.residuals)))]
    found |= planned("plan", fit, train_flops=train_flops, inference_flops=inference_flops)
    if law != "chinchilla":
        served = train_flops / inference_flops
        found |= planned("lifetime", fit, total_flops=train_flops, tokens_served=served)
    try:
        budgets = {"train_flops": train_flops * np.geomspace(0.01, 10, 5), "inference_flops": inference_flops}
        frontier = t2.frontier(fit, **budgets)
        found["frontier"] = [
            float(x) for name in ("n_params", "n_tokens", "k", "value") for x in getattr(frontier, name)
        ]
    except (t2.T2Error, ValueError):
        found["frontier"] = []
    return found


def planned(label: str, fit: Any, **budget: float) -> Numbers:
    """N, D, k and value of the optimum and of Chinchilla's allocation."""
    try:
        plan = t2.plan(fit, **budget)
    except (t2.T2Error, ValueError):
        return {label: []}
    columns = ("n_params", "n_tokens", "k", "value")
    both = {label: plan.optimum, f"{label}_chinchilla": plan.chinchilla}
    return {name: [float(getattr(one, column)) for column in columns] for name, one in both.items()}


def simulated(_: Path) -> Iterator:
    suite = t2.load_suite("simulated")
    yield from fits(suite, [*suite.tasks, "macro"], 2e9, 2.56e19)


def world(data: Path) -> Iterator:
    suite = t2.read(data / "world_0.1.0" / "world.parquet")
    for stage in ("base", "ft", "sft"):
        tasks = [*suite.tasks, "macro"] if stage == "base" else suite.tasks
        for name, found in fits(suite, tasks, 1e6, 5.12e12, stage=stage):
            yield f"{stage}/{name}", found


def gemstones(data: Path) -> Iterator:
    for task in ("openbookqa", "arc_easy"):
        suite = t2.read(data / "gemstones" / f"{task}.parquet")
        yield from fits(suite, list(suite.tasks), 2e10, 1e22)


def pythia(data: Path) -> Iterator:
    suite = t2.read(data / "pythia" / "gsm8k.parquet")
    yield from fits(suite, list(suite.tasks), 2e12, 1e22, k=[1, 2, 8, 32, 128])


def chinchilla(data: Path) -> Iterator:
    with (data / "chinchilla" / "svg_extracted_data.csv").open() as file:
        rows = list(csv.DictReader(file))
    N, C, loss = (np.array([float(row[name]) for row in rows]) for name in ("Model Size", "Training FLOP", "loss"))
    for objective in ("sse", "log_sse", "log_huber"):
        fit = fit_chinchilla(N, C / (6 * N), loss, objective=objective)
        yield objective, {"parameters": list(fit.law.parameters.values()), "objective": [fit.objective]}


SUITES: dict[str, Callable[[Path], Iterator]] = {
    "simulated": simulated, "chinchilla": chinchilla, "pythia": pythia, "gemstones": gemstones, "world": world
}  # fmt: skip


def compute(suite: str, data: Path) -> dict[str, Numbers]:
    """Case → its numbers. Raises OSError or DataError where the suite's data are not at hand."""
    return {f"{suite}/{name}": found for name, found in SUITES[suite](data)}


def difference(ours: list[float], theirs: list[float]) -> float:
    """The largest relative difference of two lists; infinite where they differ in length or in what is missing."""
    a, b = np.array(ours, dtype=float), np.array(theirs, dtype=float)
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    if not np.isfinite(a).any():
        return 0.0
    same = (a == b) | np.isnan(a)
    scale = np.maximum(np.abs(b), 1e-12 * np.nanmax(np.abs(b[np.isfinite(b)])))
    with np.errstate(invalid="ignore"):
        return float(np.max(np.where(same, 0.0, np.abs(a - b) / scale)))


def reason(case: str, off: float) -> str:
    """Why a case may differ by so much; empty where nothing says so."""
    return next((why for name, (most, why) in REASONS.items() if re.search(name, case) and off <= most), "")


def differences(ours: dict[str, Numbers], theirs: dict[str, Numbers]) -> dict[str, float]:
    """case/quantity → relative difference, for all quantities of the stored numbers."""
    return {
        f"{case}/{name}": difference(ours.get(case, {}).get(name, []), values)
        for case, quantities in theirs.items()
        for name, values in quantities.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--only", choices=SUITES, nargs="*", default=list(SUITES))
    parser.add_argument("--write", action="store_true", help="store the numbers of the version that is imported")
    arguments = parser.parse_args()
    if arguments.write:
        stored = {suite: compute(suite, arguments.data) for suite in SUITES}
        STORED.write_text(json.dumps(stored) + "\n")
        return 0
    stored, failed = json.loads(STORED.read_text()), 0
    for suite in arguments.only:
        try:
            off = differences(compute(suite, arguments.data), stored[suite])
        except (OSError, t2.DataError) as error:
            print(f"{suite:11s} not compared: {error}")
            continue
        worse = {case: value for case, value in off.items() if value > TOLERANCE}
        print(f"{suite:11s} {len(off) - len(worse)} of {len(off)} agree to {TOLERANCE:g}")
        for case, value in worse.items():
            print(f"            {case}: {value:.1e}  {reason(case, value) or 'NO REASON GIVEN'}")
            failed += not reason(case, value)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
