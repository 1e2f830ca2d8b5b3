"""The page's own planner: what its script needs to plan exactly as `t2 plan` does, and the script itself.

The script (assets/planner/*.mjs) is plain modules, joined here into one. It solves from stored parameters, so that
every slider gives the optimum and not an interpolation; at most `MOST_DRAWS` refits of the bootstrap go along.
"""

import base64
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from t2scaling.allocate import Plan
from t2scaling.allocate.plan import REACH
from t2scaling.costs import GPUS, Serving
from t2scaling.costs.money import TRAIN_UTILISATION
from t2scaling.costs.serving import MEMORY_SHARE, PRECISIONS
from t2scaling.costs.shapes import DEPTH_FACTOR, DEPTH_POWER, FF_RATIO, HEAD_DIM, KV_WIDTH, VOCABULARY
from t2scaling.laws import FitResult, PublishedLaw
from t2scaling.laws.measurements import Curves

MOST_DRAWS = 200
MOST_CELLS = 2000
# In the order in which one needs the other.
MODULES = (
    "special", "laws", "strategies", "costs", "search", "optimum", "format", "state", "answer", "chart", "figures",
    "app",
)  # fmt: skip
PRESETS = (
    {"name": "the paper's (2.56e19, 2e9)", "settings": {"mode": "tokens", "train": 2.56e19, "serve": 2e9}},
    {"name": "one GPU-week", "settings": {"mode": "tokens", "train": 3e20}},
    {"name": "70B-class serving", "settings": {"mode": "tokens", "serve": 1.4e11}},
)
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)


def script() -> str:
    """All modules as one script, in a scope of its own."""
    folder = files("t2scaling.report") / "assets" / "planner"
    parts = [(folder / f"{name}.mjs").read_text(encoding="utf-8") for name in MODULES]
    body = "\n".join(re.sub(r"^export ", "", _IMPORT.sub("", part), flags=re.MULTILINE) for part in parts)
    return f'(() => {{\n"use strict";\n{body}\nstart();\n}})();\n'


def content_policy(code: str) -> str:
    """The page's Content-Security-Policy: this script alone, styles and pictures of its own, nothing from anywhere."""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"


def planner_data(
    laws: Sequence[FitResult | PublishedLaw],
    plan: Plan,
    inference_flops: float,
    guess: Any = None,
    votes: Mapping[str, Mapping[str, list[float | None]]] | None = None,
) -> dict[str, Any]:
    """Everything the script knows, as plain values.

    inference_flops   where the serving slider starts
    guess             what a guesser reaches at each k of the first fit, where the data tell
    votes             {task: {run: what a majority vote reached at each k}}, where answers were counted
    """
    chosen = plan.optimum if plan.optimum.exists else plan.chinchilla
    spent = plan.budget.get("train_flops") or chosen.train_flops
    curves = getattr(laws[0], "curves", None)
    serve = Serving(unit="dollars")
    served = float(f"{spent / max(chosen.inference_flops, 1.0):.3g}") if chosen.inference_flops > 0 else 1e9
    per_query = float(serve.serve(chosen.n_params, 1.0))
    return {
        "laws": [_law(law, (votes or {}).get(law.task, {})) for law in laws],
        "tasks": tasks_of(laws),
        "k": [1.0] if curves is None else curves.k,
        "guess": guess,
        "gpus": {
            gpu.name: {
                "peak": {name: value for name in ("bf16", "fp8", "int8") if (value := getattr(gpu, name)) is not None},
                "bandwidth": gpu.bandwidth, "memory": gpu.memory, "link": gpu.link, "dollars": gpu.dollars_per_hour,
            }
            for gpu in GPUS.values()
        },
        "rule": {
            "depth_factor": DEPTH_FACTOR, "depth_power": DEPTH_POWER, "ff_ratio": FF_RATIO, "head_dim": HEAD_DIM,
            "kv_width": KV_WIDTH, "vocab_size": VOCABULARY,
        },
        "constants": vars(serve.constants),
        "serving": {
            "tp": serve.tp, "step_seconds": None, "shared_prompt": True, "shared_reads": False, "total_per_active": 1,
            "most_sequences": serve.most_sequences, "memory_share": MEMORY_SHARE,
            "precisions": {name: size for name, (size, units) in PRECISIONS.items() if name == units},
            "train_utilisation": TRAIN_UTILISATION,
        },
        "start": {
            "law": 0, "weights": "", "train": float(f"{spent:.10g}"), "mode": "tokens", "serve": inference_flops,
            "total": float(f"{2 * spent:.3g}"), "served": served, "gpu": "h100",
            "precision": "bf16", "prompt": 500.0, "answer": 300.0, "batch": "max", "price": 0.0,
            "query": float(f"{10 * per_query if math.isfinite(per_query) else 1e-3:.1e}"), "queries": 1e9,
            "strategy": "oracle", "tpr": 0.9, "fpr": 0.05, "auc": 0.8, "sizes": "", "maxTokens": 0.0, "integerK": False,
        },
    }  # fmt: skip


def tasks_of(laws: Sequence[FitResult | PublishedLaw]) -> list[int]:
    """Which of the laws the page can mix: those of single tasks that are of the first law's kind, one per task."""
    alone = {law.task: i for i, law in enumerate(laws) if law.law.name == laws[0].law.name and law.task != "macro"}
    return list(alone.values()) if len(alone) > 1 else []


def _law(fit: FitResult | PublishedLaw, votes: Mapping[str, list[float | None]]) -> dict[str, Any]:
    law, curves = fit.law, getattr(fit, "curves", None)
    draws: Any = () if fit.bootstrap is None else fit.bootstrap.samples[:MOST_DRAWS]
    return {
        "name": law.name,
        "label": law.label,
        "task": fit.task,
        "file": file_of(fit),
        "training": law.training_law.parameters,
        "parameters": law.parameters,
        "target": getattr(fit, "target", None),
        "draws": [[float(f"{value:.8g}") for value in row] for row in draws],
        "support": {axis: list(ends) for axis, ends in fit.support.items()},
        "trusted": REACH,
        "heldOut": _held_out(fit),
        "refused": "" if isinstance(fit, PublishedLaw) or fit.status.usable else fit.status.value,
        "cells": [] if curves is None else _cells(curves, law.observed(curves), votes),
    }


def file_of(fit: FitResult | PublishedLaw) -> str:
    """The name that the page gives a fit as a file; a published law has its own."""
    task = re.sub(r"[^\w.-]+", "_", fit.task)[:40]
    return str(getattr(fit, "name", f"fit-{fit.law.name}-{task}.json"))


def _cells(curves: Curves, observed: Any, votes: Mapping[str, list[float | None]]) -> list[dict[str, Any]]:
    """One per run: where it lies, and what was measured at each k, in the law's own metric; and what a vote reached."""
    rows = zip(curves.run_id, curves.N, curves.D, observed, strict=True)
    return [
        {"run": run, "N": N, "D": D, "values": [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]}
        | ({"majority": votes[run]} if run in votes else {})
        for run, N, D, values in list(rows)[:MOST_CELLS]
    ]


def _held_out(fit: FitResult | PublishedLaw) -> float | None:
    """Held-out relative error in the law's own metric, where some runs could be hidden."""
    quality = getattr(fit, "quality", None)
    return None if quality is None else quality.held_out.get(fit.law.metric)
