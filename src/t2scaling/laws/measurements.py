"""What a fit takes: the measurements of one task (or a mixture of tasks) on a suite, as plain arrays.

`Measurements` holds every question, so that pass@k can be formed at any k and questions can be resampled.
`Curves` is what remains after averaging over questions at a list of k. Shapes: R runs, Q questions, K values of k.
This package depends on numpy and scipy alone; tables become arrays in `t2scaling.observations`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator, TypeAdapter

from t2scaling.arrays import Array, Flags, Positions
from t2scaling.costs import train_flops
from t2scaling.foreign.models import Floats
from t2scaling.laws.isoflop import inverse_variance_weights
from t2scaling.laws.solvers.quantiles import log_loss_quantiles

Target = Literal["mean_neg_log", "neg_log_mean"]
_MARKS = TypeAdapter(list[bool])


@dataclass(frozen=True)
class Measurements:
    """Outcomes of R runs on Q questions, either likelihoods (nll) or counts (n, c).

    task            name of the task, or "macro" for the unweighted mean over several
    run_id          R names
    N, D            parameters and training tokens, shape (R,)
    question_weight shape (Q,), sums to 1; equal weights within a task, and 1/T per task in a macro average
    nll             shape (R, Q), nats, summed over the answer's tokens; NaN where a run lacks the question
    n, c            shape (R, Q), samples and correct samples; n = 0 where a run lacks the question
    train_flops     shape (R,), 6·N·D unless the table says otherwise
    overtrained     shape (R,), True for cells that the suite marks as overtrained
    conventions     what the numbers mean: how N was counted, what nll is
    data_hash       SHA-256 of the data behind the arrays
    question_group  shape (Q,), which task each question belongs to in a macro average; questions are resampled
                    within it. None: all belong to one task
    chance          shape (Q,), probability that a guess which knows only the question's form is right, NaN where it is
                    not known; None where the table says nothing of it
    quantiles       shape (R, U), mean log NLL in equal shares of each run's questions, where already known
    """

    task: str
    run_id: tuple[str, ...]
    N: Array
    D: Array
    question_weight: Array
    nll: Array | None = None
    n: Array | None = None
    c: Array | None = None
    train_flops: Array | None = None
    overtrained: Flags | None = None
    conventions: dict[str, str] = field(default_factory=dict)
    data_hash: str = ""
    question_group: Positions | None = None
    chance: Array | None = None
    quantiles: Array | None = None

    @property
    def kind(self) -> Literal["nll", "counts"]:
        """Which outcomes are held."""
        return "nll" if self.nll is not None else "counts"

    def take(self, runs: NDArray[Any]) -> Measurements:
        """Those of some runs, by position or by mask."""
        return replace(
            self, **_of_runs(self, runs, ("N", "D", "nll", "n", "c", "train_flops", "overtrained", "quantiles"))
        )

    def with_quantiles(self) -> Measurements:
        """The same, with the quantiles of the likelihoods worked out once; counts have none."""
        if self.nll is None or self.quantiles is not None:
            return self
        return replace(self, quantiles=log_loss_quantiles(self.nll, self.question_weight))


@dataclass(frozen=True)
class Curves:
    """Averages over questions: one value per run and k.

    k       shape (K,), starts at 1
    value   shape (R, K): the target at each k (nats), NaN where it is undefined (too few samples for k)
    pass_at_k  shape (R, K): mean pass@k
    se      shape (R, K): standard error of pass_at_k with the question as the unit
    loss    shape (R,): the k = 1 loss in nats, the same target as `value`
    chance  shape (2, C): distinct chances that a guess is right, and the share of the questions that have them; None
            where a question's chance is not known
    """

    task: str
    run_id: tuple[str, ...]
    N: Annotated[Floats, Field(alias="n_params")]
    D: Annotated[Floats, Field(alias="n_tokens")]
    k: Floats
    value: Floats
    pass_at_k: Floats
    se: Floats
    target: Target
    train_flops: Floats | None = None
    overtrained: Annotated[Flags, PlainValidator(lambda marks: np.array(_MARKS.validate_python(marks)))] | None = None
    conventions: dict[str, str] = field(default_factory=dict)
    data_hash: str = ""
    chance: Floats | None = None

    @property
    def loss(self) -> Array:
        """The target at k = 1, shape (R,)."""
        return self.value[:, 0]

    @property
    def flops(self) -> Array:
        """Training FLOPs of each run, shape (R,): as measured, or from N and D."""
        return train_flops(self.N, self.D) if self.train_flops is None else self.train_flops

    def to_dict(self) -> dict[str, Any]:
        """Its fields under the names of fit.json."""
        names = {"N": "n_params", "D": "n_tokens"}
        return {names.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}

    def take(self, runs: NDArray[Any], most_k: float = np.inf) -> Curves:
        """Those of some runs, by position or by mask, at k up to `most_k`."""
        names = ("N", "D", "value", "pass_at_k", "se", "train_flops", "overtrained")
        return replace(self, **_of_runs(self, runs, names)).at_k(self.k <= most_k)

    def at_k(self, keep: Flags) -> Curves:
        """Those at some of the k, by mask."""
        if keep.all():
            return self
        table = {name: getattr(self, name)[:, keep] for name in ("value", "pass_at_k", "se")}
        return replace(self, k=self.k[keep], **table)


def _of_runs(source: Measurements | Curves, runs: NDArray[Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The named arrays and `run_id` of some runs."""
    found = {name: getattr(source, name) for name in names}
    parts = {name: None if value is None else value[runs] for name, value in found.items()}
    return {**parts, "run_id": tuple(np.array(source.run_id, dtype=object)[runs])}


@dataclass(frozen=True)
class FitData:
    """B tables of measurements over the same runs and k, and the questions behind them: what `Law.fit` takes.

    The full fit is the batch of one; every bootstrap replicate is a further row.

    value    shape (B, R, K): the target in nats, NaN where not measured, in the same places for all B
    passed   shape (B, R, K): mean pass@k, likewise
    weight   shape (B, R): how often each run counts
    inverse_variance   shape (R,): weights of stage 1 of the laws of success, mean 1
    target   which mean `value` holds
    measurements   every question, for laws that are fitted to more than its mean; None where only curves are known
    """

    N: Array
    D: Array
    k: Array
    value: Array
    passed: Array
    weight: Array
    inverse_variance: Array
    target: Target = "mean_neg_log"
    measurements: Measurements | None = None

    @classmethod
    def of(cls, curves: Curves, weights: str, measurements: Measurements | None = None) -> FitData:
        """The batch of one.

        weights   of the runs in stage 1: "inverse_variance" per isoFLOP group, or "equal"
        """
        inverse_variance = np.ones(len(curves.N))
        if weights != "equal":
            inverse_variance = inverse_variance_weights(curves.flops, curves.loss)
        value, passed = curves.value[None], curves.pass_at_k[None]
        weight = np.ones((1, len(curves.N)))
        return cls(curves.N, curves.D, curves.k, value, passed, weight, inverse_variance, curves.target, measurements)
