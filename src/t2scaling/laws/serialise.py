"""Curves to plain dictionaries and back, and laws from theirs; used by fit.json and by published laws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from t2scaling.errors import DataError, unknown
from t2scaling.laws.base import Law
from t2scaling.laws.measurements import Curves, Target
from t2scaling.laws.registry import LAWS


def law_from_dict(content: Mapping[str, Any]) -> Law:
    """The law that `Law.to_dict` described. Raises DataError where a name or a parameter is missing."""
    name = content.get("name")
    if name not in LAWS:
        raise DataError(f"`name` = {name!r} is no law: expected one of {', '.join(LAWS)}.")
    return LAWS[name].from_dict(content)


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
