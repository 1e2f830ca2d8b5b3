"""One view of whatever a plan is made from: a bare law, a fit, a published law, or the name or path of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from t2scaling.errors import ArgumentError, FitError
from t2scaling.laws import LAWS, FitResult, Law, load_law
from t2scaling.laws.constrained import repeated
from t2scaling.laws.mix import MixLaw
from t2scaling.laws.support import Support


@dataclass(frozen=True)
class Source:
    """A law with what is known of it.

    support    ranges that the fit has seen; empty where they are not known
    fit        the fit itself, where there is one: its runs are what a plan is held against
    bootstrap  the law with arrays for fields, one element per refit; None without a bootstrap
    kind       "law", "fit", "published" or "mix"
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

    def repeating(self, unique_tokens: float) -> Source:
        """The same when only so many tokens are unique, data beyond them being repeated."""
        stacked = None if self.bootstrap is None else repeated(self.bootstrap, unique_tokens)
        return replace(self, law=repeated(self.law, unique_tokens), bootstrap=stacked)

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


def check_usable(source: Source) -> None:
    """Raise FitError where the fit itself says that it may not be relied on."""
    if source.fit is not None and not source.fit.status.usable:
        raise FitError(f"nothing can be planned with this fit of {source.task}. {source.fit.status.value}", source.fit)


def mix(fits: Sequence[Any], weights: Sequence[float] | None = None) -> Source:
    """Fits of one law to several tasks as one, to plan for the weighted mean of the tasks' values.

    fits     fits, published laws, or names or paths of them, one per task
    weights  one per fit, above zero; equal where left out

    The range that was measured is what all fits have seen. Where every fit has a bootstrap of as many refits, these go
    together in order: fit with one seed.

    Raises ArgumentError for fits of several laws, of one task twice, or measured in ranges that do not meet; FitError
    for one that may not be relied on.
    """
    sources = [source_of(one) for one in fits]
    for source in sources:
        check_usable(source)
    weights = [1.0] * len(sources) if weights is None else weights
    tasks = [f"{source.task}" for source in sources]
    if len(set(tasks)) < len(tasks):
        raise ArgumentError(f"the fits are of the tasks {', '.join(tasks)}: name each task once.")
    law = MixLaw([source.law for source in sources], weights)
    resampled = [source.bootstrap for source in sources if source.bootstrap is not None]
    counts = {np.size(one.training_law.A) for one in resampled}
    named = [f"{task} {share:.3g}" for task, share in zip(tasks, law.weights, strict=True)]
    return Source(
        law=law,
        task=" + ".join(named),
        support=_common([source.support for source in sources]),
        warnings=tuple(dict.fromkeys(text for source in sources for text in source.warnings)),
        conventions=sources[0].conventions,
        bootstrap=MixLaw(resampled, weights) if len(resampled) == len(sources) and len(counts) == 1 else None,
        kind="mix",
    )


def _common(supports: Sequence[Support]) -> Support:
    """What all have seen, on the axes that all know."""
    shared = {
        axis: (max(one[axis][0] for one in supports), min(one[axis][1] for one in supports))
        for axis in supports[0]
        if all(axis in one for one in supports)
    }
    apart = [axis for axis, (low, high) in shared.items() if low > high]
    if apart:
        raise ArgumentError(f"the fits were measured in ranges of {apart[0]} that do not meet: fit them to one suite.")
    return Support(shared)
