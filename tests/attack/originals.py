"""Small well-formed inputs of every kind, from which the attack makes its hostile ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

RUNS = [(f"r{i}", 10 ** (6 + 0.5 * i), 10 ** (8 + 0.4 * i + 0.3 * j)) for i in range(4) for j in range(3)]
TASKS = ("sums", "facts")
TIME = "2026-01-02T03-04-05.678901"
Row = dict[str, Any]


def table(counts: bool, runs: int = 3) -> list[Row]:
    """Rows of a canonical table: some runs × two tasks × three questions, likelihoods or counts."""
    rows = []
    for number, (name, N, D) in enumerate(RUNS[:runs]):
        for task in TASKS:
            for question in range(3):
                outcome = (
                    {"n_samples": 16, "n_correct": (3 * number + 2 * question) % 17}
                    if counts
                    else {"nll": round(1 + 3 * (N / 1e6) ** -0.2 + 0.37 * question, 6)}
                )
                key = {"run_id": f"{name}-{number}", "n_params": round(N), "n_tokens": round(D)}
                rows.append({**key, "task": task, "question_id": f"q{question}", **outcome})
    return rows


def lm_eval_rows(kind: str) -> list[Row]:
    """Rows of a samples file of one output type."""
    rows = []
    for doc in range(4):
        row: Row = {"doc_id": doc, "doc": {"question": f"what is {doc} plus 1 ?"}, "target": str(doc + 1)}
        if kind == "multiple_choice":
            row["target"] = str(doc % 3)
            row["arguments"] = {f"gen_args_{i}": {"arg_0": "q", "arg_1": f" {i + 5}"} for i in range(3)}
            row["resps"] = [[[str(-1.5 - i - doc), "False"]] for i in range(3)]
            row |= {"metrics": ["acc"], "acc": float(doc % 3 == 0)}
        elif kind == "loglikelihood":
            row |= {"resps": [[[str(-2.25 - doc), "False"]]], "metrics": ["perplexity"], "perplexity": -2.25 - doc}
        else:
            given = [str(doc + 1), str(doc), f" {doc + 1} ", "none"]
            row |= {"resps": [given], "filtered_resps": given[:1], "metrics": ["exact_match"], "exact_match": 1.0}
        rows.append({**row, "filter": "none", "doc_hash": "ab" * 16})
    return rows


def lm_eval_results(kind: str) -> Row:
    """The results file beside it."""
    config = {"output_type": kind, "metadata": {"train_tokens": 1e9}, "repeats": 4, "generation_kwargs": {"until": []}}
    settings = {"model": "hf", "model_args": {"pretrained": "org/tiny", "revision": "main"}, "batch_size": 4}
    settings["model_num_parameters"] = 38752
    return {"results": {"t": {"acc,none": 0.5}}, "configs": {"t": config}, "config": settings, "date": 1.5}


def inspect_members() -> dict[str, Any]:
    """Members of an .eval log: two questions × three epochs."""
    task = {"task": "sums", "model": "mock/one", "metadata": {"n_params": 38752, "train_tokens": 1e9}}
    samples = [
        {
            "id": f"q{question}",
            "epoch": epoch,
            "target": "4",
            "scores": {"match": {"value": "C" if (question + epoch) % 2 else "I", "answer": str(epoch)}},
            "model_usage": {"m": {"input_tokens": 7, "output_tokens": 5}},
            "uuid": f"{question}-{epoch}",
        }
        for question in range(2)
        for epoch in (1, 2, 3)
    ]
    return {"header.json": {"version": 2, "status": "success", "eval": task}, "summaries.json": samples}


MANIFEST: Row = {
    "n_params_convention": "total",
    "tokens_per_step": 2097152,
    "runs": [
        {"match": r"r(?P<size>\d)-0", "n_params": "{size}5M", "family": "toys"},
        {"run_id": "r0-1", "n_params": 2.5e6, "n_tokens": "300M"},
        {"match": "-2$", "seed": 3, "n_tokens": 1000000000},
    ],
}
MANIFEST_CSV = "run_id,match,n_params,n_tokens,seed\nr0-0,,1500000,3e9,1\nr0-1,,2.5M,,\n,-2$,,4000000000,\n"

STUDY: Row = {
    "suite": {"recipe": "tiny", "arguments": {"seed": 1}},
    "evaluate": {"samples": 8, "temperature": 0.7},
    "posttrain": {"tasks": ["arithmetic"], "modes": ["ft"], "epochs": 2},
    "fit": {"laws": ["loss"], "task": "macro", "bootstrap": 10},
    "plan": {"train_flops": 1e13, "inference_flops": "2M"},
    "jobs": 1,
    "seed": 0,
}

RECORD: Row = {
    "run_id": "w8-d1-c1e9", "stage": "base", "n_params": 12345, "convention": "with_head", "n_tokens": 5e6,
    "unique_tokens": 5000000, "train_flops": 3.7e11, "seed": 0, "overtrained": False, "seq_len": 64, "seconds": 3.5,
    "shape": {"width": 8, "depth": 1, "n_heads": 1, "d_ff": 16, "vocab_size": 64}, "loss": {"final": 2.5},
}  # fmt: skip


def questions() -> list[Row]:
    """Rows of a file of questions."""
    return [
        {"question_id": f"q{i}", "prompt": f"{i} + 1 =", "answer": f" {i + 1}.", "difficulty": i, "split": "test",
         "task": "sums", "kind": "generated", "stop": "."}
        for i in range(4)
    ]  # fmt: skip


def build(folder: Path) -> None:
    """Write what is costly to make once: fits and plans as JSON, suite.json, a checkpoint."""
    import t2scaling as t2
    from t2scaling.testbed.suite import tiny

    rows = [
        {"run_id": f"{name}-{j}", "n_params": N, "n_tokens": D, "task": "sums", "question_id": f"q{q}",
         "nll": 0.6 + 40 * N**-0.3 + 90 * D**-0.25 + 0.2 * q}
        for j, (name, N, D) in enumerate(RUNS) for q in range(4)
    ]  # fmt: skip
    obs = t2.read(rows)
    obs.write(folder / "observations.parquet")
    for law in ("loss", "accuracy", "chinchilla"):
        bootstrap = 5 if law == "loss" else 0
        fit = t2.fit(obs, law=law, task="sums", k=[1, 2, 4, 8], bootstrap=bootstrap)
        fit.save(folder / f"fit-{law}.json")
        if law != "chinchilla":
            t2.plan(fit, train_flops=1e17, inference_flops=1e8).save(folder / f"plan-{law}.json")
    tiny().save(folder / "suite.json")
    (folder / "suite.json").write_text(json.dumps(_few_cells(json.loads((folder / "suite.json").read_text()))))


def _few_cells(suite: Row) -> Row:
    return {**suite, "cells": suite["cells"][:2]}


def checkpoint(folder: Path) -> None:
    """Write a Hugging Face folder with random weights (needs torch), and run.json beside it."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=64, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, head_dim=8,
        intermediate_size=16, max_position_embeddings=32, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(0)
    Qwen3ForCausalLM(config).save_pretrained(folder / "model")
    (folder / "run.json").write_text(json.dumps(RECORD))


def finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
