"""Workers as an array of Slurm jobs, through submitit: `--on slurm`, `--on slurm:partition=gpu,timeout_min=720`.

Each array task is one worker; Slurm's SIGTERM before a preemption makes it checkpoint, release and end. The study waits
for the array; stopping it stops no worker, and starting it again submits only what the folder still needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2scaling.errors import PrerequisiteError, SuiteError
from t2scaling.testbed.study.starters.places import Place


def start(folder: Path, places: list[Place], options: dict[str, Any], watch: Callable[[], object]) -> None:
    """Submit one worker per place and wait for all.

    options   parameters of submitit's executor (partition, timeout_min, …); cluster: slurm, local or debug
    """
    try:
        import submitit
    except ImportError as error:
        raise PrerequisiteError("`--on slurm` needs submitit: pip install 't2scaling[cluster]'.") from error

    given = dict(options)
    lifetime = given.pop("lifetime", None)
    executor = submitit.AutoExecutor(folder=folder / "logs" / "slurm", cluster=given.pop("cluster", "slurm"))
    shape = {"cpus_per_task": places[0].threads, "gpus_per_node": places[0].gpus}
    executor.update_parameters(
        **{"name": folder.name, **shape, **{key: _number(value) for key, value in given.items()}}
    )
    jobs = executor.map_array(Place.work, places, [folder] * len(places), [lifetime] * len(places))
    while not all(job.done() for job in jobs):
        watch()
        time.sleep(1.0)
    for job in jobs:
        if job.exception() is not None:
            raise SuiteError(f"the worker {job.job_id} ended in an error; see {job.paths.stderr}.") from job.exception()


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value
