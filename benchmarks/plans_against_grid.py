"""Random plans against brute force: laws, both kinds of budget, all limits. None may be worse by 1e-6.

    python benchmarks/plans_against_grid.py [--plans 2000] [--seed 0]

Brute force knows nothing of the search: it evaluates the law on a dense grid of N (and, under a lifetime budget, of
how the budget is split), keeps the best points that the limits allow, and zooms into each of them. Prints the worst
gap in the law's own metric, and fails where it exceeds 1e-6.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from t2scaling.allocate.chinchilla import predict
from t2scaling.allocate.limits import Limits
from t2scaling.allocate.optimum import optimum
from t2scaling.allocate.problem import Lifetime, Problem, TwoBudgets
from t2scaling.laws import AccuracyLaw, ChinchillaLaw, Law, LossLaw, NaiveLaw
from t2scaling.laws.constrained import repeated

Array = NDArray[np.float64]
WORST = 1e-6


@dataclass(frozen=True)
class Case:
    """One random plan."""

    law: Law
    problem: Problem


def main() -> None:
    """Run the plans and print the worst."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--plans", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    start, gaps = time.perf_counter(), []
    for index in range(options.plans):
        case = random_case(rng)
        gaps.append((gap(case), index, case))
    known = sorted((found for found in gaps if found[0] is not None), key=lambda found: -found[0])  # type: ignore[operator]
    over = [found for found in known if found[0] > WORST]  # type: ignore[operator]
    print(
        f"{options.plans} plans, {len(known)} feasible, {len(over)} worse than brute force by {WORST:g}; worst "
        f"{known[0][0]:.2g}; {time.perf_counter() - start:.0f} s"
    )
    for worst, index, case in over[:10]:
        print(f"  {worst:.3g} at plan {index}: {case}")
    assert not over


def random_case(rng: np.random.Generator) -> Case:
    """A law of plausible size, a budget of either kind, some of the limits, and at times few unique tokens."""
    law = random_law(rng)
    if rng.random() < 0.5:
        train, inference = 10 ** rng.uniform(16, 25), 10 ** rng.uniform(6, 12)
        problem: Problem = TwoBudgets(np.array([train]), np.array([inference]), random_limits(rng))
    else:
        total, served = 10 ** rng.uniform(17, 25), 10 ** rng.uniform(6, 14)
        problem = Lifetime(np.array([total]), np.array([served]), random_limits(rng))
    return Case(repeated(law, 10 ** rng.uniform(7, 13)) if rng.random() < 0.2 else law, problem)


def random_law(rng: np.random.Generator) -> Law:
    """A loss, accuracy, naive or Chinchilla law."""
    alpha, beta = rng.uniform(0.05, 0.9, 2)
    E = rng.choice([0.0, rng.uniform(0.1, 3)])
    A, B = 10 ** (alpha * rng.uniform(5, 9)), 10 ** (beta * rng.uniform(7, 11))
    training = ChinchillaLaw(E, A, alpha, B, beta)
    kind = rng.integers(4)
    if kind == 0:
        return LossLaw(E, A, alpha, B, beta, rng.uniform(0.1, 10), rng.uniform(0.02, 1))
    if kind == 1:
        return training
    theta = (rng.uniform(0, 6), rng.uniform(0.3, 4), rng.uniform(0.2, 1))
    if kind == 2:
        return NaiveLaw(training, theta)
    return AccuracyLaw(training, (*theta, rng.uniform(-2, 4), rng.uniform(-0.6, 0.6)))


def random_limits(rng: np.random.Generator) -> Limits:
    """Each limit with some chance, all of them together at times."""
    chosen: dict[str, Any] = {}
    if rng.random() < 0.3:
        chosen["sizes"] = tuple(10 ** rng.uniform(5, 11, rng.integers(1, 7)))
    elif rng.random() < 0.4:
        low = 10 ** rng.uniform(4, 10)
        chosen["n_range"] = (low, low * 10 ** rng.uniform(0, 4))
    if rng.random() < 0.4:
        chosen["max_tokens"] = 10 ** rng.uniform(5, 13)
    if rng.random() < 0.3:
        chosen["integer_k"] = True
    if rng.random() < 0.2:
        chosen["max_samples"] = 10 ** rng.uniform(0, 4)
    if rng.random() < 0.2:
        low = 10 ** rng.uniform(0, 3)
        chosen["tokens_per_param"] = (low, low * 10 ** rng.uniform(0.5, 4))
    if rng.random() < 0.1:
        chosen["max_train_flops"] = 10 ** rng.uniform(15, 24)
    if rng.random() < 0.1:
        chosen["min_tokens"] = min(10 ** rng.uniform(4, 11), chosen.get("max_tokens", np.inf))
    return Limits(**chosen)


def gap(case: Case) -> float | None:
    """How much worse than brute force the plan is, in the law's metric; None where both find nothing to plan."""
    best = optimum(case.law, case.problem)
    reference = brute_force(case.law, case.problem)
    if not np.isfinite(reference):
        return None
    if not np.isfinite(best.N[0]):
        return float("inf")
    _check(case.problem, best)
    sign = -1 if case.law.metric == "pass_at_k" else 1
    ours = sign * float(predict(case.law, best.N, best.D, best.k)[0])
    return ours - reference


def _check(problem: Problem, best: Any) -> None:
    """The plan keeps to its budget and its limits."""
    limits, slack = problem.limits, 1 + 1e-9
    assert best.D[0] <= limits.max_tokens * slack
    assert 1 <= best.k[0] <= limits.max_samples * slack
    if limits.sizes:
        assert best.N[0] in limits.sizes
    if isinstance(problem, TwoBudgets):
        assert 6 * best.N[0] * best.D[0] <= problem.train_flops[0] * slack
        assert 2 * best.N[0] * best.k[0] <= problem.inference_flops[0] * slack
    else:
        served = 2 * best.N[0] * best.k[0] * problem.tokens_served[0]
        assert 6 * best.N[0] * best.D[0] + served <= problem.total_flops[0] * slack


def brute_force(law: Law, problem: Problem, points: int = 200, rounds: int = 14) -> float:
    """Least value (minus pass@k, or nats) over all allocations on a grid of N and of the split, zoomed into."""
    limits = problem.limits
    sizes = np.array(limits.menu) if limits.sizes else np.geomspace(limits.n_range[0], _largest(problem), points)
    shared = isinstance(problem, Lifetime) and law.samples
    most_k = problem.total_flops[0] / (2 * sizes * problem.tokens_served[0]) if shared else None
    grids: list[tuple[Array, Array]] = []
    if most_k is None:
        grids.append((sizes, np.ones_like(sizes)))
    else:
        share = np.concatenate([np.linspace(0, 1, points), 1 - np.geomspace(1e-9, 0.5, points)])
        if limits.integer_k:
            whole = np.unique(np.round(np.geomspace(1, max(most_k.max(), 1), 400)))
            mesh = np.meshgrid(sizes, whole, indexing="ij")
        else:
            exponents = np.log(np.maximum(most_k, 1.0))[:, None] * share
            mesh = [np.broadcast_to(sizes[:, None], exponents.shape), np.exp(exponents)]
        grids.append((mesh[0].ravel(), mesh[1].ravel()))
    N, k = grids[0]
    value = _value(law, problem, N, k)
    found = np.inf
    for start in _starts(value, len(sizes)):
        found = min(found, _zoom(law, problem, N[start], k[start], value[start], len(sizes), rounds))
    return found


def _starts(value: Array, columns: int) -> list[int]:
    """Where to zoom in: the best points of the grid that are not neighbours."""
    order = np.argsort(value)
    chosen: list[int] = []
    for index in order[:200]:
        if np.isfinite(value[index]) and all(abs(int(index) - other) > 3 for other in chosen):
            chosen.append(int(index))
        if len(chosen) == 6:
            break
    return chosen


def _zoom(law: Law, problem: Problem, N: float, k: float, value: float, count: int, rounds: int) -> float:
    limits = problem.limits
    width_n = 0.0 if limits.sizes else 0.3
    width_k = 0.0 if limits.integer_k or not isinstance(problem, Lifetime) or not law.samples else 0.3
    lo, hi = limits.n_range
    for _ in range(rounds):
        ns = np.clip(N * np.exp(width_n * np.linspace(-1, 1, 21 if width_n else 1)), lo, hi)
        ks = np.maximum(k * np.exp(width_k * np.linspace(-1, 1, 21 if width_k else 1)), 1.0)
        mesh_n, mesh_k = (part.ravel() for part in np.meshgrid(ns, ks, indexing="ij"))
        values = _value(law, problem, mesh_n, mesh_k)
        at = int(np.argmin(values))
        if values[at] < value:
            N, k, value = float(mesh_n[at]), float(mesh_k[at]), float(values[at])
        width_n, width_k = width_n / 4, width_k / 4
    return float(value)


def _largest(problem: Problem) -> float:
    budget = problem.train_flops[0] if isinstance(problem, TwoBudgets) else problem.total_flops[0]
    most = float(budget / 6)
    if isinstance(problem, TwoBudgets):
        most = min(most, float(problem.inference_flops[0] / 2))
    return max(min(problem.limits.n_range[1], most), problem.limits.n_range[0])


def _value(law: Law, problem: Problem, N: Array, k: Array) -> Array:
    """Minus pass@k, or nats, at size N and k samples (k is what is afforded under two budgets); inf if not allowed."""
    limits = problem.limits
    if isinstance(problem, TwoBudgets):
        D = problem.train_flops[0] / (6 * N)
        k = np.minimum(problem.inference_flops[0] / (2 * N), limits.max_samples)
        k = np.floor(k * (1 + 1e-12)) if limits.integer_k and law.samples else k
    else:
        D = (problem.total_flops[0] - 2 * N * k * problem.tokens_served[0]) / (6 * N)
    D = np.minimum(D, np.minimum(limits.max_tokens, limits.tokens_per_param[1] * N))
    D = np.minimum(D, limits.max_train_flops / (6 * N))
    least = np.maximum(limits.min_tokens, limits.tokens_per_param[0] * N)
    ok = (least <= D) & (k >= 1) & (k <= limits.max_samples)
    safe = np.where(ok, D, 1.0), np.where(ok & law.samples, k, 1.0)
    value = law.predict(N, *safe)
    return np.where(ok, -value if law.metric == "pass_at_k" else value, np.inf)


if __name__ == "__main__":
    main()
