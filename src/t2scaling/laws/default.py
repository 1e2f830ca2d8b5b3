"""What `law="auto"` is: the law that plans, the one that gives the numbers, and the paper's two beside them.

Fixed, not chosen by an inner backtest, which was no better on any suite (docs/forecasting.md).
"""

from t2scaling.errors import unknown
from t2scaling.laws.base import Law
from t2scaling.laws.registry import LAWS, law_class

AUTO = "auto"
PLANS = "bottleneck"  # one smooth surface in N, D and k
NUMBERS = "quantile"  # from likelihoods; from counts the law that plans gives them
BESIDE = ("loss", "accuracy")  # arXiv 2604.01411, Approaches 1 and 2


def resolve(law: str, kind: str) -> tuple[type[Law], type[Law] | None, tuple[type[Law], ...]]:
    """The laws to fit by a name or "auto": the one that plans, the one for numbers or None, and those beside.

    kind   of the outcomes, "nll" or "counts"
    """
    if law not in (AUTO, *LAWS):
        raise unknown("law", law, (AUTO, *LAWS))
    if law != AUTO:
        return law_class(law), None, ()
    numbers = law_class(NUMBERS) if kind == "nll" else None
    return law_class(PLANS), numbers, tuple(law_class(name) for name in BESIDE)


def names(law: str, kind: str) -> tuple[str, ...]:
    """The same as names, the one that gives the numbers first."""
    plans, numbers, beside = resolve(law, kind)
    return tuple(cls.name for cls in (numbers, plans, *beside) if cls is not None)
