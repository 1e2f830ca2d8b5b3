"""Scaling laws and their fits. This package depends on numpy and scipy alone."""

from t2scaling.laws.curves import curves
from t2scaling.laws.fit import default_k, fit
from t2scaling.laws.forms import AccuracyLaw, ChinchillaLaw, Law, LossLaw, NaiveLaw
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.result import Bootstrap, FitResult, FitStatus

__all__ = [
    "AccuracyLaw",
    "Bootstrap",
    "ChinchillaLaw",
    "Curves",
    "FitResult",
    "FitStatus",
    "Law",
    "LossLaw",
    "Measurements",
    "NaiveLaw",
    "curves",
    "default_k",
    "fit",
]
