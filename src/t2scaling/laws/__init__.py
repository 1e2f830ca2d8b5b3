"""Scaling laws and their fits. This package depends on numpy and scipy alone.

base, registry                     what a law is, and the list of them; `register` adds one from outside
chinchilla, loss, accuracy, naive  the paper's laws, one file each (success: what the last two share)
bottleneck, quantile               the laws that extrapolate: one index of ability, carried by a Beta or by quantiles
direct, nearest                    what these have to beat
options, fit, result, cautions     fitting: choices in, a `FitResult` with its warnings out
measurements, curves, isoflop      what a law is fitted to
splits, heldout, quality           a law judged on hidden runs; intervals, the widths that follow from it
backtest, regret                   tables of it, and decisions on measured cells
bootstrap                          refits to resampled data
published, constrained             laws that need no data of one's own
mix                                one law's fits to several tasks, weighed
solvers/                           numerics beneath the laws, on plain arrays
"""

from t2scaling.laws.accuracy import AccuracyLaw
from t2scaling.laws.backtest import Backtest, backtest
from t2scaling.laws.base import Law, Solutions
from t2scaling.laws.bottleneck import BottleneckLaw
from t2scaling.laws.chinchilla import ChinchillaLaw
from t2scaling.laws.curves import curves
from t2scaling.laws.direct import DirectLaw
from t2scaling.laws.fit import default_k, fit, fit_chinchilla
from t2scaling.laws.loss import LossLaw
from t2scaling.laws.measurements import Curves, FitData, Measurements
from t2scaling.laws.naive import NaiveLaw
from t2scaling.laws.nearest import NearestLaw
from t2scaling.laws.options import FitOptions
from t2scaling.laws.published import PublishedLaw, load_law
from t2scaling.laws.quantile import QuantileLaw
from t2scaling.laws.registry import LAWS, law_class, register
from t2scaling.laws.result import Bootstrap, FitResult, FitStatus

__all__ = [
    "LAWS",
    "AccuracyLaw",
    "Backtest",
    "Bootstrap",
    "BottleneckLaw",
    "ChinchillaLaw",
    "Curves",
    "DirectLaw",
    "FitData",
    "FitOptions",
    "FitResult",
    "FitStatus",
    "Law",
    "LossLaw",
    "Measurements",
    "NaiveLaw",
    "NearestLaw",
    "PublishedLaw",
    "QuantileLaw",
    "Solutions",
    "backtest",
    "curves",
    "default_k",
    "fit",
    "fit_chinchilla",
    "law_class",
    "load_law",
    "register",
]
