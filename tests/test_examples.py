"""Every example runs as it stands, with warnings as errors, and prints what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
