"""From a law and a budget to N, D and k. Depends on numpy, scipy, `costs`, `strategies` and `laws` alone.

`plan` answers for one budget, `frontier` for many at once, `replan` for another law under the same terms; `Budget`
turns dollars and GPU-hours into FLOPs.
"""

from t2scaling.allocate.allocation import Allocation, PlanStatus
from t2scaling.allocate.budgets import Budget
from t2scaling.allocate.frontier import Frontier, frontier
from t2scaling.allocate.limits import Limits
from t2scaling.allocate.plan import plan, replan
from t2scaling.allocate.result import Plan
from t2scaling.allocate.served import inference_aware_optimum
from t2scaling.allocate.source import mix

__all__ = [
    "Allocation",
    "Budget",
    "Frontier",
    "Limits",
    "Plan",
    "PlanStatus",
    "frontier",
    "inference_aware_optimum",
    "mix",
    "plan",
    "replan",
]
