"""Import of a large table of outcomes, and a fit of the Parquet that it becomes: seconds and peak memory.

A CSV of 1,000 runs, one task and as many questions as make up the rows is generated, imported (`read` and `write`,
every check included), and the canonical Parquet is fitted. The reference reads the same CSV into a polars frame with
the types given and sorts it, no check made: what any import has to do. Each runs in a process of its own.
Run: python benchmarks/import_rows.py [rows]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 1000


def write_table(path: Path, rows: int) -> None:
    """A CSV of `rows` rows: losses fall with N and D, questions differ."""
    rng = np.random.default_rng(0)
    questions = rows // RUNS
    difficulty = rng.exponential(1, questions)
    with path.open("w") as file:
        file.write("run_id,n_params,n_tokens,task,question_id,nll\n")
        for run in range(RUNS):
            N, D = 1e6 * 2 ** (run % 10), 1e8 * 2 ** (run // 100) * (1 + run % 100 // 10)
            mean = 1 + 400 * N**-0.34 + 400 * D**-0.28
            losses = mean * (0.5 + difficulty / 2) * rng.uniform(0.9, 1.1, questions)
            file.writelines(f"run-{run:04d},{N:g},{D:g},sums,q{q:06d},{loss:.12g}\n" for q, loss in enumerate(losses))


def imported(path: Path) -> str:
    """`t2 import`: every check, the canonical Parquet written."""
    from t2scaling.observations import read

    observations = read(path)
    observations.write(path.with_suffix(".parquet"))
    return f"{observations.n_outcomes:,} outcomes"


def fitted(path: Path) -> str:
    """`t2 fit` of the canonical Parquet."""
    from t2scaling.laws import fit
    from t2scaling.observations import read

    return f"E = {fit(read(path.with_suffix('.parquet')), 'chinchilla').law.E:.4g}"


def plain(path: Path) -> str:
    """The reference: polars alone, types given, nothing checked."""
    import polars as pl

    types = {"n_params": pl.Float64, "n_tokens": pl.Float64, "nll": pl.Float64}
    frame = pl.read_csv(path, schema_overrides=types).sort("task", "run_id", "question_id")
    frame.write_parquet(path.with_suffix(".plain.parquet"), compression="zstd")
    return f"{len(frame):,} rows"


def timed(which: str, path: Path) -> tuple[float, float, str]:
    """Seconds, peak memory in MB and what was found, from a process of its own."""
    done = subprocess.run([sys.executable, __file__, which, str(path)], capture_output=True, text=True, check=True)
    seconds, peak, found = json.loads(done.stdout)
    return seconds, peak, found


def measure(which: str, path: Path) -> None:
    """Run one of the three in this process and print what `timed` reads."""
    start = time.perf_counter()
    found = {"imported": imported, "fitted": fitted, "plain": plain}[which](path)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, found]))


def main(rows: int = 10_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, rows)
        size = path.stat().st_size / 1e6
        seconds, peak, found = timed("imported", path)
        reference, plain_peak, _ = timed("plain", path)
        fit_seconds, fit_peak, law = timed("fitted", path)
        print(
            f"import of {rows:,} rows of CSV ({size:.0f} MB): {seconds:.1f} s, peak memory {peak:.0f} MB ({found}); "
            f"polars alone {reference:.1f} s ({plain_peak:.0f} MB); ratio {reference / seconds:.2f}×; fit of the "
            f"Parquet {fit_seconds:.1f} s, peak memory {fit_peak:.0f} MB ({law})"
        )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("imported", "fitted", "plain"):
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main(*(int(float(argument)) for argument in sys.argv[1:2]))
