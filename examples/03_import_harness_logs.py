"""Read a folder of lm-evaluation-harness logs, and say in a manifest what logs do not know: N and D of each run.

The logs here are made up on the spot (`lm_eval … --log_samples` writes such folders); give your own folder instead,
and adapt the manifest to the names of your runs.

Run: python examples/03_import_harness_logs.py [folder of logs]
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import t2scaling as t2
from t2scaling.observations.simulated import question_nll

# Regular expressions on run names. A named group that is called like a fact is that fact: here `step`.
MANIFEST = {
    "tokens_per_step": 2**21,
    "n_params_convention": "with_head",
    "runs": [
        {"match": r"^mini-10m-step(?P<step>\d+)$", "n_params": 10e6},
        {"match": r"^mini-40m-step(?P<step>\d+)$", "n_params": 40e6},
        {"match": r"^mini-160m-step(?P<step>\d+)$", "n_params": 160e6},
    ],
}


def main(folder: str | None = None) -> None:
    logs = Path(folder) if folder else make_logs(Path(tempfile.mkdtemp()))
    observations = t2.read(logs, runs=MANIFEST)
    print(observations)
    print(observations.runs.select("run_id", "n_params", "n_tokens"))
    for source in observations.report.sources[:3]:
        print(f"{Path(source.path).parent.name}: {source.kept} of {source.rows} rows, {source.how}")

    fit = t2.fit(observations, law="loss")
    print(fit.explain())
    print(t2.plan(fit, train_flops=1e19, inference_flops=1e9).sentence())


def make_logs(folder: Path) -> Path:
    """Twelve runs as the harness writes them: one samples file per run, a line per question."""
    for size in (10, 40, 160):
        for step in (1000, 4000, 16000, 64000):
            N, D = np.array([size * 1e6]), np.array([step * 2.0**21])
            run = folder / f"mini-{size}m-step{step}"
            run.mkdir()
            name = "samples_causal_2026-01-01T00-00-00.000000.jsonl"
            with (run / name).open("w", encoding="utf-8") as file:
                for doc_id, nll in enumerate(question_nll("causal", N, D, questions=60)[0]):
                    logprob = [str(-nll), "False"]  # log-likelihood, and whether greedy decoding would say it
                    row = {"doc_id": doc_id, "target": "yes", "filter": "none", "resps": [[logprob]]}
                    row |= {"filtered_resps": [logprob], "arguments": {"gen_args_0": {"arg_0": "…", "arg_1": " yes"}}}
                    file.write(json.dumps(row) + "\n")
    return folder


if __name__ == "__main__":
    main(*sys.argv[1:2])
