"""A small table of measurements, its fit and a plan from it, as files."""

from __future__ import annotations

import pytest

from t2scaling.cli.main import run

NAMES = "run_id,n_params,n_tokens,task,question_id,nll"


def write_table(task: str = "arc", run_id: str = "run") -> str:
    """A CSV of 16 runs × 4 questions."""
    rows = [NAMES]
    for i, N in enumerate((1e6, 4e6, 2e7, 9e7)):
        for j, D in enumerate((1e8, 4e8, 2e9, 9e9)):
            loss = 1 + 3e3 / N**0.5 + 1e3 / D**0.4
            rows += [f"{run_id}{i}{j},{N},{D},{task},q{q},{loss * (1 + q / 9)}" for q in range(4)]
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with runs.csv, its fit.json and a plan.json."""
    path = tmp_path_factory.mktemp("errors")
    (path / "runs.csv").write_text(write_table())
    assert run(["fit", str(path / "runs.csv"), "--law", "loss", "--k", "1,2,4", "-o", str(path / "fit.json")]) == 0
    budget = ["--train-flops", "1e17", "--inference-flops", "1e8"]
    assert run(["plan", str(path / "fit.json"), *budget, "-o", str(path / "plan.json")]) == 0
    return path


@pytest.fixture(scope="session")
def table():
    """The text of such a CSV, for names of one's own."""
    return write_table
