"""Anything may be killed at any moment: as much of `benchmarks/kill_anything.py` as every run of the tests affords."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).parents[3] / "benchmarks" / "kill_anything.py"


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (("study", "--kills", "5"), "5 kills in"),
        (("joiners", "--jobs", "80", "--joiners", "8"), "nothing lost, no two live holders"),
    ],
    ids=["study", "joiners"],
)
def test_what_is_killed_changes_nothing(arguments: tuple[str, ...], last: str) -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert last in done.stdout.splitlines()[-1]
