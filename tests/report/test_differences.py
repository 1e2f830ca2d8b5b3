"""The numbers of docs/differences.md are those that the program gives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from t2scaling.allocate import plan
from t2scaling.laws import fit
from t2scaling.observations import load_suite
from t2scaling.observations.simulated import TASK_LAWS
from t2scaling.units import format_number, parse_number

DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"
BUDGETS = ((2.56e19, 2e9), (1e25, 1.4e11))


def rows() -> dict[str, list[str]]:
    """First cell → the other cells of the table of k grids."""
    table = DOCUMENT.read_text(encoding="utf-8").partition("| largest k |")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {line[0]: line[1:] for line in cells}


@pytest.mark.parametrize("largest", ["30", "193 (the default)", "1,000", "10,000"])
def test_fits_over_other_k(largest):
    measured = load_suite("simulated").measurements("macro")
    top = float(re.split(r"[ ]", largest.replace(",", ""))[0])
    top = 2e9 / (2 * measured.N.min()) if top == 193 else top
    k = np.geomspace(1, top, 12)
    loss, accuracy = fit(measured, law="loss", k=k), fit(measured, law="accuracy", k=k)
    exponents = [f"{loss.law.parameters[name]:.3f}" for name in ("alpha", "beta", "gamma")]
    sizes = [
        format_number(plan(one, train_flops=C, inference_flops=inference).n_params)
        for one in (loss, accuracy)
        for C, inference in BUDGETS
    ]
    assert loss.law.parameters["E"] == 0
    assert rows()[largest] == ["0", *exponents, *sizes]


@pytest.mark.parametrize("at", [0, 1])
def test_truth_behind_the_simulated_suite(at):
    """The best N for either mean, by brute force over N with quantiles for questions."""
    C, inference = BUDGETS[at]
    N = np.geomspace(1e7, inference / 2, 1000)
    D, k = C / (6 * N), inference / (2 * N)
    z = ndtri((np.arange(400) + 0.5) / 400)
    passed, cost = np.zeros_like(N), np.zeros_like(N)
    for law in TASK_LAWS.values():
        nll = law.mean_nll(N, D)[:, None] * np.exp(law.spread * z - law.spread**2 / 2)
        rate = -np.expm1(k[:, None] * np.log1p(-np.exp(-nll)))
        passed += rate.mean(axis=1)
        cost -= np.log(rate).mean(axis=1)
    said = rows()["the truth"]
    assert parse_number(said[4 + at]) == pytest.approx(N[cost.argmin()], rel=0.015)
    assert parse_number(said[6 + at]) == pytest.approx(N[passed.argmax()], rel=0.015)
