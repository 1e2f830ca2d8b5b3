"""When overtraining pays: how many tokens must be served before the plan is the cheaper way to its quality.

Let the plan be (N, D, k) with value v, and let its rivals be the models that Chinchilla's rule trains for any
C' ≤ 6·N·D, each drawing as many samples k'(C') as it needs to reach v. Over a life of S served tokens
    plan   6·N·D + 2·N·k·S          rival   C' + 2·N'·k'·S.
A rival saves on training and pays on every token, so it is cheaper until
    S(C') = (6·N·D − C') / (2·N'·k' − 2·N·k),
and overtraining pays from the largest of these S: `break_even`. It is 0 where no rival reaches v on less training
(k does not help), and does not exist where some rival is cheaper both to train and to serve, which the optimum rules
out but a menu of sizes may bring about.

`matched_tokens` is the S at which the plan is the cheapest of *all* models of its quality, Chinchilla-trained or
not: where the first-order condition of the lifetime budget holds, (k·S)/(3·D) = (−∂v/∂log k)/(−∂v/∂log D). A plan
under two budgets is a lifetime plan for that S, so break_even ≤ matched_tokens.

Other cost models take the place of 6·N·D and 2·N·k; where theirs is a cost per query, S counts queries.
"""

import numpy as np

from t2scaling.allocate.allocation import Allocation
from t2scaling.arrays import Array
from t2scaling.costs import PAPER, CostModel
from t2scaling.laws import Law
from t2scaling.laws.solvers.rootfind import valley


def break_even(
    law: Law, plan: Allocation, chinchilla: Allocation, cost: CostModel = PAPER, weight: float = 1.0
) -> float | None:
    """Tokens served from which `plan` costs no more than any Chinchilla-trained model of its quality; see above.

    weight   training units that a unit of serving costs as much as
    None for a law without samples or a mix of tasks, and where there is no such number.
    """
    if not law.samples or len(law.training_laws) > 1 or not (plan.exists and chinchilla.exists):
        return None
    training = law.training_law
    if not (training.A > 0 and training.B > 0):
        return None
    spent, served_by_plan = cost.train(plan.n_params, plan.n_tokens), cost.serve(plan.n_params, plan.k)
    wanted = law.score(training.predict(plan.n_params, plan.n_tokens), np.log(np.array(plan.k)))

    def gain(log_share: Array) -> Array:
        """−S(C') at C' = share · 6·N·D; 0 where that rival cannot reach the plan's quality at all."""
        budget = spent * np.exp(log_share)
        N = training.optimal_params(cost.tokens(1, budget))
        log_k = law.log_samples_to_match(training.surface(N, cost.tokens(N, budget)), wanted)
        reached = np.isfinite(log_k)
        dearer = weight * (cost.serve(N, np.exp(np.where(reached, log_k, 0.0))) - served_by_plan)
        with np.errstate(divide="ignore", invalid="ignore"):
            served = np.where(dearer > 0, (spent - budget) / dearer, np.inf)
        return np.where(reached, -served, 0.0)

    # All shares of the scan are one array, so that the scan costs one search for k instead of 600.
    shares = np.linspace(np.log(1e-9), -1e-6, 600)
    at = int(np.argmin(gain(shares)))
    best = -gain(valley(gain, shares[[max(at - 1, 0)]], shares[[min(at + 1, 599)]], shares[[at]]))[0]
    return float(best) if np.isfinite(best) else None


def matched_tokens(law: Law, plan: Allocation, cost: CostModel = PAPER, weight: float = 1.0) -> float | None:
    """Tokens served at which the plan is the cheapest of all models of its quality.

    None for laws without samples, for a mix of tasks, for costs that are no product, and where a limit (a menu, a
    range, a token cap, whole or single samples) keeps the plan from being the cheapest at any traffic: there the
    condition on N fails.
    """
    if not (law.samples and cost.product and plan.exists) or len(law.training_laws) > 1:
        return None
    training = law.training_law
    loss = training.predict(plan.n_params, plan.n_tokens)
    by_loss, by_k = law.slopes(loss, np.log(np.array(plan.k)))
    by_tokens = by_loss * training.by_tokens(plan.n_tokens)
    by_size = by_loss * training.by_size(plan.n_params)
    if not by_tokens > 0 or not np.isclose(by_size, by_tokens - by_k, rtol=1e-6):
        return None
    ratio = cost.train(1, 1) / (weight * cost.serve(1, 1))  # 3, by the paper's costs
    with np.errstate(over="ignore"):  # where data are worn out by repetition, more of them gain next to nothing
        served = float(ratio * plan.n_tokens * -by_k / (plan.k * by_tokens))
    return served if np.isfinite(served) else None
