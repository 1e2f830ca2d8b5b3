"""A small simulated suite, fitted once for all tests of the report."""

from __future__ import annotations

import pytest

from t2scaling.laws import FitResult, fit
from t2scaling.observations import Observations
from t2scaling.observations.simulated import CONVENTIONS, simulate


@pytest.fixture(scope="session")
def simulated() -> Observations:
    frame = simulate(questions=30, tasks=["lambada_openai", "causal"])
    return Observations.from_frame(frame, CONVENTIONS)


@pytest.fixture(scope="session")
def loss_fit(simulated: Observations) -> FitResult:
    return fit(simulated, law="loss", task="macro", inference_flops=2e9, bootstrap=6, jobs=1)


@pytest.fixture(scope="session")
def accuracy_fit(simulated: Observations) -> FitResult:
    return fit(simulated, law="accuracy", task="macro", inference_flops=2e9)


@pytest.fixture(scope="session")
def chinchilla_fit(simulated: Observations) -> FitResult:
    return fit(simulated, law="chinchilla", task="macro")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without figures, for tests of their words: drawing takes most of the time."""
    monkeypatch.setattr("t2scaling.report.page.drawings", lambda laws, plans, budget, guess: [])
