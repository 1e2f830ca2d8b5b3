"""Fit laws to a CSV of your own evaluations, plan, and write the report.

The CSV has one row per (run, task, question): run_id, n_params, n_tokens, task, question_id, and nll (or n_samples
and n_correct). Here it is made from the simulated suite that comes with the package; put your own path in its place.

Run: python examples/02_fit_your_own_csv.py [measurements.csv] [report.html]
"""

import sys
import tempfile
from pathlib import Path

import t2scaling as t2
from t2scaling.observations.simulated import simulate
from t2scaling.report import report


def main(csv: str | None = None, page: str | None = None) -> None:
    folder = Path(tempfile.mkdtemp())
    if csv is None:
        csv = str(folder / "measurements.csv")
        simulate(questions=50, tasks=["sciq"]).write_csv(csv)
        print("simulated data: no model was trained")

    observations = t2.read(csv)
    print(observations)

    budgets = {"train_flops": 2.56e19, "inference_flops": 2e9}
    accuracy = t2.fit(observations, law="accuracy", inference_flops=2e9)
    loss = t2.fit(observations, law="loss", inference_flops=2e9)
    for fit in (accuracy, loss):
        print(f"\n{fit.law.name} law: {fit.explain()}")
        print(t2.plan(fit, **budgets).sentence())

    # What would another model do? Arrays broadcast.
    print("\npass@k of 100M parameters on 40B tokens:")
    for k, passed in zip([1, 10, 100], accuracy.predict(1e8, 4e10, [1, 10, 100]), strict=True):
        print(f"  k = {k:<3}  {passed:.2%}")

    written = report(accuracy, path=page or folder / "report.html", extra_fits=[loss], **budgets)
    print(f"\nreport: {written}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
