"""What k samples are good for: a strategy is a value, one file each, listed in `STRATEGIES`.

A strategy turns the distribution of single-sample success over questions (`success.py`, what a law predicts) into a
value at k, and the counts of a measurement into the same value. It is a map, never a law of its own: vote curves need
not rise with k. Depends on numpy, scipy, `passk` and `costs` alone.
"""

from t2scaling.strategies.all_of import AllOf, AtLeast, all_of, at_least
from t2scaling.strategies.base import STRATEGIES, Strategy, parse, register
from t2scaling.strategies.best_of import BestOf, best_of
from t2scaling.strategies.majority import Majority, majority, majority_of_chances
from t2scaling.strategies.oracle import ORACLE, Oracle
from t2scaling.strategies.success import BetaSuccess, PointSuccess, Success
from t2scaling.strategies.verifier import Verifier, verifier
from t2scaling.strategies.weighted import weighted_vote

__all__ = [
    "ORACLE",
    "STRATEGIES",
    "AllOf",
    "AtLeast",
    "BestOf",
    "BetaSuccess",
    "Majority",
    "Oracle",
    "PointSuccess",
    "Strategy",
    "Success",
    "Verifier",
    "all_of",
    "at_least",
    "best_of",
    "majority",
    "majority_of_chances",
    "parse",
    "register",
    "verifier",
    "weighted_vote",
]
