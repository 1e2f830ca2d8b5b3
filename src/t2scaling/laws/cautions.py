"""What to beware of in a fit, as sentences: each names the value and what to do about it."""

from collections.abc import Mapping

import numpy as np

from t2scaling.arrays import Array
from t2scaling.laws.base import Law
from t2scaling.laws.measurements import Curves
from t2scaling.laws.options import FitOptions
from t2scaling.laws.solvers.success import LOWER, UPPER, to_inner
from t2scaling.units import format_number, format_ratio

FEW_RUNS = 10
_ZERO = 1e-6  # a term below this share of the values counts as zero
_ONE_RATIO = 1.1  # D/N within this factor all over is one ratio
_ALIGNED = 0.99  # correlation of log N and log D from which N and D cannot be told apart


def exponents_at_bound(parameters: Mapping[str, float], bounds: tuple[float, float]) -> dict[str, float]:
    """Exponents that press against a bound, with the bound; those of a term that is zero do not count."""
    terms = {"alpha": "A", "beta": "B", "gamma": "G"}
    found = {}
    for name, coefficient in terms.items():
        value = parameters.get(name)
        if value is None or parameters[coefficient] == 0:
            continue
        for bound in bounds:
            if abs(np.log(value / bound)) < 1e-6:
                found[name] = bound
    return found


def general(law: Law, curves: Curves) -> list[str]:
    """Cautions that hold for any law: about the runs, and about their outcomes."""
    return [*_about_runs(curves), *_about_outcomes(law, curves)]


def about_terms(law: Law, curves: Curves, options: FitOptions) -> list[str]:
    """Terms of a sum of power laws that sit on a bound, or are zero."""
    first = law.training_law
    scale = float(np.nanmax(np.abs(curves.value)))
    found = []
    for name, bound in law.at_bound(options).items():
        found.append(
            f"{name} = {law.parameters[name]:.4g} is on its bound {bound:g}: add runs that vary more in "
            f"{ {'alpha': 'N', 'beta': 'D', 'gamma': 'k'}[name] }, or widen `bounds`."
        )
    if law.parameters["E"] < _ZERO * scale:
        known = f"; what the data do fix is E + G = {first.E:.4g}, the floor at k = 1" if "G" in law.parameters else ""
        found.append(
            f"E is at zero: the data show no floor of their own{known}. Far beyond the measured budgets such a law "
            "promises too much; trust its plans near them."
        )
    sizes = {
        "A": first.A * curves.N.min() ** -first.alpha,
        "B": first.B * curves.D.min() ** -first.beta,
        "G": law.parameters.get("G", scale),
    }
    meaning = {"A": "model size", "B": "training tokens", "G": "samples"}
    found += [
        f"{name} is at zero: by this fit more {meaning[name]} does not help, which no plan can be built on. "
        "Add runs, or check the measurements."
        for name, size in sizes.items()
        if size < _ZERO * scale
    ]
    return found


def about_theta(theta: tuple[float, ...], index: Array, curves: Curves) -> list[str]:
    """θ at the end of the range searched, and rates so small that least squares cannot see them.

    index   what θ acts on for each run, the loss or another measure of ability, shape (R,)
    """
    loss = index[np.isfinite(index)]
    u = to_inner(np.array([theta]), float(loss.mean()), float(np.std(loss)) or 1.0)[0]
    names = ("theta0", "theta1", "theta2", "theta3", "theta4")
    # θ2 = 1 is no bound to worry about: it says that every question can be solved in the end.
    stuck = [
        f"{name} = {value:.4g}"
        for name, value, inner, low, high in zip(names, theta, u, LOWER, UPPER, strict=False)
        if inner <= low + 1e-6 or (inner >= high - 1e-6 and name != "theta2")
    ]
    found = []
    if stuck:
        found.append(
            f"{' and '.join(stuck)} ran to the end of the range searched: pass@k does not fix all five θ; trust the "
            "law between the measured points only."
        )
    top = float(np.nanmax(curves.pass_at_k))
    if top < 1e-3:
        found.append(
            f"the largest mean pass@k is {top:.2g}: least squares sees little of such rates; prefer the loss law."
        )
    return found


def _about_runs(curves: Curves) -> list[str]:
    found = []
    ratio = curves.D / curves.N
    log_N, log_D = np.log(curves.N), np.log(curves.D)
    if len(curves.N) < FEW_RUNS:
        found.append(f"{len(curves.N)} runs are few for a law in N and D: use {FEW_RUNS} or more.")
    for name, values in (("N", curves.N), ("D", curves.D)):
        if len(np.unique(values)) < 3:
            found.append(f"{len(np.unique(values))} value(s) of {name} cannot show a power law in it: add others.")
    if ratio.max() / ratio.min() < _ONE_RATIO:
        found.append(
            f"all runs have about {format_ratio(float(np.median(ratio)))} tokens per parameter: N and D cannot be "
            "told apart, so no plan over D/N follows. Add runs at other ratios."
        )
    elif np.ptp(log_N) > 0 and np.ptp(log_D) > 0 and abs(np.corrcoef(log_N, log_D)[0, 1]) > _ALIGNED:
        found.append("log N and log D of the runs lie on one line: their effects cannot be told apart; vary D/N.")
    return found


def _about_outcomes(law: Law, curves: Curves) -> list[str]:
    found = []
    if curves.conventions.get("origin") == "simulated":
        found.append("the data are simulated, drawn from a stated law: this says nothing about real models.")
    if "left_out" in curves.conventions:
        found.append(f"left out so that all runs share the same questions: {curves.conventions['left_out']}.")
    if curves.conventions.get("nll") == "mean_per_token":
        found.append(
            "nll is a mean per token, so exp(−nll) is no success probability: pass@k and k of this fit are formal; "
            "measure the sum over the answer's tokens to plan with it."
        )
    unmeasured = np.isnan(curves.value) & np.isfinite(curves.pass_at_k)
    used = np.any(unmeasured, axis=1) if law.metric == "neg_log_pass_at_k" else unmeasured[:, 0]
    if used.any():
        found.append(
            f"{int(used.sum())} of {len(used)} runs solve nothing at some k, where −log pass@k is infinite; those "
            "points are left out of the loss, which flatters weak runs. Sample more, or use runs that succeed."
        )
    gaps = int(np.sum(np.any(np.isnan(curves.pass_at_k), axis=1)))
    if gaps and np.any(np.isfinite(curves.pass_at_k)):
        most = format_number(float(curves.k.max()))
        found.append(f"{gaps} of {len(used)} runs have too few samples for k = {most} and count at smaller k only.")
    return found
