"""The core knows no torch: with it and its friends hidden, everything from a table to a page works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import t2scaling

PROGRAM = """
import sys

from importlib.machinery import PathFinder

HIDDEN = {"torch", "transformers", "tokenizers", "datasets", "safetensors", "lm_eval", "ray"}
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] in HIDDEN else find(name, *rest)

import t2scaling as t2
from t2scaling.cli.main import run

for name in t2.__all__:
    getattr(t2, name)
fit = t2.fit(t2.read("world"), law="loss", task="causal", k=[1, 2, 4])
plan = t2.plan(fit, train_flops=2e12, inference_flops=1e6)
assert t2.report(fit, plan, path="page.html").stat().st_size > 100_000
assert run(["suite", "tiny", "--dry-run"]) == 0
assert run(["laws"]) == 0
codes = {verb: run(words) for verb, words in {
    "pretrain": ["pretrain", "tiny"],
    "posttrain": ["posttrain", "nowhere", "--task", "causal"],
    "evaluate": ["evaluate", "nowhere", "--tasks", "causal"],
}.items()}
assert not [name for name in HIDDEN if name in sys.modules]
print(codes)
"""


def test_everything_but_the_testbed_runs(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(t2scaling.__file__).parents[1])}
    program = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "{'pretrain': 2, 'posttrain': 2, 'evaluate': 2}"
    for line in (line for line in done.stderr.splitlines() if line.startswith("t2: ")):
        assert "[train]" in line or "nowhere" in line
    assert "Traceback" not in done.stderr
