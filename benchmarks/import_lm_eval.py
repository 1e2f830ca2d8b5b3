"""Import of one large lm-evaluation-harness log: a million rows of four sampled responses each, re-graded.

The log is generated first (about 800 bytes a row, as the harness writes them: document, prompt, settings, hashes).
The reference is the plain loop that a script would use: `json.loads` per line, comparing each response with the
target. Each runs in a process of its own, so that its peak memory is its own; the counts are compared.
Run: python benchmarks/import_lm_eval.py [rows]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIME = "2026-01-01T00-00-00.000000"
HASH = "0497956ae041055f0f5734793d1666a41f8476678d7f99d91f46e3a71427f21c"


def write_log(folder: Path, rows: int) -> Path:
    """A samples file of `rows` rows and the results file beside it; about a third of the responses are right."""
    results = {
        "configs": {"sums": {"output_type": "generate_until", "metadata": {"train_tokens": 1e9}}},
        "config": {"model_num_parameters": 38752},
    }
    (folder / f"results_{TIME}.json").write_text(json.dumps(results))
    path = folder / f"samples_sums_{TIME}.jsonl"
    settings = {"until": ["\n"], "max_gen_toks": 4, "do_sample": True, "temperature": 1.0}
    with path.open("w") as file:
        for i in range(rows):
            question = f"what is {i} plus 1 ?"
            responses = [f" {i + 1 + (i + j) % 3}" for j in range(4)]
            row = {
                "doc_id": i,
                "doc": {"question": question, "answer": str(i + 1), "choices": ["1", "2", "3", "4"], "gold": i % 4},
                "target": str(i + 1),
                "arguments": {"gen_args_0": {"arg_0": question, "arg_1": settings}},
                "resps": [responses],
                "filtered_resps": responses[:1],
                "filter": "first",
                "metrics": ["exact_match"],
                "doc_hash": HASH,
                "prompt_hash": HASH,
                "target_hash": HASH,
                "exact_match": 0.0,
            }
            file.write(json.dumps(row) + "\n")
    return path


def ours(path: Path) -> tuple[int, int]:
    """Samples and correct samples by `t2 import`'s own path, the canonical Parquet written."""
    from t2scaling.observations import read

    observations = read(path)
    observations.write(path.with_suffix(".parquet"))
    return int(observations.outcomes["n_samples"].sum()), int(observations.outcomes["n_correct"].sum())


def plain(path: Path) -> tuple[int, int]:
    """The same counts by one `json.loads` per line."""
    n = c = 0
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            responses = row["resps"][0]
            n += len(responses)
            c += sum(text.strip() == row["target"].strip() for text in responses)
    return n, c


def timed(which: str, path: Path) -> tuple[float, float, list[int]]:
    """Seconds, peak memory in MB, and the counts, from a process of its own."""
    done = subprocess.run([sys.executable, __file__, which, str(path)], capture_output=True, text=True, check=True)
    seconds, peak, *counts = json.loads(done.stdout)
    return seconds, peak, counts


def measure(which: str, path: Path) -> None:
    """Run one of the two in this process and print what `timed` reads."""
    start = time.perf_counter()
    counts = {"ours": ours, "plain": plain}[which](path)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, *counts]))


def main(rows: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_log(Path(folder), rows)
        size = path.stat().st_size / 1e6
        seconds, peak, counts = timed("ours", path)
        reference, plain_peak, expected = timed("plain", path)
        assert counts == expected, (counts, expected)
        print(
            f"import of {rows:,} rows of an lm-eval log ({size:.0f} MB): {seconds:.1f} s, peak memory {peak:.0f} MB; "
            f"json.loads per line {reference:.1f} s ({plain_peak:.0f} MB); ratio {reference / seconds:.1f}×; "
            f"both count {counts[1]:,} correct of {counts[0]:,} samples"
        )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("ours", "plain"):
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main(*(int(argument) for argument in sys.argv[1:2]))
