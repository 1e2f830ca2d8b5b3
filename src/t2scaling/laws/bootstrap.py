"""Refits to resampled data: how far the parameters, and every plan, could have come out otherwise.

A replicate draws runs, questions, or both, with replacement. Drawn questions become new curves by one matrix product
per k, drawn runs become weights, and replicates are refitted in batches, each from the full fit's exponents and from
a coarse grid. Replicate b uses the b-th child of the seed, and batches do not depend on `jobs`, so that the result
is the same for any number of jobs.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from t2scaling.arrays import Array, Positions
from t2scaling.laws.base import Law
from t2scaling.laws.curves import resampled_curves
from t2scaling.laws.measurements import Curves, FitData, Measurements
from t2scaling.laws.options import FitOptions, Over
from t2scaling.laws.result import Bootstrap

BATCH = 50  # replicates refitted together


def bootstrap(law: Law, curves: Curves, options: FitOptions, measurements: Measurements | None) -> Bootstrap:
    """Refit `options.bootstrap` times.

    law            the full fit, from which each refit starts as well
    measurements   the questions behind the curves; None where only runs can be drawn
    """
    whole = FitData.of(curves, options.weights, measurements)
    replicates, warm, narrow = options.bootstrap, law.vector, options.for_refits()
    weight, questions = draw(measurements, len(curves.N), replicates, options.bootstrap_over, options.seed)
    value = np.broadcast_to(curves.value, (replicates, *curves.value.shape))
    passed = np.broadcast_to(curves.pass_at_k, value.shape)
    if measurements is not None and questions is not None:
        value, passed = resampled_curves(measurements, curves, questions)

    def refit(start: int) -> Array:
        rows = np.arange(start, min(start + BATCH, replicates))
        out = np.empty((len(rows), len(warm)))
        for part in _same_gaps(value[rows]):
            at = rows[part]
            data = replace(whole, value=value[at], passed=passed[at], weight=weight[at])
            out[part] = law.fit(data, narrow, warm).parameters
        if options.advance is not None:
            options.advance(len(rows))
        return out

    starts = range(0, replicates, BATCH)
    if (options.jobs or 1) <= 1:
        parts = [refit(start) for start in starts]
    else:
        # NumPy lets go of the interpreter lock inside its loops, so threads run the batches side by side.
        with ThreadPoolExecutor(options.jobs) as pool:
            parts = list(pool.map(refit, starts))
    drawn = options.bootstrap_over if questions is not None else "runs"
    return Bootstrap(type(law), np.concatenate(parts), drawn, curves.target)


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


def _same_gaps(value: Array) -> Iterator[Positions]:
    """Rows of value (b, R, K) that lack the same points: a replicate may lack some (no success drawn)."""
    patterns, label = np.unique(np.isnan(value).reshape(len(value), -1), axis=0, return_inverse=True)
    for pattern in range(len(patterns)):
        yield np.flatnonzero(label.ravel() == pattern)
