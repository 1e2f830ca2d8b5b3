"""Make the fitted laws that ship with the package: `python scripts/publish_laws.py COUNTS.parquet`.

COUNTS holds the repeated samples that Schaeffer et al. drew from the Pythia suite on GSM8K: run_id, n_params,
n_tokens, task, question_id, n_samples, n_correct. The laws go to src/t2scaling/laws/data, one JSON each, with what
was left out and why, how well the law does on runs it has not seen, and the command that fits it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from t2scaling.artefacts import sha256, write_text
from t2scaling.laws import Curves, FitResult, PublishedLaw, curves, fit
from t2scaling.observations import read

DATA = Path(__file__).parents[1] / "src" / "t2scaling" / "laws" / "data"
K = (1, 2, 4, 8, 16, 32, 64, 128)
FEWEST_TOKENS, SMALLEST_KEPT = 2e9, 7e7

CITATION = (
    "fitted by t2scaling to the samples that Schaeffer et al. (arXiv 2502.17578 and 2509.24012) drew from the Pythia "
    "suite (Biderman et al. 2023, arXiv 2304.01373)"
)
LEFT_OUT = {
    "checkpoints under 2B tokens": "they solve next to nothing (pass@1 below 3e-5), so that their −log is noise",
    "Pythia 14M": "1.2M of its 14M parameters are not embeddings, so that N as named means something else there; "
    "it solves 2 in 10,000 at best and falls 30-fold between 6B and 200B tokens",
}
MEANING = "mean pass@k over 128 problems of GSM8K, samples drawn at temperature 1 and graded by Schaeffer et al."
WEAKNESSES = (
    "Fitted to one family on one task: {rmse:.2f} nats of scatter in −log pass@k at k = 1, a factor of {factor:.1f} "
    "in pass@k. Trust its directions more than its digits.",
    "Checkpoints below 300B tokens come from the middle of one run, before its learning rate had decayed, so that the "
    "effect of tokens is mixed with that of the schedule; pass@k does not always grow with D here.",
    "From 410M parameters and 60B tokens on, pass@1 stays near 1% whatever the size: the law's floor at k = 1 rests "
    "on these runs.",
)


def main(path: str) -> None:
    """Fit and write both laws."""
    table = pl.read_parquet(path).filter((pl.col("n_tokens") >= FEWEST_TOKENS) & (pl.col("n_params") >= SMALLEST_KEPT))
    observations = read(table)
    for name, law in (("pythia/gsm8k", "loss"), ("pythia/gsm8k-accuracy", "accuracy")):
        found = fit(observations, law, k=K, target="neg_log_mean", bootstrap=200, seed=0)
        unseen = unseen_errors(curves(observations.measurements(), K, "neg_log_mean"), law)
        entry = published(name, found, unseen, path)
        target = write_text(DATA / f"{name.replace('/', '--')}.json", to_text(entry))
        print(f"{target}: {found.explain()} {unseen}")


def published(name: str, found: FitResult, unseen: dict[str, float], path: str) -> PublishedLaw:
    """The fit as a published law."""
    c = found.curves
    scatter = np.sqrt(np.mean((np.log(found.predict(c.N, c.D, 1.0, "pass_at_k")) + c.value[:, 0]) ** 2))
    own = [text.format(rmse=scatter, factor=np.exp(scatter)) for text in WEAKNESSES]
    filters = f"n_tokens >= {FEWEST_TOKENS:g} and n_params >= {SMALLEST_KEPT:g}"
    grid = ",".join(map(str, K))
    return PublishedLaw(
        name=name,
        law=found.law,
        citation=CITATION,
        task=found.task,
        support=found.support,
        conventions={"n_params": "size as named, with embeddings", "value": MEANING},
        warnings=(*(text for text in found.warnings if "left out" not in text), *own),
        provenance={
            "source": "per-problem counts in the repository of Schaeffer et al.'s language-monkeys power laws",
            "source_sha256": sha256(path),
            "left_out": LEFT_OUT,
            "command": f"python scripts/publish_laws.py COUNTS, which is, with {filters}: "
            f"t2 fit COUNTS --law {found.law.name} --k {grid} --target neg_log_mean --bootstrap 200 --seed 0",
            "date": datetime.now(UTC).date().isoformat(),
            "data_hash": found.data_hash,
            "runs": len(c.N),
            "objective": found.objective,
            "mean_abs_error_nats_on_unseen": unseen,
        },
        bootstrap=found.bootstrap,
    )


def unseen_errors(c: Curves, law: str) -> dict[str, float]:
    """Mean absolute error of −log pass@k, all k, on runs that the fit has not seen: the longest, and the largest."""
    held_out = {"D >= 200B": c.D >= 2e11, "N >= 6.9B": c.N >= 6.9e9}
    return {name: round(_unseen_error(c, law, rows), 3) for name, rows in held_out.items()}


def _unseen_error(c: Curves, law: str, rows: np.ndarray) -> float:
    seen = fit(_keep(c, ~rows), law, k=K)  # type: ignore[arg-type]
    predicted = seen.predict(c.N[rows, None], c.D[rows, None], c.k, "pass_at_k")
    return float(np.mean(np.abs(np.log(predicted) - np.log(c.pass_at_k[rows]))))


def _keep(c: Curves, rows: np.ndarray) -> Curves:
    ids = tuple(name for name, kept in zip(c.run_id, rows, strict=True) if kept)
    parts = {name: getattr(c, name)[rows] for name in ("N", "D", "value", "pass_at_k", "se")}
    return replace(c, run_id=ids, train_flops=None, overtrained=None, **parts)


def to_text(entry: PublishedLaw) -> str:
    """JSON with one line per bootstrap sample, six digits each."""
    content = entry.to_dict()
    samples = content["bootstrap"].pop("samples")
    lines = ",\n".join(json.dumps([float(f"{value:.6g}") for value in row]) for row in samples)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    head, marker, tail = text.rpartition('"target": "neg_log_mean"\n }')
    assert marker, "the bootstrap is the last entry"
    return f'{head}"target": "neg_log_mean",\n  "samples": [\n{lines}\n  ]\n }}{tail}\n'


if __name__ == "__main__":
    main(*sys.argv[1:])
