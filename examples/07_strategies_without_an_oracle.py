"""What samples are good for without an oracle: a noisy verifier, and majority vote, on measured runs.

Run: python examples/07_strategies_without_an_oracle.py
"""

import polars as pl

import t2scaling as t2
from t2scaling.costs import Serving
from t2scaling.observations.score import score
from t2scaling.strategies import parse

TASK, NOISY = "spatial", "verifier:tpr=.9,fpr=.05"
K = (1, 2, 4, 8, 16, 32, 64)


def main() -> None:
    observations = t2.load_observations("world")
    print(observations.conventions.get("statement", ""))
    strategies = ["oracle", NOISY, "all", "majority"]
    table = score(observations, K, strategies, task=TASK, stage="base")

    best = table.filter(pl.col("value") == pl.col("value").max())["run_id"][0]
    print(f"\n{best} on {TASK}, share solved with k samples:")
    for strategy in strategies:
        rows = table.filter((pl.col("run_id") == best) & (pl.col("strategy") == parse(strategy).label))
        print(f"  {strategy:<24}" + "".join(f"{100 * row['value']:7.1f} %" for row in rows.sort("k").to_dicts()))

    # The run and k that solve most for the price of four samples of the largest run: by serving cost, and by 2·N·k.
    # Of models this small serving is nearly all overhead, and extrapolated.
    serve = Serving(gpu="h100", prompt_tokens=20, answer_tokens=4, unit="dollars")
    largest = observations.runs["n_params"].max()
    budget = float(serve.serve(largest, 4))
    print(f"\nFor {budget:.2g} dollars per query on an H100:")
    for strategy in strategies:
        rows = [row for row in table.to_dicts() if row["strategy"] == parse(strategy).label]
        paid = [row for row in rows if float(serve.serve(row["n_params"], row["k"])) <= budget]
        counted = [row for row in rows if row["n_params"] * row["k"] <= largest * 4]
        for name, choices in (("ours", paid), ("2·N·k", counted)):
            row = max(choices, key=lambda row: row["value"])
            dollars = float(serve.serve(row["n_params"], row["k"]))
            print(
                f"  {strategy:<24} {name:<6} {row['run_id']:<18} k {row['k']:<3g} {100 * row['value']:5.1f} % solved, "
                f"{dollars / budget:4.1f}× the budget, {row['value'] / dollars:12,.0f} per dollar"
            )


if __name__ == "__main__":
    main()
