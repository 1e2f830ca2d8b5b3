"""What a law is: one object that says all that fits, plans and figures ask of it.

A law is a frozen dataclass in a file of its own, which gives its formula, predicts, is fitted and knows its own
cautions; `registry.LAWS` lists them. Every law that draws samples acts on (N, D) through one number, the value
x = training_law.predict(N, D) of a Chinchilla form, so that a search needs of it only `score(x, log k)` and its slopes.
All end as `predict(N, D, k)`, with N, D and k broadcast against each other.

Symbols: N parameters, D training tokens, k samples per problem (real, at least 1), all natural logarithms.
Shapes: B problems (bootstrap replicates), P parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike

from t2scaling.arrays import Array, Flags
from t2scaling.errors import ArgumentError, DataError, unknown
from t2scaling.laws.measurements import Curves, FitData, Measurements, Target
from t2scaling.laws.solvers.rootfind import root
from t2scaling.units import parse_number

if TYPE_CHECKING:
    from t2scaling.laws.chinchilla import ChinchillaLaw
    from t2scaling.laws.options import FitOptions

Metric = Literal["loss", "neg_log_pass_at_k", "pass_at_k"]
METRICS: tuple[Metric, ...] = get_args(Metric)
METRIC_LABELS: dict[str, str] = {
    "neg_log_pass_at_k": "−log pass@k (nats)",
    "pass_at_k": "pass@k",
    "loss": "loss (nats)",
}

FEWEST_RUNS = 5  # E, A, alpha, B and beta
_MOST_LOG_K = float(np.log(1e15))


@dataclass(frozen=True)
class Solutions:
    """What `Law.fit` finds: parameters (B, P), the minimised objective of its last stage (B,), converged (B,)."""

    parameters: Array
    value: Array
    converged: Flags


class Law:
    """Base of every law.

    name             as `fit(law=…)` and fit.json know it
    label            for figures and tables
    formula          one line, in the field's symbols
    parameter_names  in the order of the formula
    metric           what `predict` returns when none is named, and what the law is fitted to
    samples          False for a law that knows no k
    plans            False for a law that cannot be planned with
    resamples        False for a law whose parameters are a table of the runs: a bootstrap of it would say nothing
    unimodal         True where less loss is always better and the score has one valley in log k under any budget, so
                     that no scan is needed
    """

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    parameter_names: ClassVar[tuple[str, ...]]
    metric: ClassVar[Metric]
    samples: ClassVar[bool] = True
    plans: ClassVar[bool] = True
    resamples: ClassVar[bool] = True
    unimodal: ClassVar[bool] = False

    # ---- what it is ------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, float]:
        """Parameter names and values, in the order of the formula."""
        raise NotImplementedError

    @property
    def vector(self) -> Array:
        """The parameters as an array (P,)."""
        return np.array(list(self.parameters.values()), dtype=float)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the law can say, its own metric first."""
        return (self.metric,)

    @property
    def neg_log_target(self) -> Target:
        """Which mean over questions the law's −log pass@k is: never compare the two unsaid."""
        return "neg_log_mean"

    @property
    def training_law(self) -> ChinchillaLaw:
        """The k = 1 law in N and D alone: what the Chinchilla allocation minimises."""
        raise NotImplementedError

    @property
    def training_laws(self) -> tuple[ChinchillaLaw, ...]:
        """The k = 1 laws that it is made of: one, and one per task in a mix."""
        return (self.training_law,)

    # ---- what it says ------------------------------------------------------------

    def predict(self, N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0, metric: Metric | None = None) -> Array:
        """The metric at (N, D, k), broadcast. Raises ArgumentError where the law cannot say it, and where k < 1."""
        raise NotImplementedError

    def success(self, N: ArrayLike, D: ArrayLike) -> Any:
        """The distribution of single-sample success over questions, or None where the law knows none."""
        return None

    def under(self, strategy: Any, N: ArrayLike, D: ArrayLike, k: ArrayLike) -> Array:
        """What a strategy (`t2scaling.strategies`) makes of k samples, broadcast.

        Raises ArgumentError where the law knows no distribution of success, or where that is not enough.
        """
        success = self.success(N, D)
        if success is None:
            raise ArgumentError(
                f"`strategy` = {strategy.name} needs the distribution of success over questions, which the "
                f"{self.name} law does not know: use the accuracy or the bottleneck law."
            )
        return np.asarray(strategy.value(success, check_samples(k)))

    # ---- what a search asks (fields may be arrays: one law per element) ------------------------

    def score(self, loss: Array, log_k: Array) -> Array:
        """What a plan makes small, at the training law's value `loss` and e^log_k samples, elementwise."""
        raise NotImplementedError

    def slopes(self, loss: Array, log_k: Array) -> tuple[Array, Array]:
        """(∂score/∂loss, ∂score/∂log k), elementwise."""
        raise NotImplementedError

    def log_samples_to_match(self, loss: Array, wanted: Array) -> Array:
        """log k at which a model of training loss `loss` has the score `wanted`; infinite where no k does."""
        lo, hi = np.zeros_like(loss), np.full_like(loss, _MOST_LOG_K)
        log_k = root(lambda x: wanted - self.score(loss, x), lo, hi)
        return np.where(self.score(loss, hi) <= wanted, log_k, np.inf)

    # ---- how it is fitted ------------------------------------------------------------

    @classmethod
    def check(cls, curves: Curves) -> str | None:
        """Why these curves cannot carry the law, as a sentence, or None."""
        return None

    @classmethod
    def of(
        cls, curves: Curves, options: FitOptions, measurements: Measurements | None = None
    ) -> tuple[Self, Solutions]:
        """The law fitted to curves, and how the solver ended: the bare fit that fits and backtests repeat."""
        found = cls.fit(FitData.of(curves, options.weights, measurements), options)
        return cls.from_vector(found.parameters[0], curves.target), found

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: Array | None = None) -> Solutions:
        """Fit every problem of the data.

        warm   parameters (P,) of a fit to start from as well, that of the full data
        """
        raise NotImplementedError

    def observed(self, curves: Curves) -> Array:
        """The measurements that the law is fitted to, shape (R, K), in its own metric."""
        return curves.pass_at_k if self.metric == "pass_at_k" else curves.value

    def at_bound(self, options: FitOptions) -> dict[str, float]:
        """Parameters that press against a bound of the fit, with the bound."""
        return {}

    def cautions(self, curves: Curves, options: FitOptions) -> list[str]:
        """What to beware of in this law, fitted to these curves; each sentence says what to do."""
        return []

    # ---- as numbers and back ------------------------------------------------------------

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> Self:
        """The law with its parameters in the order of `parameter_names`; arrays make one law per element."""
        raise NotImplementedError

    @classmethod
    def stack(cls, laws: Sequence[Law]) -> Self:
        """One law whose fields are arrays, for the laws of a bootstrap (all of this class)."""
        if any(type(law) is not cls for law in laws):
            raise ArgumentError("`laws` must all be of one class to be planned together.")
        return cls.from_vector(np.stack([law.vector for law in laws], axis=1), getattr(laws[0], "target", None))

    def to_dict(self) -> dict[str, Any]:
        """{"name", "parameters": {name: value}}, for JSON."""
        return {"name": self.name, "parameters": dict(self.parameters)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The law that `to_dict` described. Raises DataError where a parameter is missing or absurd."""
        given = content.get("parameters", {})
        if not all(isinstance(value, int | float | None) for value in given.values()):
            raise DataError(f"the {cls.name} law has parameters that are no numbers: fit it again.")
        missing = [key for key in cls.parameter_names if given.get(key) is None]
        if missing:
            raise DataError(f"the {cls.name} law lacks the parameter(s) {', '.join(missing)}: fit it again.")
        odd = [key for key in cls.parameter_names if not abs(given[key]) < 1e50]  # sums of them stay finite
        if odd:
            raise DataError(f"the {cls.name} law has parameters that no fit gives, {', '.join(odd)}: fit it again.")
        return cls.from_vector([given[key] for key in cls.parameter_names], content.get("target"))

    def cannot_say(self, metric: str, able: str) -> ArgumentError:
        """The error for a metric that the law does not predict; `able` says what it does."""
        if metric not in METRICS:
            return unknown("metric", metric, METRICS)
        return ArgumentError(f"`metric` = {metric!r} is not something the {self.name} law can say: it predicts {able}.")


def numbers(values: Any) -> list[Any]:
    """Fields from a vector: floats from numbers, arrays from arrays."""
    return [float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float) for value in values]


def as_array(name: str, value: Any) -> Array:
    """Numbers, or text such as "7B" (one, or a list of them), as a float array.

    >>> as_array("N", ["70M", "7B"]).tolist()
    [70000000.0, 7000000000.0]

    Raises ArgumentError naming the argument for anything else.
    """
    try:
        if isinstance(value, str):
            value = parse_number(value)
        elif isinstance(value, list | tuple) and any(isinstance(one, str) for one in value):
            value = [parse_number(one) for one in value]
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        said = str(error).rstrip(".") if isinstance(error, ArgumentError) else "give numbers, or text such as 7B"
        raise ArgumentError(f"`{name}` = {str(value)[:60]}: {said}.") from None


def check_samples(k: ArrayLike) -> Array:
    """Return k as a float array; raises ArgumentError where k < 1, since a law says nothing of part of a sample."""
    k = as_array("k", k)
    if np.any(~(k >= 1)):
        worst = np.nanmin(k) if np.any(np.isfinite(k)) else np.nan
        raise ArgumentError(
            f"`k` = {worst:g} is below one sample: use k ≥ 1 (a smaller N, or a larger inference budget)."
        )
    return k


def points(N: ArrayLike, D: ArrayLike, k: ArrayLike = 1.0) -> tuple[Array, Array, Array]:
    """N, D and k as float arrays that broadcast. Raises ArgumentError where one is impossible or the shapes differ."""
    arrays = positive("N", N), positive("D", D), check_samples(k)
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(f"`{name}` {array.shape}" for name, array in zip("NDk", arrays, strict=True))
        raise ArgumentError(
            f"`N`, `D` and `k` have shapes that do not broadcast ({shapes}): give numbers, or arrays of one shape; for "
            "a grid of two of them make the one a column, such as N[:, None]."
        ) from None
    return arrays


def positive(name: str, value: ArrayLike) -> Array:
    """Return a positive float array; raises ArgumentError naming the argument otherwise."""
    value = as_array(name, value)
    if np.any(~(value > 0)):
        raise ArgumentError(f"`{name}` must be positive, got {float(np.min(value)):g}.")
    return value
