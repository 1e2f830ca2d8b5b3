"""What k samples are good for: a strategy is a value, one file each, listed in `STRATEGIES`.

A strategy turns the distribution of single-sample success over questions (`success.py`, what a law predicts) into a
value at k, and the counts of a measurement into the same value. It is a map, never a law of its own: vote curves need
not rise with k. Depends on numpy, scipy, `passk` and `costs` alone.
"""

from t2scaling.strategies.base import STRATEGIES, Strategy, parse, register
from t2scaling.strategies.oracle import ORACLE, Oracle
from t2scaling.strategies.success import BetaSuccess, PointSuccess, Success

__all__ = [
    "ORACLE",
    "STRATEGIES",
    "BetaSuccess",
    "Oracle",
    "PointSuccess",
    "Strategy",
    "Success",
    "parse",
    "register",
]
