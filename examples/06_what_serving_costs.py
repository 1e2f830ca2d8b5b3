"""A plan in dollars: what the paper's 2·N·k would choose for the same GPU time, and which of them solves more.

Run: python examples/06_what_serving_costs.py
"""

import numpy as np

import t2scaling as t2
from t2scaling.costs import Serving
from t2scaling.strategies import parse
from t2scaling.units import format_number

TRAIN_FLOPS = 1e21  # 562 GPU-hours of an H100 at half its peak
NOISY = "verifier:tpr=.9,fpr=.05"
MEASURED = {"n_range": (70e6, 12e9), "max_tokens": 300e9}  # what the law has seen


def main() -> None:
    law = t2.load_law("pythia/gsm8k-accuracy").law
    serve = Serving(gpu="h100", prompt_tokens=100, answer_tokens=200, unit="dollars")
    hour = serve.hardware.dollars_per_hour
    print(f"One GPU-hour of serving, ${hour:g}, at {serve.prompt_tokens:g} + {serve.answer_tokens:g} tokens per query.")

    # What a query may cost decides how many queries the hour pays for.
    for cents in (0.0003, 0.001):
        budget = cents / 100
        ours = t2.plan(law, train_flops=TRAIN_FLOPS, serve_budget=budget, cost=serve, strategy=NOISY, **MEASURED)
        print(f"\nAt {cents:g} cents per query, {hour / budget:,.0f} queries:")
        shown(law, serve, "ours", ours.n_params, ours.n_tokens, ours.k)
        shown(law, serve, "2·N·k", *paper_plan(law, serve, budget))


def paper_plan(law, serve, budget):
    """N, D and k by 2·N·k: of its plans for any FLOPs per token, the dearest that the dollars really pay for."""
    flops = np.geomspace(1e8, 1e13, 400)
    plans = t2.frontier(law, train_flops=TRAIN_FLOPS, inference_flops=flops, strategy=NOISY, **MEASURED)
    able = np.isfinite(plans.k)
    N, D, k = plans.n_params[able], plans.n_tokens[able], plans.k[able]
    at = np.flatnonzero(serve.serve(N, k) <= budget)[-1]
    return N[at], D[at], k[at]


def shown(law, serve, name, N, D, k):
    """One plan: what its samples solve under either strategy, per query and per dollar."""
    print(f"  {name}: N {format_number(N)}, D {format_number(D)}, k {k:.3g}")
    for strategy in ("oracle", NOISY):
        solved = float(law.under(parse(strategy), N, D, k))
        print(f"    {strategy:<24}{100 * solved:5.2f} % solved, {solved / float(serve.serve(N, k)):7,.0f} per dollar")


if __name__ == "__main__":
    main()
