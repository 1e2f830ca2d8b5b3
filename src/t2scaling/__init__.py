"""Train-to-Test (T²) scaling laws: choose model size, training tokens and samples per problem together.

    obs  = t2.read("runs.csv")
    fit  = t2.fit(obs, law="loss", task="arc_easy")
    plan = t2.plan(fit, train_flops=2.56e19, inference_flops=2e9)

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

# Module → its public names. A name equal to the module's is the module itself.
_NAMES = {
    "allocate": ("Frontier", "Plan", "frontier", "mix", "plan"),
    "api": ("backtest", "fit"),
    "costs": ("costs",),
    "errors": ("ArgumentError", "DataError", "FitError", "PrerequisiteError", "SuiteError", "T2Error"),
    "laws": (
        "laws",
        "AccuracyLaw",
        "Backtest",
        "ChinchillaLaw",
        "FitResult",
        "FitStatus",
        "LossLaw",
        "NaiveLaw",
        "load_law",
    ),
    "observations": ("Observations", "load_observations", "load_suite", "read"),
    "passk": ("passk",),
    "report": ("report",),
}
_HOME = {name: f"t2scaling.{module}" for module, names in _NAMES.items() for name in names}
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
    from t2scaling.api import backtest, fit
    from t2scaling.errors import ArgumentError, DataError, FitError, PrerequisiteError, SuiteError, T2Error
    from t2scaling.laws import AccuracyLaw, Backtest, ChinchillaLaw, FitResult, FitStatus, LossLaw, NaiveLaw, load_law
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
