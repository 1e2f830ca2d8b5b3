"""The whole way from measurements to a page, on the suite that ships with the package."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from t2scaling.allocate import Budget, Plan, plan
from t2scaling.costs import sample_flops, train_flops
from t2scaling.laws import FitResult, fit
from t2scaling.observations import Observations, load_suite
from t2scaling.report.content import is_simulated
from t2scaling.report.page import report

LAWS = ("auto", "accuracy", "loss")


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    plan    the recommendation, from the default law on the mean over the suite's tasks
    others  the plans of the paper's two laws under the same budgets
    fits    all fits, in the order of the plans
    folder  where fit.json, fit-accuracy.json, fit-loss.json, plan.json and report.html lie
    """

    plan: Plan
    others: tuple[Plan, ...]
    fits: tuple[FitResult, ...]
    folder: Path

    @property
    def page(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def simulated(self) -> bool:
        """Whether the suite was drawn from a law instead of measured."""
        return is_simulated(self.fits[0])


def demo(
    folder: str | Path,
    *,
    train_flops: float | None = None,
    inference_flops: float | None = None,
    bootstrap: int = 100,
    seed: int = 0,
    command: str | None = None,
    done: Callable[[], object] = lambda: None,
) -> Demo:
    """Fit the default law and the paper's two to the shipped suite, plan, and write the artefacts to `folder`.

    train_flops      default: the largest training budget of the suite
    inference_flops  default: one sample of the suite's largest model, rounded up to one digit
    bootstrap        refits behind the intervals; 0 for none
    seed             seed of the bootstrap
    command          the command line to show in the report
    done             called after each of five steps, for a progress bar
    Raises ArgumentError for budgets that afford no model.
    """
    observations = load_suite()
    train, inference = _budgets(observations)
    train = train if train_flops is None else train_flops
    inference = inference if inference_flops is None else inference_flops
    Budget(train_flops=train, inference_flops=inference)  # refuses what is absurd before anything is fitted
    fits, plans = [], []
    for law in LAWS:
        fitted = fit(observations, law=law, task="macro", inference_flops=inference, bootstrap=bootstrap, seed=seed)
        fits.append(fitted)
        plans.append(plan(fitted, train_flops=train, inference_flops=inference))
        done()
    folder = Path(folder)
    fits[0].save(folder / "fit.json")
    for fitted in fits[1:]:
        fitted.save(folder / f"fit-{fitted.law.name}.json")
    plans[0].save(folder / "plan.json")
    done()
    report(
        fits[0], plans[0], path=folder / "report.html", extra_fits=fits[1:], observations=observations, command=command
    )
    done()
    return Demo(plans[0], tuple(plans[1:]), tuple(fits), folder)


def _budgets(observations: Observations) -> tuple[float, float]:
    """The suite's largest training budget, and what one sample of its largest model costs, rounded up."""
    measured = observations.measurements("macro" if len(observations.tasks) > 1 else None)
    flops = measured.train_flops if measured.train_flops is not None else train_flops(measured.N, measured.D)
    least = float(sample_flops(measured.N.max(), 1))
    digit = 10 ** math.floor(math.log10(least))
    return float(flops.max()), math.ceil(least / digit) * digit
