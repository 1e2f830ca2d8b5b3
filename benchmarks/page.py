"""The page of `t2 report`, in Chromium: how long it takes to write, open and redraw, and how large it is.

Targets: a move of a slider redraws everything within 50 ms (median) and the file stays under 2 MB for the shipped
suite; 1,000 runs × 20 tasks open within 2 s and 10 MB; `t2 report` takes at most 10 s. Wall time is what a reader
waits; the processor time of the page's thread beside it says what a busy machine adds.

    python benchmarks/page.py [--synthetic RUNS TASKS]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

import t2scaling as t2
from t2scaling.report import report

MOVES = 30
K = (1, 4, 16, 64)
MOVE = "const s = document.getElementById('p-train'); s.value = Number(s.value) + arguments[0]; s.dispatchEvent(new Event('input')); return Number(document.getElementById('planner').dataset.milliseconds)"  # noqa: E501


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser that counts its processor time."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(600)
    driver.set_script_timeout(600)
    driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    try:
        yield driver
    finally:
        driver.quit()


def thread_seconds(driver: Any) -> float:
    """Processor time of the page's main thread so far."""
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def measured(driver: Any, page: Path, state: str = "") -> dict[str, float]:
    """Opening and redrawing one page."""
    driver.get("about:blank")
    begun = time.perf_counter()
    driver.get(f"file://{page}#{state}")
    opened = time.perf_counter() - begun
    busy = thread_seconds(driver)
    moves = [driver.execute_script(MOVE, 0.05 if i % 2 else -0.03) for i in range(MOVES)]
    return {
        "megabytes": page.stat().st_size / 1e6,
        "opens_in_s": opened,
        "opens_in_processor_s": busy,
        "redraw_median_ms": median(moves),
        "redraw_processor_ms": 1000 * (thread_seconds(driver) - busy) / MOVES,
    }


def written(observations: Any, path: Path, train: float, serve: float) -> float:
    """Seconds of processor time to write a page of two laws (the fits are not counted)."""
    fits = [t2.fit(observations, law=law, task="macro", k=K, bootstrap=30) for law in ("accuracy", "loss")]
    begun = time.process_time()
    report(fits[0], path=path, extra_fits=fits[1:], observations=observations, train_flops=train, inference_flops=serve)
    return time.process_time() - begun


def synthetic(runs: int, tasks: int, questions: int = 8) -> Any:
    """Counts drawn from a stated law: `runs` models, `tasks` tasks of `questions` questions, 64 samples each."""
    rng = np.random.default_rng(0)
    N = np.geomspace(1e7, 1e10, 25)[np.arange(runs) % 25]
    D = N * np.geomspace(5, 500, -(-runs // 25))[np.arange(runs) // 25]
    hard = rng.uniform(2.6, 3.4, tasks)
    loss = 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28
    mean = 0.9 / (1 + np.exp(2.5 * (loss[:, None] - hard)))
    p = rng.beta(mean[..., None] * 2, (1 - mean[..., None]) * 2, (runs, tasks, questions))
    run, task, question = (index.ravel() for index in np.indices(p.shape))
    return t2.read(
        pl.DataFrame(
            {
                "run_id": [f"run-{i}" for i in run], "n_params": N[run], "n_tokens": D[run],
                "task": [f"task-{i}" for i in task], "question_id": [f"q{i}" for i in question],
                "n_samples": np.full(p.size, 64), "n_correct": rng.binomial(64, p).ravel(),
            }
        )
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--synthetic", nargs=2, type=int, metavar=("RUNS", "TASKS"), default=(1000, 20))
    sizes = parser.parse_args().synthetic
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        sys.exit("chromium and chromedriver are needed")
    suites = {
        "world": (t2.load_suite("world"), 3e12, 1e6),
        f"{sizes[0]} runs, {sizes[1]} tasks": (synthetic(*sizes), 1e21, 2e10),
    }
    with tempfile.TemporaryDirectory() as folder, chromium() as driver:
        for at, (name, (observations, train, serve)) in enumerate(suites.items()):
            page = Path(folder) / f"{at}.html"
            seconds = written(observations, page, train, serve)
            for state in ("", "mode=gpu", "mode=life"):
                found = {"report_processor_s": seconds, **measured(driver, page, state)}
                rounded = {key: round(value, 2) for key, value in found.items()}
                print(json.dumps({"page": name, "settings": state, **rounded}), flush=True)


if __name__ == "__main__":
    main()
