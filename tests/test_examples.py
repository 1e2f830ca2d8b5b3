"""Every example runs as it stands, with warnings as errors, and prints what it promises."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PROMISES = {
    "01_plan_from_a_published_law.py": [
        "No plan: ",
        "Within what was measured: train ",
        "Within the data:",
        "Over a lifetime:",
        "Chinchilla:",
    ],
    "02_fit_your_own_csv.py": ["simulated", "accuracy law:", "loss law:", "k = 100", "report: "],
    "03_import_harness_logs.py": ["12 runs × 1 task", "60 of 60 rows", "The fit converged.", "Train "],
    "04_bootstrap_and_frontier.py": ["checkpoints", "90% of the refits", "extrapolated", "figure: "],
    "05_a_law_of_your_own.py": ["gamma", "product law: N "],
    "06_what_serving_costs.py": ["At 0.001 cents per query", "ours: N ", "2·N·k: N ", "per dollar"],
    "07_strategies_without_an_oracle.py": ["share solved with k samples", "verifier:tpr=.9,fpr=.05", "per dollar"],
}


def test_every_example_is_listed():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PROMISES)


@pytest.mark.parametrize("name", list(PROMISES))
def test_example_runs(name, tmp_path):
    # TMPDIR: what an example leaves in a temporary folder goes with the test's own.
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=600,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    for promise in PROMISES[name]:
        assert promise in done.stdout
    written = [
        line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith(("report: ", "figure: "))
    ]
    assert all(Path(path).stat().st_size > 10_000 for path in written)


def shown(source: str, names: dict[str, Any]) -> Any:
    """What a notebook shows of a cell: the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.slow
def test_the_notebook_runs_and_its_results_show_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "06_notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    names: dict[str, Any] = {}
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    *results, page = [shown(cell, names) for cell in cells]
    observations, fit, plan, frontier, mix = [result._repr_html_() for result in results]
    assert "causal" in observations
    assert "converged" in fit
    assert names["plan"].sentence()[:20] in plan
    assert frontier.count("<tr>") >= 3
    assert results[-1].task == "causal 0.667 + spatial 0.333"
    assert results[-1].sentence()[:20] in mix
    assert page.stat().st_size > 100_000
