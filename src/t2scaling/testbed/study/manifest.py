"""What a suite cost and what made it: one JSON file beside its observations.

It gathers the run.json files of a study: seeds, FLOPs, seconds and final losses of each run, the versions that were
used, and the class of machine (never its name).
"""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from t2scaling import __version__
from t2scaling.artefacts import sha256, write_json
from t2scaling.run_record import read_run_record

_PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "polars")
# What is kept of each run; paths and configuration stay with the run.
_KEPT = ("run_id", "stage", "n_params", "n_tokens", "train_flops", "seed", "seconds", "loss")


def manifest(runs: Path, observations: Path, suite: dict[str, Any]) -> dict[str, Any]:
    """The manifest of all finished runs under `runs`; `suite` is the suite's own description."""
    read = [read_run_record(path.parent) for path in sorted(runs.glob("*/run.json"))]
    records = [record.model_dump(exclude_none=True) for record in read if record is not None]
    kept = [_record(record) for record in records]
    return {
        "name": suite.get("name"),
        "seed": suite.get("seed"),
        "observations_sha256": sha256(observations),
        "n_runs": len(kept),
        "train_flops": float(sum(record["train_flops"] for record in kept if record["stage"] == "base")),
        "seconds": float(sum(record["seconds"] for record in kept)),
        "machine": machine_class(),
        "versions": versions(),
        "verdicts": suite.get("verdicts", []),
        "runs": kept,
    }


def _record(record: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one run.json; what a post-trained run says of its pretraining stands with the run it is from."""
    kept = {key: record[key] for key in _KEPT if key in record}
    if "posttrain" in record:
        kept |= {"task": record["posttrain"]["task"], "seconds": record["posttrain"]["seconds"]}
    return kept


def write_manifest(path: Path, runs: Path, observations: Path, suite: dict[str, Any]) -> Path:
    """Write the manifest and return its path."""
    return write_json(path, manifest(runs, observations, suite))


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of what it trained with."""
    found = {"python": platform.python_version(), "t2scaling": __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine_class() -> str:
    """Processor, cores and memory in words, such as "x86_64, 4 cores, 24 GB"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GB"


def _processor() -> str:
    """The processor's model name where the system tells it, else the architecture."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.machine()
