"""One view of whatever a plan is made from: a bare law, a fit, a published law, or the name or path of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2scaling.errors import ArgumentError
from t2scaling.laws import LAWS, FitResult, Law, load_law
from t2scaling.laws.support import Support


@dataclass(frozen=True)
class Source:
    """A law with what is known of it.

    support    ranges that the fit has seen; empty where they are not known
    fit        the fit itself, where there is one: its runs are what a plan is held against
    bootstrap  the law with arrays for fields, one element per refit; None without a bootstrap
    kind       "law", "fit" or "published"
    """

    law: Law
    task: str | None = None
    support: Support = field(default_factory=Support)
    warnings: tuple[str, ...] = ()
    conventions: dict[str, str] = field(default_factory=dict)
    bootstrap: Law | None = None
    fit: FitResult | None = None
    kind: str = "law"

    def __post_init__(self) -> None:
        if not isinstance(self.support, Support):
            object.__setattr__(self, "support", Support(self.support))

    @property
    def quality(self) -> dict[str, float]:
        """Mean relative error on the fit's own runs and on hidden ones, in the law's metric, where they were judged."""
        if self.fit is None:
            return {}
        tables = {"in_sample": self.fit.quality.in_sample, "held_out": self.fit.quality.held_out}
        return {name: float(table[self.law.metric]) for name, table in tables.items() if self.law.metric in table}

    @property
    def no_interval(self) -> str:
        """Why there is no interval; empty where there is one."""
        if self.bootstrap is not None:
            return ""
        if self.kind == "published":
            return "No interval: this published law comes without refits to resampled data."
        if self.kind == "law":
            return "No interval: a law alone says nothing of the data it came from; plan with a fit."
        return "No interval: fit with a bootstrap (`t2 fit … --bootstrap 200`) to see the noise of sampling."


def source_of(law_or_fit: Any) -> Source:
    """A `Source` from a law, a FitResult, a PublishedLaw, or the name or path of one.

    Raises ArgumentError for anything else, DataError for a name or path that is no law.
    """
    if isinstance(law_or_fit, Source):
        return law_or_fit
    if isinstance(law_or_fit, str | Path):
        law_or_fit = load_law(law_or_fit)
    law = getattr(law_or_fit, "law", law_or_fit)
    if not isinstance(law, Law) or not law.plans:
        names = ", ".join(kind.__name__ for kind in LAWS.values() if kind.plans)
        raise ArgumentError(
            f"`law_or_fit` is a {type(law).__name__}, which cannot be planned with: give a fit, or one of {names}, "
            "or the name of a published law."
        )
    if law is law_or_fit:
        return Source(law)
    bootstrap = getattr(law_or_fit, "bootstrap", None)
    return Source(
        law=law,
        task=law_or_fit.task,
        support=Support({axis: (float(lo), float(hi)) for axis, (lo, hi) in law_or_fit.support.items()}),
        warnings=tuple(law_or_fit.warnings),
        conventions=dict(law_or_fit.conventions),
        bootstrap=law.stack(bootstrap.laws()) if bootstrap is not None else None,
        fit=law_or_fit if isinstance(law_or_fit, FitResult) else None,
        kind=law_or_fit.kind,
    )
