"""The choices of a fit as one value, checked at birth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from t2scaling.errors import ArgumentError, require, unknown
from t2scaling.laws.base import as_array
from t2scaling.units import check_seed, named_number

if TYPE_CHECKING:
    from t2scaling.laws.chinchilla import ChinchillaLaw
    from t2scaling.laws.measurements import Target

Solver = Literal["varpro", "restarts", "paper", "huber", "log_sse"]
Over = Literal["runs", "questions", "runs_and_questions"]
Weights = Literal["inverse_variance", "equal"]

EXPONENT_BOUNDS = (0.01, 3.0)
RESTARTS = 500  # arXiv 2604.01411, App. F
DELTA = 1e-3  # Hoffmann et al. 2022, App. D.3
MOST = 100_000  # restarts and refits: what is asked for beyond is a slip of the hand


@dataclass(frozen=True)
class FitOptions:
    """How to fit. Every law takes what it has a use for.

    inference_flops  per token served; sets the largest k of the default (see `default_k`)
    target           which mean the loss is: "mean_neg_log" = E[−log pass@k], "neg_log_mean" = −log E[pass@k];
                     "auto" takes the first for likelihoods and the second for counts
    stage            of the runs: "base", "ft" or "sft"
    solver           "varpro" (variable projection), "restarts" (the paper's L-BFGS-B from random starts), "paper" (the
                     same, with stage 1 of the accuracy law profiled over 40 values of E), "huber" (Hoffmann's, in log
                     space), "log_sse" (squares in log space)
    weights          of isoFLOP groups in stage 1 of the accuracy and naive laws (arXiv 2604.01411, App. F)
    bounds           smallest and largest exponent
    restarts         starts of the solvers "restarts" and "paper"
    delta            of the solver "huber", in log units
    loss_law         stage 1 of the accuracy and naive laws, where you have a loss law of your own
    bootstrap        refits to resampled data; 0 for none
    bootstrap_over   what is drawn: "runs", "questions" or "runs_and_questions"
    seed             of everything random, 0 or more
    jobs             batches of refits worked on at once
    advance          called with 1 for each random start and with the number of refits done, for progress bars
    quality          judge the fit on hidden runs by a short backtest, which its intervals rest on as well
    refit            search narrowly: a fit to the full data gives a further start

    >>> FitOptions(bounds=(0.05, 1)).solver
    'varpro'
    """

    inference_flops: float | str | None = None
    target: Target | Literal["auto"] = "auto"
    stage: str = "base"
    solver: Solver = "varpro"
    weights: Weights = "inverse_variance"
    bounds: tuple[float, float] = EXPONENT_BOUNDS
    restarts: int = RESTARTS
    delta: float = DELTA
    loss_law: ChinchillaLaw | None = None
    bootstrap: int = 0
    bootstrap_over: Over = "runs_and_questions"
    seed: int = 0
    jobs: int | None = None
    advance: Callable[[int], object] | None = None
    quality: bool = True
    refit: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.inference_flops, str):
            object.__setattr__(self, "inference_flops", named_number("inference_flops", self.inference_flops))
        for name in ("restarts", "bootstrap", "seed"):
            require(isinstance(getattr(self, name), Integral), name, getattr(self, name), "be a whole number")
        require(self.jobs is None or isinstance(self.jobs, Integral), "jobs", self.jobs, "be a whole number")
        for name, kind in (("solver", Solver), ("weights", Weights), ("bootstrap_over", Over)):
            if getattr(self, name) not in get_args(kind):
                raise unknown(name, getattr(self, name), get_args(kind))
        ends = as_array("bounds", self.bounds)
        fine = ends.shape == (2,) and 0 < ends[0] < ends[1] <= 10
        require(bool(fine), "bounds", self.bounds, "be two positive exponents up to 10, the smaller first")
        require(bool(as_array("delta", self.delta) > 0), "delta", self.delta, "be above zero")
        check_seed(self.seed)
        require(1 <= self.restarts <= MOST, "restarts", self.restarts, f"lie between 1 and {MOST:,}")
        require(self.bootstrap <= MOST, "bootstrap", self.bootstrap, f"be at most {MOST:,}: 200 give an interval")
        if self.bootstrap < 0 or self.bootstrap == 1:
            raise ArgumentError(f"`bootstrap` = {self.bootstrap} gives no interval: ask for 0 (none) or, say, 200.")

    @classmethod
    def of(cls, **options: Any) -> FitOptions:
        """Options by name. Raises ArgumentError with the nearest name for one that is not known."""
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise unknown("option", name, known)
        return cls(**options)

    @property
    def serving_flops(self) -> float | None:
        """`inference_flops` as a number."""
        return None if self.inference_flops is None else float(self.inference_flops)

    def for_refits(self) -> FitOptions:
        """The same with a narrower search, for refits that also start from the full fit."""
        return replace(self, refit=True, restarts=min(self.restarts, 10), advance=None)
