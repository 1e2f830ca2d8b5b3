"""Train-to-Test (T²) scaling laws: choose model size, training tokens and samples per problem together.

    obs  = t2.read("runs.csv")
    fit  = t2.fit(obs, law="loss", task="arc_easy")
    plan = t2.plan(fit, train_flops=2.56e19, inference_flops=2e9)

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name → module that holds it. A name equal to its module's last part is the module itself.
_HOME = {
    "passk": "t2scaling.passk",
    "laws": "t2scaling.laws",
    "costs": "t2scaling.costs",
    "T2Error": "t2scaling.errors",
    "ArgumentError": "t2scaling.errors",
    "report": "t2scaling.report",
    "DataError": "t2scaling.errors",
    "SuiteError": "t2scaling.errors",
    "FitError": "t2scaling.errors",
    "PrerequisiteError": "t2scaling.errors",
    "Observations": "t2scaling.observations",
    "read": "t2scaling.observations",
    "load_observations": "t2scaling.observations",
    "load_suite": "t2scaling.observations",
    "ChinchillaLaw": "t2scaling.laws",
    "LossLaw": "t2scaling.laws",
    "AccuracyLaw": "t2scaling.laws",
    "NaiveLaw": "t2scaling.laws",
    "FitResult": "t2scaling.laws",
    "FitStatus": "t2scaling.laws",
    "fit": "t2scaling.api",
    "backtest": "t2scaling.api",
    "Backtest": "t2scaling.laws",
    "load_law": "t2scaling.laws",
    "Plan": "t2scaling.allocate",
    "Frontier": "t2scaling.allocate",
    "plan": "t2scaling.allocate",
    "frontier": "t2scaling.allocate",
    "mix": "t2scaling.allocate",
}
__all__ = [
    "AccuracyLaw",
    "ArgumentError",
    "Backtest",
    "ChinchillaLaw",
    "DataError",
    "FitError",
    "FitResult",
    "FitStatus",
    "Frontier",
    "LossLaw",
    "NaiveLaw",
    "Observations",
    "Plan",
    "PrerequisiteError",
    "SuiteError",
    "T2Error",
    "__version__",
    "backtest",
    "costs",
    "fit",
    "frontier",
    "laws",
    "load_law",
    "load_observations",
    "load_suite",
    "mix",
    "passk",
    "plan",
    "read",
    "report",
]

if TYPE_CHECKING:
    from t2scaling import costs, laws, passk, report
    from t2scaling.allocate import Frontier, Plan, frontier, mix, plan
    from t2scaling.api import fit
    from t2scaling.errors import ArgumentError, DataError, FitError, PrerequisiteError, SuiteError, T2Error
    from t2scaling.laws import (
        AccuracyLaw,
        ChinchillaLaw,
        FitResult,
        FitStatus,
        LossLaw,
        NaiveLaw,
        load_law,
    )
    from t2scaling.observations import Observations, load_observations, load_suite, read


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 't2scaling' has no attribute {name!r}")
    module = import_module(_HOME[name])
    value = module if module.__name__.endswith(f".{name}") and not hasattr(module, name) else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
