"""Laws that can be used without any measurement, by name.

Two kinds: coefficients printed in papers (`_PRINTED`), each with its citation, the way it counts N, and the range it
was fitted on; and laws that this package fitted to public measurements, kept under `data/` as JSON with their
provenance. `load_law` takes a name of either kind or the path of a fit.json, and what it returns has `law, task,
support, conventions, warnings, bootstrap` either way, so that `plan` and `predict` need not care.
"""

import difflib
from dataclasses import dataclass, field
from importlib import resources
from math import exp
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import ArrayLike

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import read_artefact
from t2scaling.laws.artefact import PUBLISHED_FORMAT, PublishedFile
from t2scaling.laws.base import Law, Metric
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.constrained import DataConstrainedLaw
from t2scaling.laws.result import Bootstrap, FitResult
from t2scaling.laws.support import Support

_TOTAL = "every parameter, with embeddings (as Hoffmann et al. count; see Pearce & Song 2024, arXiv 2406.12907)"


@dataclass(frozen=True)
class PublishedLaw:
    """A law with its origin.

    name              as `load_law` knows it
    law               the law; `predict` is its own
    citation          paper and place
    task              what it predicts
    support           {"N", "D", "k", "tokens_per_param", "train_flops"}: the range it was fitted on, where known
    conventions       how N was counted and what the numbers are
    warnings          sentences that go with every use
    provenance        source, command, date, and what the numbers mean, for a law fitted by this package
    bootstrap         refits to resampled data, where there are any
    data_constrained  the form for repeated data, where the paper has one
    """

    name: str
    law: Law
    citation: str
    task: str
    support: Support = field(default_factory=Support)
    conventions: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    bootstrap: Bootstrap | None = None
    data_constrained: DataConstrainedLaw | None = None

    kind: ClassVar[str] = "published"

    @property
    def label(self) -> str:
        """Its name and what it predicts."""
        return f"{self.name}: {self.task}"

    @property
    def source(self) -> str:
        """Where it comes from: the citation."""
        return self.citation

    def predict(
        self,
        N: ArrayLike,
        D: ArrayLike,
        k: ArrayLike = 1.0,
        metric: Metric | None = None,
        *,
        interval: float | None = None,
    ) -> Array:
        """The law's prediction, broadcast. Raises ArgumentError for an interval, which takes runs of one's own."""
        if interval is not None:
            raise ArgumentError(
                f"`interval` = {interval:g} asks for runs to judge the law on, which the published law {self.name} "
                "does not have: fit a law to measurements of your own."
            )
        return self.law.predict(N, D, k, metric)

    def explain(self) -> str:
        """Where the law comes from, and every warning, in sentences."""
        return "\n".join([f"Published law {self.name}: {self.citation}.", *self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """The JSON under `data/`, as plain values."""
        boot = self.bootstrap
        samples = None if boot is None else {"over": boot.over, "target": boot.target, "samples": boot.samples}
        return {
            "format": PUBLISHED_FORMAT,
            "name": self.name,
            "citation": self.citation,
            "task": self.task,
            "law": self.law.to_dict(),
            "support": dict(self.support),
            "conventions": self.conventions,
            "warnings": list(self.warnings),
            "provenance": self.provenance,
            "bootstrap": samples,
        }


def load_law(name_or_path: str | Path) -> FitResult | PublishedLaw:
    """A published law by name, or a fit by the path of its fit.json.

    Raises DataError for what is neither, with the nearest name.
    """
    text = str(name_or_path)
    if text in names():
        return _PRINTED[text] if text in _PRINTED else _packaged(text)
    if Path(text).is_file():
        return FitResult.load(text)
    near = difflib.get_close_matches(text, names(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"published laws are {', '.join(names())}."
    raise DataError(f"`{text}` is neither a fit.json that exists nor a published law: {hint}")


def names() -> tuple[str, ...]:
    """Names of all published laws."""
    files = (resources.files("t2scaling.laws") / "data").iterdir()
    packaged = sorted(
        file.name.removesuffix(".json").replace("--", "/") for file in files if file.name.endswith(".json")
    )
    return (*_PRINTED, *packaged)


def _packaged(name: str) -> PublishedLaw:
    file = resources.files("t2scaling.laws") / "data" / f"{name.replace('/', '--')}.json"
    with resources.as_file(file) as path:
        return read_published(path)


def read_published(path: Path) -> PublishedLaw:
    """A law as `PublishedLaw.to_dict` describes it. Raises DataError if the file is none."""
    found = read_artefact(path, PublishedFile, PUBLISHED_FORMAT, "python scripts/publish_laws.py")
    law = found.law.law()
    return PublishedLaw(
        name=found.name,
        law=law,
        citation=found.citation,
        task=found.task,
        support=Support(found.support),
        conventions=found.conventions,
        warnings=found.warnings,
        provenance=found.provenance,
        bootstrap=found.bootstrap.bootstrap(law, found.bootstrap.target) if found.bootstrap else None,
    )


# As the abstract of Hoffmann et al. gives it: 70 million to 16 billion parameters, 5 to 500 billion tokens.
_HOFFMANN_RANGE = Support({"N": (7e7, 1.6e10), "D": (5e9, 5e11)})
# The 240 points digitised from their Figure 4 (five of highest loss dropped), with D = C/6N.
_DIGITISED_RANGE = {
    "N": (5.73e7, 1.62e10),
    "D": (8.18e8, 3.18e11),
    "tokens_per_param": (0.456, 341.0),
    "train_flops": (1.39e18, 1.30e22),
}
_MASSIVETEXT = {"n_params": _TOTAL, "loss": "nats per token of MassiveText, D = C/6N"}
_IMPLAUSIBLE = (
    "These coefficients do not reproduce their own paper's data: the optimiser stopped early (Besiroglu et al. 2024, "
    "arXiv 2404.10102). Use chinchilla/besiroglu unless you need the originals."
)


def _massivetext(name: str, citation: str, law: ChinchillaLaw, support: Support, *warnings: str) -> PublishedLaw:
    name, task = f"chinchilla/{name}", "MassiveText validation loss"
    return PublishedLaw(name, law, citation, task, support, _MASSIVETEXT, warnings)


_C4 = ChinchillaLaw(E=exp(0.6254804), A=exp(6.255414), alpha=0.3526596, B=exp(7.3049974), beta=0.3526596)
_PRINTED = {
    law.name: law
    for law in (
        _massivetext(
            "hoffmann",
            "Hoffmann et al. 2022, arXiv 2203.15556, Approach 3 as printed",
            ChinchillaLaw(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28),
            _HOFFMANN_RANGE,
            _IMPLAUSIBLE,
        ),
        _massivetext(
            "hoffmann-precise",
            "Hoffmann et al. 2022, arXiv 2203.15556, Approach 3 from the paper's TeX source",
            ChinchillaLaw(E=exp(0.5267228), A=exp(6.0073404), alpha=0.33917084, B=exp(6.0179186), beta=0.2849083),
            _HOFFMANN_RANGE,
            _IMPLAUSIBLE,
        ),
        _massivetext(
            "besiroglu",
            "Besiroglu et al. 2024, arXiv 2404.10102, maximum-likelihood refit",
            ChinchillaLaw(
                E=exp(0.5971119597824348),
                A=exp(6.177955975826981),
                alpha=0.34781302903942635,
                B=exp(7.6427323622433505),
                beta=0.3658541171951044,
            ),
            Support(_DIGITISED_RANGE),
        ),
        _massivetext(
            "open-athena",
            "Czech et al. 2026, arXiv 2603.22339, variable projection on the digitised points below 1e21 FLOPs",
            # Printed for N in millions and D in billions: A·(N/1e6)^−alpha = A·1e6^alpha·N^−alpha.
            ChinchillaLaw(E=1.9051, A=4.0005 * 1e6**0.3511, alpha=0.3511, B=1.0509 * 1e9**0.4587, beta=0.4587),
            Support({**_DIGITISED_RANGE, "train_flops": (1.39e18, 1e21)}),
        ),
        _massivetext(
            "sardana",
            "Sardana et al. 2024, arXiv 2401.00448: Hoffmann et al.'s coefficients as their code has them",
            ChinchillaLaw(E=1.69, A=406.4, alpha=0.336, B=410.7, beta=0.283),
            _HOFFMANN_RANGE,
            _IMPLAUSIBLE,
        ),
        PublishedLaw(
            "muennighoff/c4",
            _C4,
            "Muennighoff et al. 2023, arXiv 2305.16264: C4, with the form for repeated data",
            "C4 validation loss",
            Support({"N": (0.0, 9e9), "D": (0.0, 9e11)}),  # the paper states the upper ends alone
            {"n_params": "as the paper names its models", "loss": "nats per token of C4"},
            ("Tokens are taken to be unique: for repeated data plan with `unique_tokens`.",),
            data_constrained=DataConstrainedLaw(_C4),
        ),
    )
}
