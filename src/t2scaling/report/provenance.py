"""Where the numbers of a page come from, and its data as files to download."""

import csv
import io
import json
import math
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import numpy as np

from t2scaling import __version__
from t2scaling.allocate import Plan
from t2scaling.artefacts import dumps
from t2scaling.laws import FitResult, PublishedLaw
from t2scaling.laws.measurements import Curves
from t2scaling.report.planner import file_of
from t2scaling.report.runs import train_flops

MOST_BYTES = 700_000  # of downloads, from which on fits of single tasks are left out


def provenance(fits: Sequence[FitResult | PublishedLaw], command: str | None) -> list[tuple[str, str]]:
    """Where the numbers come from, as (what, value)."""
    import matplotlib
    import scipy

    fit = fits[0]
    if isinstance(fit, FitResult):
        origin = [("data (SHA-256)", fit.data_hash), ("seed", str(fit.seed))]
    else:
        origin = [("source", fit.citation)]
    rows = [
        ("command", command or ""),
        *origin,
        ("task", fit.task),
        ("conventions", "; ".join(f"{key}: {value}" for key, value in fit.conventions.items() if key != "statement")),
        ("t2scaling", __version__),
        (
            "with",
            f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
            f"matplotlib {matplotlib.__version__}",
        ),
        ("written", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("method", "Roberts et al. 2026, Test-Time Scaling Makes Overtraining Compute-Optimal, arXiv 2604.01411"),
    ]
    return [(name, value) for name, value in rows if value]


def downloads(laws: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan]) -> list[tuple[str, str]]:
    """(file name, data: link) of each plan, each fit and the runs behind the first fit.

    Fits of single tasks, beyond those that have a plan, go along as far as the page stays light.
    """
    named = zip(laws, plans, strict=False)  # fits of single tasks have no plan of their own here
    links = [(file_of(law).replace("fit-", "plan-"), _link("application/json", plan.to_json())) for law, plan in named]
    links += [(file_of(law), _link("application/json", _short(law))) for law in laws[: len(plans)]]
    for law in laws[len(plans) :]:
        if sum(len(link) for _, link in links) < MOST_BYTES:
            links.append((file_of(law), _link("application/json", _short(law))))
    runs = [("runs.csv", _link("text/csv", runs_csv(law.curves))) for law in laws[:1] if isinstance(law, FitResult)]
    return [*links, *runs]


def runs_csv(curves: Curves) -> str:
    """One line per run and k: what the fit saw."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["run_id", "n_params", "n_tokens", "train_flops", "k", curves.target, "pass_at_k", "se"])
    flops = train_flops(curves)
    for run, name in enumerate(curves.run_id):
        for at, k in enumerate(curves.k):
            numbers = (curves.value[run, at], curves.pass_at_k[run, at], curves.se[run, at])
            facts = [f"{value:.9g}" for value in (curves.N[run], curves.D[run], flops[run], k)]
            writer.writerow([name, *facts, *("" if math.isnan(value) else f"{value:.9g}" for value in numbers)])
    return buffer.getvalue()


def _short(law: FitResult | PublishedLaw) -> str:
    """fit.json, its tables to ten significant digits: more than any measurement has, in half of the bytes."""
    content = json.loads(dumps(law.to_dict()))
    for name in ("curves", "residuals"):
        if name in content:
            text = dumps(content[name])
            content[name] = json.loads(text, parse_float=lambda number: float(f"{float(number):.10g}"))
    return dumps(content)


def _link(kind: str, text: str) -> str:
    # Numbers, which are nearly all of it, stay as they are; base64 would add a third.
    return f"data:{kind};charset=utf-8,{quote(text, safe=',:;/[]{}+*()=!$@')}"
