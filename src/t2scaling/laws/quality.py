"""How good a fit is: its error on its own runs, and on runs hidden from it by a short backtest.

The backtest cuts the suite by training compute at its 50, 65 and 80 % quantiles, fits below and judges above. It gives
the held-out error that travels with a fit and its plans, the width of the intervals on its predictions, and which of
the laws beside it are good enough to have a say in the range of near-optimal plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import ConfigDict

from t2scaling.laws.base import Law, Metric
from t2scaling.laws.heldout import Trial, folds, judge, mean_of, spread
from t2scaling.laws.intervals import Spread
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.options import FitOptions
from t2scaling.laws.splits import Split

AXIS = "compute"
Key = TypeVar("Key", bound=str)
REJECTED = 1.5  # a law whose held-out error is this many times the best law's has no say


@dataclass(frozen=True)
class Quality:
    """Errors of a fit, by metric: "pass_at_k", "neg_log_pass_at_k" or "loss", whatever its laws can say.

    in_sample  mean relative error on the runs fitted (of −log pass@k above 0.02 nats)
    held_out   the same on hidden runs; empty where there are too few runs to hide any
    bias       mean signed error on hidden runs, on the scale of intervals (logit pass@k): above 0 is too hopeful
    even       mean size of that error
    points     held-out mean |error| of pass@k for each law, by name
    spreads    width of the intervals, by metric
    """

    in_sample: Mapping[Metric, float] = field(default_factory=dict)
    held_out: Mapping[Metric, float] = field(default_factory=dict)
    bias: Mapping[Metric, float] = field(default_factory=dict)
    even: Mapping[Metric, float] = field(default_factory=dict)
    points: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[Metric, Spread] = field(default_factory=dict)
    __pydantic_config__ = ConfigDict(allow_inf_nan=False)

    def accepts(self, law: Law) -> bool:
        """Whether the backtest lets this law have a say: it was judged, and errs at most 1.5 times the best law's."""
        return law.name in self.points and self.points[law.name] <= REJECTED * min(self.points.values())

    def sentence(self) -> str:
        """Both errors in words, or what is missing."""
        metric = next(iter(self.in_sample), None)
        if metric is None:
            return "The fit was not judged."
        names = {"pass_at_k": "pass@k", "neg_log_pass_at_k": "−log pass@k", "loss": "the loss"}
        own = f"The fit misses {names[metric]} of its own runs by {self.in_sample[metric]:.1%} on average"
        if metric not in self.held_out:
            return f"{own}; there are too few runs to hide some and judge it on them."
        return f"{own}, and that of runs hidden from it (those of most compute) by {self.held_out[metric]:.1%}."

    def warnings(self) -> list[str]:
        """What the backtest warns of."""
        found = []
        for metric, bias in self.bias.items():
            if metric != "loss" and self.held_out and abs(bias) > 0.8 * self.even.get(metric, 0.0) > 0.24:
                way = "promised too much" if (bias > 0) == (metric == "pass_at_k") else "promised too little"
                found.append(
                    f"On hidden runs of more compute the law {way}, nearly always in one direction: success does not "
                    "follow N and D as the law has it; trust plans within the data only."
                )
                break
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for fit.json."""
        return {"axis": AXIS, **asdict(self)}


def quality(
    speakers: Mapping[Metric, Law],
    laws: Sequence[Law],
    curves: Curves,
    measurements: Measurements | None,
    options: FitOptions,
) -> Quality:
    """Judge a fit.

    speakers   the law that answers in each metric
    laws       every law of the fit, these among them
    """
    everything = np.ones(len(curves.N), dtype=bool)
    whole = Split(AXIS, np.inf, everything, everything)
    narrow = replace(options, bootstrap=0, restarts=min(options.restarts, 10), advance=None)
    asked = {law.name for law in speakers.values()}
    inner = {
        law.name: folds(type(law), curves, measurements, whole, narrow, only_pass=law.name not in asked) for law in laws
    }
    within = {metric: _of(judge(law, curves, whole), metric) for metric, law in speakers.items()}
    hidden = {
        metric: [_of(fold, metric).errors() for fold in inner[law.name] if fold] for metric, law in speakers.items()
    }
    hidden = {metric: errors for metric, errors in hidden.items() if errors}
    passed = {
        name: [trial.errors() for fold in every for trial in fold if trial.metric == "pass_at_k"]
        for name, every in inner.items()
    }
    widths = {metric: spread(within[metric], inner[law.name]) for metric, law in speakers.items()}
    return Quality(
        in_sample=_finite({metric: trial.errors()["relative"] for metric, trial in within.items()}),
        held_out=_finite({metric: mean_of(errors, "relative") for metric, errors in hidden.items()}),
        bias=_finite({metric: mean_of(errors, "bias") for metric, errors in hidden.items()}),
        even=_finite({metric: mean_of(errors, "even") for metric, errors in hidden.items()}),
        points=_finite({name: mean_of(errors, "absolute") for name, errors in passed.items()}),
        spreads={metric: width for metric, width in widths.items() if width is not None},
    )


def _of(trials: Sequence[Trial], metric: Metric) -> Trial:
    return next(trial for trial in trials if trial.metric == metric)


def _finite(values: Mapping[Key, float]) -> dict[Key, float]:
    return {name: value for name, value in values.items() if np.isfinite(value)}
