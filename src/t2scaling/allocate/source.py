"""One view of whatever a plan is made from: a bare law, a fit, or a published law."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from t2scaling.errors import ArgumentError
from t2scaling.laws import LAWS, Law
from t2scaling.units import format_number

# Axis of a fit's support → how a warning names it.
_AXES = {
    "N": ("N", "parameters"),
    "D": ("D", "tokens"),
    "k": ("k", "samples"),
    "tokens_per_param": ("D/N", "tokens per parameter"),
    "train_flops": ("C", "training FLOPs"),
}


@dataclass(frozen=True)
class Source:
    """A law with what is known of it.

    support      {"N": (lo, hi), "D": …, "k": …, "tokens_per_param": …, "train_flops": …} seen by the fit; may be empty
    bootstrap    the law with arrays for fields, one element per refit; None without a bootstrap
    """

    law: Law
    task: str | None = None
    support: dict[str, tuple[float, float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    conventions: dict[str, str] = field(default_factory=dict)
    bootstrap: Law | None = None

    def outside(self, **point: float) -> list[str]:
        """A sentence for each axis on which the point leaves what the fit has seen, with how far."""
        return [text for axis, value in point.items() if axis in self.support for text in self._axis(axis, value)]

    def stay_inside(self) -> str:
        """What to ask for, to be told the best plan within what was measured; empty where that is not known."""
        (least, most), tokens = self.support.get("N", (0.0, 0.0)), self.support.get("D", (0.0, 0.0))[1]
        if not (least > 0 and tokens > 0):
            return ""
        return (
            f"For the best plan within what was measured, ask for `n_range` = {format_number(least)},"
            f"{format_number(most)} and `max_tokens` = {format_number(tokens)}."
        )

    def _axis(self, axis: str, value: float) -> list[str]:
        lo, hi = self.support[axis]
        symbol, unit = _AXES[axis]
        # A hair of slack, so that a size taken from the data is not called outside it.
        if value > hi * (1 + 1e-9):
            side, edge, factor = "above the largest", hi, value / hi
        elif value < lo * (1 - 1e-9):
            side, edge, factor = "below the smallest", lo, lo / value
        else:
            return []
        times = "just" if factor < 1.1 else f"{factor:.2g}×" if factor < 100 else f"{factor:,.0f}×"
        return [
            f"{symbol} = {format_number(value)} {unit} is {times} {side} that the law was fitted on "
            f"({format_number(edge)}): this is extrapolation."
        ]


def source_of(law_or_fit: Any) -> Source:
    """A `Source` from a law, a FitResult or a PublishedLaw. Raises ValueError for anything else."""
    if isinstance(law_or_fit, Source):
        return law_or_fit
    law = getattr(law_or_fit, "law", law_or_fit)
    if not isinstance(law, Law) or not law.plans:
        names = ", ".join(kind.__name__ for kind in LAWS.values() if kind.plans)
        raise ArgumentError(
            f"`law_or_fit` is a {type(law).__name__}, which cannot be planned with: give a fit, or one of {names}."
        )
    if law is law_or_fit:
        return Source(law)
    bootstrap = getattr(law_or_fit, "bootstrap", None)
    return Source(
        law=law,
        task=law_or_fit.task,
        support={axis: (float(lo), float(hi)) for axis, (lo, hi) in law_or_fit.support.items() if axis in _AXES},
        warnings=tuple(law_or_fit.warnings),
        conventions=dict(law_or_fit.conventions),
        bootstrap=law.stack(bootstrap.laws()) if bootstrap is not None else None,
    )
