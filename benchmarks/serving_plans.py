"""Plans under the serving cost against brute force, on random settings. None may be worse by 1e-6.

    nice -n 15 python benchmarks/serving_plans.py [--settings 500] [--seed 0]

A setting is a law, a GPU with its precision, batch and tensor parallelism, lengths of prompt and answer, and budgets:
two of them, or (every fiftieth) one for the whole life. Brute force evaluates the law on a dense grid of N (and k),
whose costs it checks one by one, and zooms in. Each setting is planned again with 1.5 times the serving budget, which
may not hurt; and without overheads, at an endless batch and memory, it has to give the plan of 2·N·k.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plans_against_grid import random_law
from t2scaling.allocate.optimum import Choice, optimum
from t2scaling.allocate.problem import Lifetime, Problem, TwoBudgets
from t2scaling.costs import GPU, PAPER, Constants, Serving, train_flops
from t2scaling.laws import Law

Array = NDArray[np.float64]
WORST = 1e-6
MORE = 1.5
LIFETIMES = 50  # a lifetime takes a search within the search, eight seconds of it
SIZES = 1e4, 1e12
IDEAL = Serving(
    gpu=GPU("ideal", 1e15, None, None, 1e40, 1e40, 1e40, 1.0, "no chip"), prompt_tokens=0, answer_tokens=100,
    batch=1e9, most_sequences=1e9, constants=Constants(1, 1, 1, 0, 0, 0),
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One random plan."""

    law: Law
    problem: Problem

    @property
    def cost(self) -> Serving:
        assert isinstance(self.problem.cost, Serving)
        return self.problem.cost


def random_setting(rng: np.random.Generator, lifetime: bool = False) -> Setting:
    """A law, a way to serve, and budgets that afford some size some samples."""
    law = random_law(rng)
    while not law.samples:
        law = random_law(rng)
    while True:
        gpu = str(rng.choice(["a100", "h100", "h200", "b200"]))
        serve = Serving(
            gpu=gpu,
            tp=int(rng.choice([1, 2, 8])),
            weights="bf16" if gpu == "a100" else str(rng.choice(["bf16", "fp8"])),
            prompt_tokens=float(rng.choice([0, 10 ** rng.uniform(1, 4)])),
            answer_tokens=10 ** rng.uniform(0, 4),
            batch="max" if rng.random() < 0.4 else float(np.ceil(10 ** rng.uniform(0, 3))),
            shared_prompt=bool(rng.random() < 0.7),
            total_per_active=float(rng.choice([1, 1, 8])),
        )
        spent = float(serve.serve(10 ** rng.uniform(6.5, 10.5), 10 ** rng.uniform(0, 3)))
        if np.isfinite(spent):
            break
    train = np.array([10 ** rng.uniform(18, 25)])
    if lifetime:
        # Serving takes a share of the life that is worth deciding on.
        served = train * rng.uniform(0.05, 0.5) / spent
        return Setting(law, Lifetime(train, served, cost=serve))
    return Setting(law, TwoBudgets(train, np.array([spent]), cost=serve))


def value(law: Law, choice: Choice) -> float:
    """What the plan is worth, as brute force counts it: nats, or minus pass@k."""
    return float(_value(law, choice.N, choice.D, choice.k)[0])


def gap(setting: Setting) -> tuple[float, float]:
    """How much worse than brute force the plan is, and than itself under 1.5 times the budget, in the law's metric."""
    best = optimum(setting.law, setting.problem)
    assert np.isfinite(best.N[0])
    assert spent(setting.problem, best.N, best.D, best.k)[0] <= 1 + 1e-9
    ours = value(setting.law, best)
    return ours - brute_force(setting), ours - value(setting.law, optimum(setting.law, richer(setting.problem)))


def richer(problem: Problem) -> Problem:
    """1.5 times the budget of serving, or of the whole life."""
    if isinstance(problem, TwoBudgets):
        return replace(problem, inference_flops=MORE * problem.inference_flops)
    return replace(problem, total_flops=MORE * problem.total_flops)


def spent(problem: Problem, N: Array, D: Array, k: Array) -> Array:
    """The largest share of a budget that (N, D, k) takes."""
    serving = problem.cost.serve(N, k)
    if isinstance(problem, TwoBudgets):
        return np.maximum(train_flops(N, D) / problem.train_flops, serving / problem.inference_flops)
    return (train_flops(N, D) + serving * problem.tokens_served) / problem.total_flops


def brute_force(setting: Setting, rounds: int = 10) -> float:
    """Least value over a grid of N and of the samples that are bought, zoomed into around its three best points."""
    shared = isinstance(setting.problem, Lifetime)
    points = (300, 200) if shared else (3000, 1)
    ends = np.log(SIZES), (0.0, 1.0)
    axes = [np.linspace(*end, count) if count > 1 else np.ones(1) for end, count in zip(ends, points, strict=True)]
    found = np.inf
    for x, share in _best(setting, axes, 3):
        widths = [3 * (end[1] - end[0]) / count if count > 1 else 0.0 for end, count in zip(ends, points, strict=True)]
        at = np.array([x, share])
        for _ in range(rounds):
            near = [np.linspace(a - w, a + w, 41) if w else np.ones(1) for a, w in zip(at, widths, strict=True)]
            near[1] = np.clip(near[1], 0, 1)
            at = np.array(_best(setting, near, 1)[0])
            widths = [w / 5 for w in widths]
        found = min(found, float(_at(setting, *(np.array([one]) for one in at))[0]))
    return found


def _best(setting: Setting, axes: list[Array], count: int) -> list[tuple[float, float]]:
    x, share = (part.ravel() for part in np.meshgrid(*axes, indexing="ij"))
    order = np.argsort(_at(setting, x, share))[: 50 * count : 50] if count > 1 else [np.argmin(_at(setting, x, share))]
    return [(float(x[i]), float(share[i])) for i in order]


def _at(setting: Setting, x: Array, share: Array) -> Array:
    """The value at log size x when this share of what could go into samples does; inf where that is not allowed."""
    law, problem, N = setting.law, setting.problem, np.exp(x)
    if isinstance(problem, TwoBudgets):
        k, D = setting.cost.samples(N, problem.inference_flops), problem.train_flops / train_flops(N, 1.0)
    else:
        most = setting.cost.samples(N, problem.total_flops / problem.tokens_served)
        k = np.exp(share * np.log(np.maximum(most, 1.0))) * (most >= 1)
        left = problem.total_flops - setting.cost.serve(N, np.maximum(k, 1.0)) * problem.tokens_served
        D = np.where(np.isfinite(left), left, 0.0) / train_flops(N, 1.0)
    ok = (k >= 1) & (D >= 1)
    k, D = np.where(ok, k, 1.0), np.where(ok, D, 1.0)
    assert np.all(spent(problem, N, D, k)[ok] <= 1 + 1e-6)
    return np.where(ok, _value(law, N, D, k), np.inf)


def _value(law: Law, N: Array, D: Array, k: Array) -> Array:
    found = law.predict(N, D, np.maximum(k, 1.0))
    return -found if law.metric == "pass_at_k" else found


def ideal_gap(law: Law) -> float:
    """How far from the plan of 2·N·k the plan under an ideal chip is, in the law's metric."""
    flops = np.array([2e9])
    paper = TwoBudgets(np.array([1e21]), flops, cost=PAPER)
    chip = replace(paper, inference_flops=flops * IDEAL.answer_tokens / 1e15, cost=IDEAL)
    return abs(value(law, optimum(law, paper)) - value(law, optimum(law, chip)))


def main() -> None:
    """Plan all settings and print the worst of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--settings", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, start = np.random.default_rng(options.seed), time.process_time()
    gaps, gains, ideal, lifetimes = [], [], [], 0
    for index in range(1, options.settings + 1):
        setting = random_setting(rng, lifetime=index % LIFETIMES == 0)
        lifetimes += isinstance(setting.problem, Lifetime)
        worse, gain = gap(setting)
        gaps.append(worse)
        gains.append(gain)
        ideal.append(ideal_gap(setting.law))
        if index % 50 == 0 or index == options.settings:
            print(
                f"{index} settings, {lifetimes} of them lifetimes: worst gap to brute force {max(gaps):.2g}; {MORE} "
                f"times the budget gains {min(gains):.2g} at least; without overheads within {max(ideal):.2g} of the "
                f"plan of 2·N·k; {time.process_time() - start:.0f} s of CPU",
                flush=True,
            )
    assert max(gaps) <= WORST
    assert min(gains) >= -WORST
    assert max(ideal) <= WORST


if __name__ == "__main__":
    main()
