"""Scaling laws and their fits. This package depends on numpy and scipy alone."""

from t2scaling.laws.curves import curves
from t2scaling.laws.fit import default_k, fit, fit_chinchilla
from t2scaling.laws.forms import AccuracyLaw, ChinchillaLaw, Law, LossLaw, NaiveLaw
from t2scaling.laws.measurements import Curves, Measurements
from t2scaling.laws.published import PublishedLaw, load_law
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
    "PublishedLaw",
    "curves",
    "default_k",
    "fit",
    "fit_chinchilla",
    "load_law",
]
