"""Fit the six constants of `t2scaling.costs.serving` to measured throughput, and write them with their provenance.

    python scripts/fit_serving.py [--bench argonne_llm_inference_bench.csv] [--write]

Two tables: tests/reference/serving_measured.csv (50 points of four sources, each named in its row) and, given by
--bench, LLM-Inference-Bench of Argonne (BSD-3), of which vLLM and TensorRT-LLM on NVIDIA GPUs are used. Rows that are
faster than the data sheet allows are left out and counted. Least Huber error (0.1) of the log of the prediction over
the measurement; a source of n rows weighs √n, so that the large one does not decide alone. Where the rows leave a
direction open (the models measured have 28 to 80 layers, so overhead per step and per layer are nearly one), a pull
of 0.002·(log ratio)² towards the starting values closes it.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from t2scaling.artefacts import write_json
from t2scaling.costs import Constants, Serving, Shape, n_params
from t2scaling.costs.shapes import TypicalShape

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "reference" / "serving_measured.csv"
TARGET = ROOT / "src" / "t2scaling" / "costs" / "serving_constants.json"
START = Constants(eta_w=0.79, eta_f=0.54, eta_kv=0.70, step=1e-3, layer=4e-5, exchange=7e-6)
IDEAL = Constants(eta_w=1, eta_f=1, eta_kv=1, step=0, layer=0, exchange=0)
PULL, HUBER = 0.002, 0.1
FIELDS = ("width", "depth", "n_heads", "n_kv_heads", "head_dim", "d_ff", "vocab_size")
BENCH = {"Nvidia GH200 GPU": "gh200", "Nvidia H100 GPU": "h100", "Nvidia A100 GPU": "a100-40gb"}
# width, depth, query heads, key-value heads, width of a head, d_ff, vocabulary: the models' config.json
SHAPES = {
    "meta-llama/Llama-2-7b-hf": Shape(4096, 32, 32, 32, 128, 11008, 32000),
    "meta-llama/Meta-Llama-3-8B": Shape(4096, 32, 32, 8, 128, 14336, 128256),
    "mistralai/Mistral-7B-v0.1": Shape(4096, 32, 32, 8, 128, 14336, 32000),
    "Qwen/Qwen2-7B": Shape(3584, 28, 28, 4, 128, 18944, 152064),
    "meta-llama/Llama-2-70b-hf": Shape(8192, 80, 64, 8, 128, 28672, 32000),
    "meta-llama/Meta-Llama-3-70B": Shape(8192, 80, 64, 8, 128, 28672, 128256),
    "Qwen/Qwen2-72B": Shape(8192, 80, 64, 8, 128, 29568, 152064),
}


@dataclass(frozen=True)
class Point:
    """One measurement: the settings, the shape, and answer tokens per second of the whole replica."""

    source: str
    label: str
    serving: Serving
    shape: Shape
    rate: float
    per_step: bool = False  # the rate is of decoding alone, prefill left out


def table() -> Iterator[Point]:
    """The points of the reference table."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            batch = row["batch"] if row["batch"] == "max" else float(row["batch"])
            serving = Serving(
                gpu=row["gpu"], tp=int(row["tp"]), weights=row["precision"], cache=row["precision"],
                prompt_tokens=float(row["prompt_tokens"]), answer_tokens=float(row["answer_tokens"]), batch=batch,
                constants=START,
            )  # fmt: skip
            shape = Shape(**{name: int(row[name]) for name in FIELDS})
            label = f"{row['model']} {row['gpu']}×{row['tp']} {row['prompt_tokens']}/{row['answer_tokens']}"
            step = row["measured"] == "seconds_per_token"
            rate = 1 / float(row["value"]) if step else float(row["value"])
            yield Point(row["source"], label, serving, shape, rate, step)


def bench(path: Path) -> Iterator[Point]:
    """LLM-Inference-Bench: tokens in and out per second over a batch, as many in as out."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            gpu, shape = BENCH.get(row["Hardware"]), SHAPES.get(row["Model"])
            if gpu is None or shape is None or row["Framework"] not in ("vLLM", "TensorRT-LLM"):
                continue
            length, batch = float(row["Input Output Length"]), float(row["Batch Size"])
            serving = Serving(
                gpu=gpu, tp=int(row["Num of Hardware"]), prompt_tokens=length, answer_tokens=length, batch=batch,
                constants=START,
            )  # fmt: skip
            label = f"{row['Model']} {gpu}×{serving.tp} {length:g}/{length:g} batch {batch:g} {row['Framework']}"
            yield Point(f"Argonne {row['Framework']}", label, serving, shape, float(row["Throughput"]) / 2)


class Predictor:
    """Predicted rates of many points: those with the same settings at once, their shapes as arrays."""

    def __init__(self, points: list[Point]) -> None:
        self.points = points
        groups: dict[tuple[Serving, bool], list[int]] = defaultdict(list)
        for index, point in enumerate(points):
            groups[point.serving, point.per_step].append(index)
        self.groups = [(key, np.array(index), self._stack(index)) for key, index in groups.items()]

    def _stack(self, index: list[int]) -> TypicalShape:
        return TypicalShape(
            **{name: np.array([float(getattr(self.points[i].shape, name)) for i in index]) for name in FIELDS}
        )

    def __call__(self, constants: Constants) -> np.ndarray:
        rates = np.empty(len(self.points))
        for (serving, per_step), index, shape in self.groups:
            now = replace(serving, constants=constants)
            rates[index] = 1 / now.seconds_per_token(shape) if per_step else now.tokens_per_second(shape)
        return rates


def fit(points: list[Point]) -> Constants:
    """The constants of least objective (see the module)."""
    predict, measured = Predictor(points), np.array([point.rate for point in points])
    sources = np.array([point.source for point in points])
    weight = np.array([np.sum(sources == source) ** -0.5 for source in sources])
    weight /= weight.sum()
    start = np.log(list(asdict(START).values()))

    def objective(logs: np.ndarray) -> float:
        error = np.abs(np.log(predict(Constants(*np.exp(logs))) / measured))
        huber = np.where(error < HUBER, error**2 / (2 * HUBER), error - HUBER / 2)
        return float(weight @ huber + PULL * np.sum((logs - start) ** 2))

    found = minimize(objective, start, method="Nelder-Mead", options={"maxiter": 3000, "xatol": 1e-4, "fatol": 1e-8})
    return Constants(*(float(f"{value:.4g}") for value in np.exp(found.x)))


def errors(points: list[Point], constants: Constants) -> dict[str, dict[str, float]]:
    """Per source: points, median |error|, median error, share within a factor of two."""
    ratio = Predictor(points)(constants) / np.array([point.rate for point in points])
    sources = np.array([point.source for point in points])
    rows = {}
    for source in (*dict.fromkeys(sources), "all"):
        here = ratio[sources == source] if source != "all" else ratio
        rows[source] = {
            "points": len(here),
            "median_abs_error": float(f"{np.median(np.abs(here - 1)):.3g}"),
            "median_error": float(f"{np.median(here - 1):.3g}"),
            "within_factor_two": float(f"{np.mean(np.abs(np.log(here)) < np.log(2)):.3g}"),
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, help="the table of LLM-Inference-Bench; without it the first alone")
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    options = parser.parse_args()
    points = [*table(), *(bench(options.bench) if options.bench else ())]
    ideal = Predictor(points)(IDEAL)
    possible = [point for point, most in zip(points, ideal, strict=True) if point.rate <= 1.02 * most]
    for point, most in zip(points, ideal, strict=True):
        if point.rate > 1.02 * most:
            print(f"left out, faster than the data sheet allows ({point.rate / most:.1f}×): {point.label}")
    constants = fit(possible)
    report = errors(possible, constants)
    print(json.dumps({"constants": asdict(constants), "errors": report}, indent=1))
    ratio = Predictor(possible)(constants) / np.array([point.rate for point in possible])
    for point, r in zip(possible, ratio, strict=True):
        if point.serving.tp <= 2 and not 0.5 < r < 2:
            print(f"off by {r:.2f}×: {point.label} ({n_params(point.shape):.3g} parameters)")
    if options.write:
        provenance = {
            "fitted_by": "scripts/fit_serving.py",
            "sources": "tests/reference/serving_measured.csv (each row names its own); "
            "argonne-lcf/LLM-Inference-Bench (BSD-3), vLLM and TensorRT-LLM on A100 40 GB, H100 and GH200",
            "left_out": len(points) - len(possible),
        }
        write_json(TARGET, {"constants": asdict(constants), "provenance": provenance, "errors": report})


if __name__ == "__main__":
    main()
