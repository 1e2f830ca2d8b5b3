"""Laws, curves and bootstrap samples to plain dictionaries and back; used by fit.json and by published laws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast, get_args

import numpy as np

from t2scaling.errors import DataError, unknown
from t2scaling.laws.forms import LAWS, AccuracyLaw, ChinchillaLaw, Law, LossLaw, NaiveLaw
from t2scaling.laws.measurements import Curves, Target

AnyLaw = ChinchillaLaw | LossLaw | AccuracyLaw | NaiveLaw
_CHINCHILLA = ("E", "A", "alpha", "B", "beta")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "chinchilla": _CHINCHILLA,
    "loss": (*_CHINCHILLA, "G", "gamma"),
    "accuracy": (*_CHINCHILLA, *(f"theta{i}" for i in range(5))),
    "naive": (*_CHINCHILLA, *(f"theta{i}" for i in range(3))),
}


def law_to_dict(law: Law) -> dict[str, Any]:
    """{"name", "target" (loss law only), "parameters": {name: value}}."""
    target = {"target": law.target} if isinstance(law, LossLaw) else {}
    return {"name": law.name, **target, "parameters": dict(law.parameters)}


def law_from_dict(content: Mapping[str, Any]) -> AnyLaw:
    """The law that `law_to_dict` described. Raises DataError where a name or a parameter is missing."""
    name = content.get("name")
    if name not in LAWS:
        raise DataError(f"`name` = {name!r} is no law: expected one of {', '.join(LAWS)}.")
    given = content.get("parameters", {})
    missing = [key for key in PARAMETERS[name] if given.get(key) is None]
    if missing:
        raise DataError(f"the {name} law lacks the parameter(s) {', '.join(missing)}: fit it again.")
    odd = [key for key in PARAMETERS[name] if not math.isfinite(float(given[key]))]
    if odd:
        raise DataError(f"the {name} law has parameters that are not finite, {', '.join(odd)}: fit it again.")
    return law_from_vector(name, [given[key] for key in PARAMETERS[name]], content.get("target"))


def law_from_vector(name: str, values: Any, target: str | None = None) -> AnyLaw:
    """The law of class `name` with its parameters in the order of `PARAMETERS[name]`."""
    x = [float(value) for value in values]
    if name == "chinchilla":
        return ChinchillaLaw(*x)
    if name == "loss":
        E, A, alpha, B, beta, G, gamma = x
        return LossLaw(E, A, alpha, B, beta, G, gamma, cast(Target, target or "mean_neg_log"))
    if name == "accuracy":
        return AccuracyLaw(ChinchillaLaw(*x[:5]), (x[5], x[6], x[7], x[8], x[9]))
    return NaiveLaw(ChinchillaLaw(*x[:5]), (x[5], x[6], x[7]))


def law_to_vector(law: Law) -> np.ndarray:
    """Parameters in the order of `PARAMETERS[law.name]`, shape (P,)."""
    return np.array([law.parameters[name] for name in PARAMETERS[law.name]])


def curves_to_dict(curves: Curves) -> dict[str, Any]:
    """Every field of the curves; arrays stay arrays (the JSON writer makes them lists)."""
    return {
        "task": curves.task, "run_id": list(curves.run_id), "n_params": curves.N, "n_tokens": curves.D, "k": curves.k,
        "target": curves.target, "value": curves.value, "pass_at_k": curves.pass_at_k, "se": curves.se,
        "train_flops": curves.train_flops, "overtrained": curves.overtrained, "conventions": curves.conventions,
        "data_hash": curves.data_hash,
    }  # fmt: skip


def curves_from_dict(content: Mapping[str, Any]) -> Curves:
    """The curves that `curves_to_dict` described; null becomes NaN."""
    flops, overtrained = content["train_flops"], content["overtrained"]
    if content["target"] not in get_args(Target):
        raise unknown("target", content["target"], get_args(Target))
    runs = len(content["run_id"])
    shape = (runs, len(content["k"]))
    table = {key: np.array(content[key], dtype=float).reshape(shape) for key in ("value", "pass_at_k", "se")}
    return Curves(
        task=content["task"],
        run_id=tuple(content["run_id"]),
        N=np.array(content["n_params"], dtype=float).reshape(runs),
        D=np.array(content["n_tokens"], dtype=float).reshape(runs),
        k=np.array(content["k"], dtype=float),
        target=content["target"],
        train_flops=None if flops is None else np.array(flops, dtype=float),
        overtrained=None if overtrained is None else np.array(overtrained, dtype=bool),
        conventions=dict(content["conventions"]),
        data_hash=content["data_hash"],
        **table,
    )
