"""Which laws extrapolate: the tables of docs/forecasting.md from the real measurements in ../shared/data.

    python benchmarks/forecasting.py [--only errors|decisions|movement|samples|speed|following|optimum] [--draws 20]

Splits, fitted below and judged above: Gemstones D/N 200, N 6e8, D 1e11, N·D 3e19; world (0.1.0's suite) D/N 250, N 9e4,
D 8e6, 6·N·D 1e12; Pythia GSM8K the 65 % quantile of each axis, runs under 2e9 tokens or without any success left out.
Reference of each figure: the nearest run, the paper's Approach 2, and the bars stated beside them. Settings were chosen
on these files, which flatters.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import optimum_range
import t2scaling as t2
from t2scaling.allocate.next_runs import next_runs
from t2scaling.laws import FitOptions, Measurements, curves, law_class
from t2scaling.laws.default import names
from t2scaling.laws.heldout import coverage, folds, spread, trials
from t2scaling.laws.intervals import to_scale
from t2scaling.laws.regret import decisions, pass_at_own_k
from t2scaling.laws.solvers.zero_inflated import fit_zero_inflated
from t2scaling.laws.splits import splits
from t2scaling.passk import pass_at_k

DATA = Path(__file__).parents[2] / "shared" / "data"
AXES = ("overtrained", "larger", "longer", "compute")
BOUNDS = {
    "gemstones": dict(zip(AXES, (200, 6e8, 1e11, 6 * 3e19), strict=True)),
    "world": dict(zip(AXES, (250, 9e4, 8e6, 1e12), strict=True)),
    "gsm8k": dict.fromkeys(AXES),
}
K = {"gemstones": (1, 4, 16, 64, 256), "world": (1, 4, 16, 64, 256), "gsm8k": (1, 2, 8, 32, 128)}
LAWS = ("loss", "accuracy", "nearest", "bottleneck", "quantile", "direct")
WORLD_TASKS = [(stage, task) for stage in ("base", "ft", "sft") for task in ("arithmetic", "causal", "spatial")]
WORLD_BUDGETS = (9.83e5, 3.93e6, 1.57e7)


def world() -> Iterator[Measurements]:
    """The ten suites of 0.1.0's world."""
    table = t2.read(DATA / "world_0.1.0" / "world.parquet")
    for stage, task in [("base", "knowledge"), *WORLD_TASKS]:
        yield table.measurements(task=task, stage=stage)


def suites() -> Iterator[tuple[str, Measurements]]:
    """Every suite with the name of its group."""
    for task in ("arc_easy", "openbookqa"):
        yield "gemstones", t2.read(DATA / "gemstones" / f"{task}.parquet").measurements()
    yield from (("world", suite) for suite in world())
    gsm8k = t2.read(DATA / "pythia" / "gsm8k.parquet").measurements()
    solved = curves(gsm8k, [1]).pass_at_k[:, 0] > 0
    yield "gsm8k", gsm8k.take((gsm8k.D >= 2e9) & solved)


def errors() -> None:
    """Held-out errors by law, splits worse than Approach 2, coverage of the default's intervals."""
    off, held = defaultdict(list), defaultdict(list)
    for group, suite in suites():
        suite = suite.with_quantiles()
        table = curves(suite, K[group])
        default = names("auto", suite.kind)[0]
        for axis in AXES:
            (split,) = splits(table, axis, BOUNDS[group][axis])
            for name in LAWS:
                if name == "quantile" and suite.kind == "counts":
                    continue
                cls, options = law_class(name), FitOptions()
                inner = folds(cls, table, suite, split, options) if name == default else []
                for trial in trials(cls, table, suite, split, options):
                    mean = trial.errors()
                    off[group, trial.metric, name].append(mean["log" if group == "gsm8k" else "relative"])
                    if name == default:
                        off[group, trial.metric, "default"].append(off[group, trial.metric, name][-1])
                        held[group, trial.metric].append(list(coverage(trial, spread(trial, inner)).values()))
    print("held-out error, mean over splits (gsm8k: absolute error of log pass@k)")
    shown = ("default", *LAWS)
    print(f"{'':30}" + "".join(f"{name:>12}" for name in shown) + "   bar for the default")
    bars = {("gemstones", "pass_at_k"): 0.13, ("gemstones", "neg_log_pass_at_k"): 0.155}
    bars |= {("world", "pass_at_k"): 0.115, ("gsm8k", "pass_at_k"): 0.55}
    for group, metric in dict.fromkeys(key[:2] for key in off):
        cells = [off.get((group, metric, name)) for name in shown]
        text = "".join(f"{np.mean(cell):>12.4f}" if cell else f"{'–':>12}" for cell in cells)
        print(f"{group + ' ' + metric:30}{text}   {bars.get((group, metric), '')}")
    default, paper = (np.array(off["world", "pass_at_k", name]) for name in ("default", "accuracy"))
    print(f"world: splits where the default is over 10 % worse than Approach 2: {np.sum(default > 1.1 * paper)} of "
          f"{len(default)} (bar 4)")  # fmt: skip
    counted = [np.array(off["gsm8k", "pass_at_k", name]) for name in ("default", "loss", "accuracy")]
    better = np.sum((counted[0] < counted[1]) & (counted[0] < counted[2]))
    print(f"gsm8k: axes where the default is better than both approaches: {better} of 4")
    for (group, metric), rows in held.items():
        mean, least = np.mean(rows, axis=0), np.min(rows, axis=0)
        print(f"{group} {metric}: intervals at 50, 80, 90 % held {mean.round(3)}; least split at 90 %: {least[2]:.3f}")


def choices() -> None:
    """Decision regret on world's hidden levels."""
    laws = [law_class(name) for name in LAWS]
    made = [one for suite in world() for one in decisions(laws, suite, WORLD_BUDGETS, FitOptions())]
    print("decisions on world: regret in points of pass@k, and the share within one point (bars 1.0 and 0.80)")
    for name in LAWS:
        lost = 100 * np.array([one.regret for one in made if one.law == name])
        print(f"{name:12} {len(lost)} decisions  {lost.mean():6.2f}  {np.mean(lost <= 1):.3f}")
    by_chance = 100 * np.array([one.best - one.mean for one in made if one.law == LAWS[0]])
    print(f"{'random run':12} {len(by_chance)} decisions  {by_chance.mean():6.2f}")


def movement() -> None:
    """How far D/N of the optimum moves with the top of the k grid, where the plan's k is within it."""
    print("D/N of the optimum: largest over smallest when the k fitted ends at the plan's k × 1, 2, 4, 8 (bar 1.5)")
    for suite in world():
        line = []
        for name in ("loss", "accuracy", "bottleneck"):
            first = t2.fit(suite, law=name, inference_flops=3.93e6, quality=False, target="neg_log_mean")
            k = t2.plan(first, train_flops=1e12, inference_flops=3.93e6).optimum.k
            ratios = []
            for factor in (1, 2, 4, 8):
                grid = np.geomspace(1, max(2.0, k * factor), 12)
                fit = t2.fit(suite, law=name, k=grid, quality=False, target="neg_log_mean")
                ratios.append(t2.plan(fit, train_flops=1e12, inference_flops=3.93e6).optimum.tokens_per_param)
            line.append(f"{name} {max(ratios) / min(ratios):.2f}")
        print(f"{suite.task:12} " + "   ".join(line))


def samples(draws: int = 4) -> None:
    """From 100 draws to many on gsm8k: absolute error of log pass@k of each run."""
    suite = t2.read(DATA / "pythia" / "gsm8k.parquet").measurements()
    assert suite.n is not None
    assert suite.c is not None
    fewest = np.where(suite.n > 0, suite.n, np.inf).min(axis=1)
    print("pass@k from 100 samples: plug-in, beta-binomial, zero-inflated (prior on the share of unsolvable questions)")
    for k in (300, 1000, 3000, 10000):
        runs = (fewest >= k) & (suite.D >= 2e9)
        n, c = suite.n[runs], suite.c[runs]
        truth = np.array([pass_at_k(row, right, k).mean() for row, right in zip(n, c, strict=True)])
        off = defaultdict(list)
        for seed in range(draws):
            few = np.minimum(100, n)
            drawn = np.random.default_rng(seed).hypergeometric(c.astype(int), (n - c).astype(int), few.astype(int))
            use = (truth > 0) & (drawn.sum(axis=1) > 0)
            said = {
                "plug-in": (1 - (1 - drawn[use] / few[use]) ** k).mean(axis=1),
                "beta-binomial": fit_zero_inflated(few[use], drawn[use], inflate=False).pass_at_k(np.array([k]))[:, 0],
                "zero-inflated": fit_zero_inflated(few[use], drawn[use], inflate=True).pass_at_k(np.array([k]))[:, 0],
            }
            for name, value in said.items():
                off[name].append(np.mean(np.abs(np.log(value / truth[use]))))
        print(f"k = {k:<6} {use.sum()} runs  " + "   ".join(f"{name} {np.mean(v):.3f}" for name, v in off.items()))


def following() -> None:
    """Which run next, at two budgets."""
    for times in (1.5, 4.0):
        _following(times)


def _following(times: float, draws: int = 5) -> None:
    """Which run next: cells chosen by `next_runs` against random ones of equal FLOPs, judged on two hidden levels.

    Known are the four lowest levels of world, to choose from the next three, to judge the top two; the budget is
    so many times the largest run that can be chosen.
    """
    off: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for suite in world():
        flops = suite.N * suite.D * 6
        level = np.round(np.log2(flops / 2e10)).astype(int)
        known, choice, judged = level < 4, (level >= 4) & (level < 7), level >= 7
        open_ = np.flatnonzero(choice)
        budget = times * flops[open_].max()
        first = t2.fit(suite.take(known), law="bottleneck", k=K["world"], quality=False)
        runs = next_runs(first, budget, WORLD_BUDGETS[1], candidates=(suite.N[open_], suite.D[open_]))
        away = [np.abs(suite.N[open_] / r.n_params - 1) + np.abs(suite.D[open_] / r.n_tokens - 1) for r in runs]
        chosen = [int(open_[np.argmin(one)]) for one in away]
        off["none"].append(_off_above(suite, known, judged))
        off["next"].append(_off_above(suite, known | np.isin(np.arange(len(level)), chosen), judged))
        off["every run"].append(_off_above(suite, known | choice, judged))
        rng = np.random.default_rng(0)
        for _ in range(draws):
            left, some = budget, []
            for run in rng.permutation(open_):
                if flops[run] <= left:
                    some.append(run)
                    left -= flops[run]
            off["random"].append(_off_above(suite, known | np.isin(np.arange(len(level)), some), judged))
    print(
        f"which run next, world, {times:g} × the largest run: mean |error| of logit pass@k on two hidden levels, regret"
    )
    means = {name: np.mean(values, axis=0) for name, values in off.items()}
    print("   ".join(f"{name} {error:.3f}, {regret:.2f}" for name, (error, regret) in means.items()))


def _off_above(suite: Measurements, fitted: np.ndarray, judged: np.ndarray) -> tuple[float, float]:
    """Mean |error| of logit pass@k on the runs judged, and the mean regret in points of a choice in each level."""
    fit = t2.fit(suite.take(fitted), law="bottleneck", k=K["world"], quality=False)
    there = suite.take(judged)
    observed = to_scale("pass_at_k", curves(there, K["world"]).pass_at_k)
    said = to_scale("pass_at_k", fit.predict(there.N[:, None], there.D[:, None], np.array(K["world"])))
    lost, level = [], np.round(np.log2(there.N * there.D))
    for serve in WORLD_BUDGETS:
        k = serve / (2 * there.N)
        reached, liked = pass_at_own_k(there, np.maximum(k, 1)), fit.predict(there.N, there.D, np.maximum(k, 1))
        for label in np.unique(level):
            rows = np.flatnonzero((level == label) & (k >= 1))
            lost.append(reached[rows].max() - reached[rows[np.argmax(liked[rows])]])
    return float(np.mean(np.abs(said - observed))), 100 * float(np.mean(lost))


def speed() -> None:
    """CPU seconds of one thread on 770 runs × 2,376 questions."""
    suite = t2.read(DATA / "gemstones" / "arc_easy.parquet").measurements()
    seven = ("bottleneck", "quantile", "direct", "loss", "accuracy", "naive", "nearest")
    for label, bar, call in (
        ("default fit", 2, lambda: t2.fit(suite, quality=False)),
        ("with intervals", 6, lambda: t2.fit(suite)),
        ("backtest of 7 laws × 4 axes", 60, lambda: t2.backtest(suite, law=seven)),
    ):
        start = time.process_time()
        call()
        print(f"{label:30} {time.process_time() - start:6.1f} s of CPU (bar {bar} s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = {"errors": errors, "decisions": choices, "movement": movement, "samples": samples, "speed": speed}
    parts["following"] = following
    parser.add_argument("--only", choices=[*parts, "optimum"])
    parser.add_argument("--draws", type=int, default=20, help="simulated suites of each truth")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    for name, part in parts.items():
        if given.only in (None, name) and DATA.is_dir():
            part()
            print(flush=True)
    if given.only in (None, "optimum"):
        optimum_range.show(given.draws, given.jobs)


if __name__ == "__main__":
    main()
