"""From a law and a budget to N, D and k. Depends on numpy, scipy, `costs` and `laws` alone.

`plan` answers for one budget, `frontier` for many at once; `Budget` turns dollars and GPU-hours into FLOPs.
"""

from t2scaling.allocate.budgets import Budget
from t2scaling.allocate.frontier import Frontier, frontier
from t2scaling.allocate.plan import plan
from t2scaling.allocate.result import Allocation, Plan
from t2scaling.allocate.served import inference_aware_optimum

__all__ = ["Allocation", "Budget", "Frontier", "Plan", "frontier", "inference_aware_optimum", "plan"]
