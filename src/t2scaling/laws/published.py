"""Laws that can be used without any measurement, by name.

Coefficients printed in papers, and laws that this package fitted to public measurements: each is a JSON file under
`data/` with its citation, the way it counts N, the range it was fitted on, and its provenance. `load_law` takes a name
or the path of a fit.json, and what it returns has `law, task, support, conventions, warnings, bootstrap` either way, so
that `plan` and `predict` need not care.
"""

import difflib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

from numpy.typing import ArrayLike
from pydantic import PlainValidator, ValidationInfo

from t2scaling.arrays import Array
from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import read_artefact
from t2scaling.laws.artefact import PUBLISHED_FORMAT, ReadBootstrap, ReadLaw, ReadSupport
from t2scaling.laws.base import Metric
from t2scaling.laws.constrained import DataConstrainedLaw
from t2scaling.laws.result import FitResult
from t2scaling.laws.support import Support

_DATA = resources.files("t2scaling.laws") / "data"


def _read_decay(content: dict[str, float], info: ValidationInfo) -> DataConstrainedLaw:
    return DataConstrainedLaw(info.data["law"].training_law, **content)


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
    law: ReadLaw
    citation: str
    task: str
    support: ReadSupport = field(default_factory=Support)
    conventions: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    bootstrap: ReadBootstrap | None = None
    data_constrained: Annotated[DataConstrainedLaw, PlainValidator(_read_decay)] | None = None

    kind: ClassVar[str] = "published"

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
        boot, repeats = self.bootstrap, self.data_constrained
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
            "data_constrained": repeats and {"r_tokens": repeats.r_tokens, "r_params": repeats.r_params},
        }


def load_law(name_or_path: str | Path) -> FitResult | PublishedLaw:
    """A published law by name, or a fit by the path of its fit.json.

    Raises DataError for what is neither, with the nearest name.
    """
    text = str(name_or_path)
    if text in names():
        with resources.as_file(_DATA / f"{text.replace('/', '--')}.json") as path:
            return read_published(path)
    if Path(text).is_file():
        return FitResult.load(text)
    near = difflib.get_close_matches(text, names(), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"published laws are {', '.join(names())}."
    raise DataError(f"`{text}` is neither a fit.json that exists nor a published law: {hint}")


def names() -> tuple[str, ...]:
    """Names of all published laws."""
    files = [file.name for file in _DATA.iterdir() if file.name.endswith(".json")]
    return tuple(sorted(name.removesuffix(".json").replace("--", "/") for name in files))


def read_published(path: Path) -> PublishedLaw:
    """A law as `PublishedLaw.to_dict` describes it. Raises DataError if the file is none."""
    return read_artefact(path, PublishedLaw, PUBLISHED_FORMAT, "python scripts/publish_laws.py")
