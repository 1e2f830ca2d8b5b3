"""Refits to resampled data: how far the parameters, and every plan, could have come out otherwise.

A replicate draws runs, questions, or both, with replacement. Drawn questions become new curves by one matrix product
per k, drawn runs become weights, and replicates are refitted in batches, each from the full fit's exponents and from
a coarse grid. Replicate b uses the b-th child of the seed, and batches do not depend on `jobs`, so that the result
is the same for any number of jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from t2scaling.laws.curves import resampled_curves
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.result import Bootstrap
from t2scaling.laws.serialise import AnyLaw, law_to_vector
from t2scaling.laws.solve import Recipe, Table, solve

Array = NDArray[np.float64]
Over = Literal["runs", "questions", "runs_and_questions"]
OVER: tuple[Over, ...] = ("runs", "questions", "runs_and_questions")
BATCH = 50  # replicates refitted together


def bootstrap(
    recipe: Recipe,
    law: AnyLaw,
    curves: Curves,
    inverse_variance: Array,
    *,
    measurements: Measurements | None,
    replicates: int,
    over: Over,
    seed: int,
    jobs: int = 1,
    advance: Callable[[int], object] | None = None,
) -> Bootstrap:
    """Refit `replicates` times.

    law                the full fit, from which each refit starts as well
    inverse_variance   run weights of stage 1, shape (R,)
    measurements       the questions behind the curves; None where only runs can be drawn
    advance            called with the number of replicates done
    """
    weight, questions = draw(measurements, len(curves.N), replicates, over, seed)
    warm = law_to_vector(law)
    narrow = recipe.for_refits()
    value = passed = None
    if measurements is not None and questions is not None:
        value, passed = resampled_curves(measurements, curves, questions)

    def refit(start: int) -> Array:
        batch = slice(start, min(start + BATCH, replicates))
        size = batch.stop - batch.start
        values = np.broadcast_to(curves.value, (size, *curves.value.shape)) if value is None else value[batch]
        rates = np.broadcast_to(curves.pass_at_k, (size, *curves.pass_at_k.shape)) if passed is None else passed[batch]
        found = _solve_by_gaps(narrow, curves, values, rates, weight[batch], inverse_variance, warm)
        if advance is not None:
            advance(size)
        return found

    starts = range(0, replicates, BATCH)
    if jobs <= 1:
        parts = [refit(start) for start in starts]
    else:
        # NumPy lets go of the interpreter lock inside its loops, so threads run the batches side by side.
        with ThreadPoolExecutor(jobs) as pool:
            parts = list(pool.map(refit, starts))
    drawn = over if questions is not None else "runs"
    return Bootstrap(law.name, np.concatenate(parts), drawn, curves.target)


def draw(
    measurements: Measurements | None, R: int, replicates: int, over: Over, seed: int
) -> tuple[Array, Array | None]:
    """How often each run (B, R) and each question (B, Q) counts in each replicate; questions None if not drawn."""
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(replicates)]
    weight = np.ones((replicates, R))
    if over != "questions":
        weight = np.array([rng.multinomial(R, np.full(R, 1 / R)) for rng in rngs], dtype=float)
    if measurements is None or over == "runs":
        return weight, None
    return weight, np.array([_draw_questions(measurements, rng) for rng in rngs], dtype=float)


def _draw_questions(measurements: Measurements, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each question is drawn, within its task, shape (Q,)."""
    Q = len(measurements.question_weight)
    group = np.zeros(Q, dtype=np.intp) if measurements.question_group is None else measurements.question_group
    counts = np.zeros(Q, dtype=np.int64)
    for label in np.unique(group):
        inside = np.flatnonzero(group == label)
        counts[inside] = rng.multinomial(len(inside), np.full(len(inside), 1 / len(inside)))
    return counts


def _solve_by_gaps(
    recipe: Recipe, curves: Curves, value: Array, passed: Array, weight: Array, inverse_variance: Array, warm: Array
) -> Array:
    """Parameters (b, P). A replicate may lack points that others have (no success drawn): one batch per pattern."""
    gaps = np.isnan(value).reshape(len(value), -1)
    patterns, label = np.unique(gaps, axis=0, return_inverse=True)
    out = np.empty((len(value), len(warm)))
    for pattern in range(len(patterns)):
        rows = np.flatnonzero(label == pattern)
        table = Table(curves.N, curves.D, curves.k, value[rows], passed[rows], weight[rows], inverse_variance)
        out[rows] = solve(recipe, table, warm).parameters
    return out
