"""How sure is a plan? Bootstrap intervals, a frontier over budgets, and a figure of it.

Run: python examples/04_bootstrap_and_frontier.py [forecast.svg]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import t2scaling as t2
from t2scaling.report.figures import forecast
from t2scaling.units import format_number, format_ratio


def main(figure: str | None = None) -> None:
    observations = t2.load_suite()
    print(observations.conventions.get("statement", ""))

    # Every refit draws runs and questions with replacement; its laws carry the uncertainty into every plan.
    fit = t2.fit(observations, law="loss", task="macro", inference_flops=1e6, bootstrap=100, seed=0)
    for row in fit.summary():
        print(f"  {row['parameter']:<6} {row['value']:>10.4g}   90%: {row['low']:.4g} to {row['high']:.4g}")

    plan = t2.plan(fit, train_flops=2e12, inference_flops=1e6)
    low, high = plan.interval["n_params"]
    print(f"\n{plan.sentence()}")
    print(f"90% of the refits would train {format_number(low)} to {format_number(high)} parameters.")

    # One more factor of ten each time: where does the compute go?
    frontier = t2.frontier(fit, train_flops=np.geomspace(1e10, 1e14, 5), inference_flops=1e6)
    print("\ntraining FLOPs      N       D       D/N      k  extrapolated")
    for row in frontier.rows():
        print(
            f"{row['train_flops']:>14.0e} {format_number(row['n_params']):>6} {format_number(row['n_tokens']):>7} "
            f"{format_ratio(row['tokens_per_param']):>9} {row['k']:>6.1f}  {'yes' if row['outside'] else 'no'}"
        )

    path = Path(figure) if figure else Path(tempfile.mkdtemp()) / "forecast.svg"
    forecast([fit], inference_flops=1e6, plans=[plan]).savefig(path)
    print(f"\nfigure: {path}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
