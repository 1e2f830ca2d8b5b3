"""Small mistakes put into a copy of the source, one at a time: which of them does no test see?

    python benchmarks/mutants.py              # all; prints survivors, exits 1 if there are any
    python benchmarks/mutants.py passk laws   # those in files whose path holds one of the words
    python benchmarks/mutants.py --list

Each mutant is (file, text that stands there once, text to put in its place, tests to run). A survivor is a mistake that a
person could make tomorrow: give it a test, or list it under `EQUIVALENT` with the reason why nothing can tell.
"""

# ruff: noqa: E501  # one mutant, one line
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = "src/t2scaling"

PASSK = "tests/test_passk.py tests/reference/test_passk.py"
CURVES = "tests/laws/test_curves.py"
OPTIMA = "tests/reference/test_optima.py tests/allocate/test_optimum.py"
PLANS = "tests/allocate/test_breakeven.py tests/allocate/test_problem.py tests/allocate/test_plan.py tests/allocate/test_optimum.py"
TABLES = (
    "tests/observations/test_tables.py tests/observations/test_properties.py tests/observations/test_measurements.py"
)

WORKERS = "tests/testbed/study/test_desk.py tests/testbed/study/test_workers.py"

MUTANTS: list[tuple[str, str, str, str]] = [
    ("passk.py", "(y - 0.5) * both - k * by_c", "(y + 0.5) * both - k * by_c", PASSK),
    ("passk.py", "inside = (n - c - k > -1) & (k <= n)", "inside = (n - c - k >= 0) & (k <= n)", PASSK),
    ("passk.py", "out = np.where(k > n, np.nan, 1.0)", "out = np.where(k > n, 1.0, 1.0)", PASSK),
    ("passk.py", "np.where(nll < 0.7, np.log(-np.expm1(-nll))", "np.where(nll < -1, np.log(-np.expm1(-nll))", PASSK),
    ("passk.py", "log_hazard = np.where(nll > _TINY_FROM, -nll,", "log_hazard = np.where(nll > 1e9, -nll,", PASSK),
    ("passk.py", "count / (count - 1.0)", "count / (count - 0.0)", PASSK),
    ("passk.py", "np.where(np.isnan(x), 0.0, w)", "np.where(np.isnan(x), 1.0, w)", PASSK),
    ("passk.py", "passed @ (share / share.sum())", "passed @ (share / len(share))", PASSK),
    ("laws/curves.py", "variance += (share.sum() * error) ** 2", "variance += share.sum() * error**2", CURVES),
    ("laws/curves.py", "mean += share.sum() * part", "mean += part", CURVES),
    ("laws/curves.py", "np.isnan(table) & (measurements.n[rows] > 0), axis=1)", "np.isnan(table), axis=1)", CURVES),
    ("laws/curves.py", "/ (~missing @ weight)).T)", "/ weight.sum(axis=0)).T)", CURVES),
    ("laws/curves.py", "np.where(passed < _TINY, nll - np.log(samples),", "np.where(passed < _TINY, nll,", CURVES),
    ("laws/curves.py", "value[~np.isfinite(value)] = np.nan\n    return Curves(", "return Curves(", CURVES),
    ("laws/isoflop.py", "inside.var(ddof=1)", "inside.var(ddof=0)", "tests/laws/test_fit.py tests/reference/test_accuracy.py"),
    ("laws/isoflop.py", "return weight / weight.mean()", "return weight", "tests/laws/test_fit.py"),
    ("laws/isoflop.py", "train_flops[index] > WIDTH * opened", "train_flops[index] > 3 * opened", "tests/laws/test_fit.py"),
    ("laws/bootstrap.py", "for label in np.unique(group):", "for label in [0]:", "tests/laws/test_curves.py tests/laws/test_fit.py"),
    ("laws/bootstrap.py", "SeedSequence(seed).spawn(replicates)", "SeedSequence(0).spawn(replicates)", "tests/laws/test_fit.py"),
    ("laws/chinchilla.py", "positive(\"train_flops\", train_flops) / 6", "positive(\"train_flops\", train_flops) / 5", OPTIMA),
    ("laws/chinchilla.py", "self.beta * np.log(np.asarray(product)) /", "self.alpha * np.log(np.asarray(product)) /", OPTIMA),
    ("laws/chinchilla.py", "N**-self.alpha + self.B * D**-self.beta", "N**-self.alpha + self.B * D**-self.alpha", OPTIMA),
    ("laws/loss.py", "ChinchillaLaw(self.E + self.G, self.A", "ChinchillaLaw(self.E, self.A", PLANS),
    ("laws/loss.py", "self.G * np.expm1(-self.gamma * log_k)", "self.G * np.exp(-self.gamma * log_k)", PLANS),
    ("laws/loss.py", "-self.gamma * self.G * np.exp", "self.gamma * self.G * np.exp", OPTIMA),
    ("laws/loss.py", "np.log((wanted - loss) / self.G + 1)", "np.log((wanted - loss) / self.G + 2)", PLANS),
    ("laws/naive.py", "k * self.theta[1] * spread / (1 - mean)", "k * self.theta[1] * spread", "tests/laws/test_slopes.py"),
    ("laws/success.py", "return mean * nu, (1 - mean) * nu", "return mean * nu, nu", "tests/reference/test_accuracy.py"),
    ("laws/success.py", "nan=0.0)", "nan=-1.0)", "tests/laws/test_slopes.py"),
    ("laws/support.py", "np.log(value / high), np.log(low / value)", "np.log(value / high), np.log(value / low)", "tests/laws/test_support.py"),
    ("laws/support.py", "low * (1 - SLACK)) & (value <= high * (1 + SLACK))", "low) & (value <= high)", "tests/laws/test_support.py"),
    ("laws/outcome.py", "(1 - level) / 2", "(1 - level)", "tests/laws/test_result.py tests/laws/test_fit.py"),
    ("allocate/problem.py", "self.limits.least_tokens(N)) * (1 - 1e-9)", "self.limits.least_tokens(N)) * 2", PLANS),
    ("laws/chinchilla.py", "np.log1p(served / D)) / self.alpha", "np.log1p(D / served)) / self.alpha", OPTIMA),
    ("laws/chinchilla.py", "np.where(np.asarray(self.A) > 0, product / served, 0.0)", "product / served", PLANS),
    ("allocate/problem.py", "np.where(binds, by_size - by_tokens, 0.0)", "np.where(binds, by_size, 0.0)", OPTIMA),
    ("allocate/problem.py", "on_edge = capped > N ", "on_edge = capped > np.inf ", PLANS),
    ("allocate/problem.py", "law.by_size(N) * served / (D + served)", "law.by_size(N)", PLANS),
    ("allocate/chinchilla.py", "np.floor(k * (1 + 1e-12))", "np.ceil(k * (1 + 1e-12))", PLANS),
    ("allocate/chinchilla.py", "ok = (k >= 1) & np.isfinite(N)\n    samples", "ok = (k > 0) & np.isfinite(N)\n    samples", PLANS),
    ("allocate/breakeven.py", "np.where(reached, -served, 0.0)", "np.where(reached, served, 0.0)", PLANS),
    ("allocate/breakeven.py", "cost.train(1, 1) / (weight * cost.serve(1, 1))", "cost.train(1, 1) / cost.serve(1, 1) * weight", PLANS),
    ("allocate/breakeven.py", "return float(best) if np.isfinite(best) else None", "return float(best)", PLANS),
    ("costs/flops.py", "return 6 * np.asarray(N, dtype=float) * np.asarray(D", "return 4 * np.asarray(N, dtype=float) * np.asarray(D", "tests/reference/test_costs.py"),
    ("costs/flops.py", "return 4 * shape.depth * shape.n_heads", "return 2 * shape.depth * shape.n_heads", "tests/reference/test_costs.py tests/costs"),
    ("costs/memory.py", "return 2 * shape.depth * shape.n_kv_heads", "return 2 * shape.depth * shape.n_heads", "tests/reference/test_costs.py tests/costs"),
    ("costs/money.py", "* self.utilisation * 3600", "/ self.utilisation * 3600", "tests/reference/test_costs.py tests/costs/test_money.py"),
    ("costs/money.py", "require(1e-9 <= share <= 1,", "require(0 <= share <= 1,", "tests/costs/test_money.py"),
    ("observations/shared.py", "value = runs * questions", "value = runs + questions", TABLES),
    ("observations/shared.py", "leader = int(np.lexsort((runs, value))[-1])\n        if", "leader = int(np.lexsort((-runs, value))[-1])\n        if", TABLES),
    ("observations/shared.py", "(sizes > 0).all(axis=1)", "(sizes > 0).any(axis=1)", TABLES),
    ("observations/checks.py", "torn = spread.filter(pl.col(name) > 1)", "torn = spread.filter(pl.col(name) > 2)", TABLES),
    ("observations/checks.py", "is_between(0, MOST, closed=\"right\")", "is_between(0, MOST)", "tests/observations/test_refusals.py"),
    ("foreign/parquet.py", "sum(map(len, lazy.collect_batches())) != rows", "sum(map(len, lazy.collect_batches())) > rows", "tests/observations/test_refusals.py"),
    ("laws/fit.py", "options.bootstrap_over == \"questions\"", "options.bootstrap_over == \"none\"", "tests/observations/test_results.py"),
    ("artefacts.py", "            os.fsync(file.fileno())\n", "            pass\n", "tests/test_artefacts.py"),
    ("artefacts.py", "temporary.chmod(0o666 & ~umask)", "pass", "tests/test_artefacts.py"),
    ("artefacts.py", "temporary.unlink(missing_ok=True)", "pass", "tests/test_artefacts.py"),
    ("artefacts.py", "return value if math.isfinite(value) else None", "return value", "tests/test_artefacts.py tests/test_design.py"),
    ("units.py", "rounded = float(f\"{value:.{digits - 1}e}\")", "rounded = value", "tests/test_units.py"),
    ("report/agreement.py", "(off / seen).mean()", "(off / seen).max()", "tests/report/test_observed.py"),
    ("report/runs.py", "np.where(k >= 1 - 1e-9, np.maximum(k, 1.0), np.nan)", "np.where(k > 1, k, np.nan)", "tests/report/test_runs.py tests/report/test_observed.py"),
    ("report/observed.py", "point <= log_k[known][-1] * (1 + 1e-9)", "True", "tests/report/test_observed.py"),
    ("report/results/findings.py", "theirs[loss[theirs].argmin()]", "theirs[loss[theirs].argmax()]", "tests/report/test_results.py"),
    ("testbed/lease.py", "        if not expired(lock):\n            return None\n", "", WORKERS),
    ("testbed/lease.py", "if self._lost.is_set() or not self._extend():", "if self._lost.is_set():", WORKERS),
    ("testbed/study/desk.py", "(State.FAILED, State.BLOCKED)", "(State.FAILED,)", WORKERS),
    ("testbed/study/desk.py", "return done and not any(", "return done or not any(", WORKERS),
    ("testbed/study/desk.py", "by_id[name].cost + max((chain[after]", "by_id[name].cost + min((chain[after]", WORKERS),
]  # fmt: skip

# Text that stands → why no test can tell.
EQUIVALENT: dict[str, str] = {
    "nan=0.0)": "a guard: success that underflows is 0 before the sum, so that no loss up to infinity gives a NaN",
}


def main() -> int:
    """Apply each mutant in a copy, run its tests, print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("words", nargs="*", help="only mutants in files whose path holds one of these")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    given = parser.parse_args()
    chosen = [one for one in MUTANTS if not given.words or any(word in one[0] for word in given.words)]
    if given.list:
        print("\n".join(f"{file}: {_line(old)} → {_line(new)}" for file, old, new, _ in chosen))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests", "docs", "examples", "scripts", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
            shutil.copy(ROOT / name, copy / name)
        outcomes = [_try(copy, *one) for one in chosen]
    counts = {name: outcomes.count(name) for name in ("killed", "SURVIVES", "stale", "equivalent")}
    print(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return 1 if counts["SURVIVES"] or counts["stale"] else 0


def _try(copy: Path, file: str, old: str, new: str, tests: str) -> str:
    """killed, SURVIVES, stale (the text is not there once) or equivalent; printed as well."""
    path = copy / SOURCE / file
    text = path.read_text()
    began, found = time.monotonic(), ""
    if old in EQUIVALENT:
        outcome = "equivalent"
    elif text.count(old) != 1:
        outcome = "stale"
    else:
        path.write_text(text.replace(old, new))
        try:
            found = _seen_by(copy, tests)
            outcome = "killed" if found else "SURVIVES"
        finally:
            path.write_text(text)
    print(f"{outcome:10} {time.monotonic() - began:5.0f} s  {file}: {_line(old)} → {_line(new)}  {found}", flush=True)
    return outcome


def _seen_by(copy: Path, tests: str) -> str:
    """The first test that fails, or nothing where all pass."""
    program = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests.split()]
    env = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(program, cwd=copy, env=env, capture_output=True, text=True, check=False)
    failed = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return "" if done.returncode == 0 else (failed or [f"exit code {done.returncode}"])[0]


def _line(text: str) -> str:
    return " ".join(text.split())[:70]


if __name__ == "__main__":
    sys.exit(main())
