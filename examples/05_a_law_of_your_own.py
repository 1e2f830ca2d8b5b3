"""A law from outside the package: one class, registered, fitted, saved, read back and planned with.

    python examples/05_a_law_of_your_own.py [FOLDER]

The law: −log pass@k = (A·N^−alpha + B·D^−beta + E) · k^−gamma, so that samples shrink the whole loss and not one term
of it. It is a Chinchilla form x(N, D) times a power of k, which is all that a plan asks for: the score and its slopes.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import t2scaling as t2
from t2scaling.laws import ChinchillaLaw, FitData, FitOptions, Law, Solutions, register


@register
@dataclass(frozen=True)
class ProductLaw(Law):
    """−log pass@k = (E + A·N^−alpha + B·D^−beta)·k^−gamma."""

    E: float
    A: float
    alpha: float
    B: float
    beta: float
    gamma: float

    name: ClassVar[str] = "product"
    label: ClassVar[str] = "product law"
    formula: ClassVar[str] = "−log pass@k = (E + A·N^−α + B·D^−β)·k^−γ"
    parameter_names: ClassVar[tuple[str, ...]] = ("E", "A", "alpha", "B", "beta", "gamma")
    metric: ClassVar = "neg_log_pass_at_k"

    @property
    def parameters(self) -> dict[str, float]:
        return asdict(self)

    @property
    def training_law(self) -> ChinchillaLaw:
        return ChinchillaLaw(self.E, self.A, self.alpha, self.B, self.beta)

    def predict(self, N: Any, D: Any, k: Any = 1.0, metric: Any = None) -> np.ndarray:
        if metric not in (None, self.metric):
            raise self.cannot_say(metric, self.metric)
        return self.training_law.predict(N, D) * np.asarray(k, dtype=float) ** -self.gamma

    def score(self, loss: np.ndarray, log_k: np.ndarray) -> np.ndarray:
        return loss * np.exp(-self.gamma * log_k)

    def slopes(self, loss: np.ndarray, log_k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shrunk = np.exp(-self.gamma * log_k)
        return shrunk, -self.gamma * loss * shrunk

    @classmethod
    def fit(cls, data: FitData, options: FitOptions, warm: np.ndarray | None = None) -> Solutions:
        """Chinchilla's law at k = 1, then gamma from the slope of log value in log k (ordinary least squares)."""
        first = ChinchillaLaw.fit(data, options, warm)
        log_k = np.log(data.k) - np.log(data.k).mean()
        logs = np.log(data.value)  # (B, R, K)
        gamma = -np.nanmean((logs - logs.mean(axis=2, keepdims=True)) @ log_k, axis=1) / (log_k @ log_k)
        return Solutions(np.column_stack([first.parameters, gamma]), first.value, first.converged)

    @classmethod
    def from_vector(cls, values: Any, target: str | None = None) -> ProductLaw:
        return cls(*values)


def main(folder: Path) -> None:
    suite = t2.load_suite("simulated")
    fit = t2.fit(suite, law="product", task="sciq", k=[1, 2, 4, 8, 16])
    for row in fit.summary():
        print(f"{row['parameter']:6s} {row['value']:.4g}")
    again = t2.FitResult.load(fit.save(folder / "fit-product.json"))
    plan = t2.plan(again, train_flops=2.56e19, inference_flops=2e9)
    print(f"{again.law.label}: N {plan.n_params:.3g}, D {plan.n_tokens:.3g}, k {plan.k:.3g}")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    main(target)
