"""Workers as an array of Slurm jobs, through submitit: `--on slurm`, `--on slurm:partition=gpu,timeout_min=720`.

Each array task is one worker. SIGTERM and, 90 s before the time limit, SIGUSR2 make it checkpoint, release and end. The
study waits until the folder says that nothing is left, or until Slurm has no worker any more; stopping it stops no
worker, and starting it again submits only what the folder still needs.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2scaling.errors import PrerequisiteError, SuiteError
from t2scaling.testbed.study.desk import Desk
from t2scaling.testbed.study.starters.places import Place
from t2scaling.testbed.study.status import Overview


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
    cluster = given.pop("cluster", "slurm")
    executor = submitit.AutoExecutor(folder=folder / "logs" / "slurm", cluster=cluster)
    shape = {"cpus_per_task": places[0].threads, "gpus_per_node": places[0].gpus}
    executor.update_parameters(
        **{"name": folder.name, **shape, **{key: _number(value) for key, value in given.items()}}
    )
    work = _work if cluster == "slurm" else Place.work
    workers = executor.map_array(work, places, [folder] * len(places), [lifetime] * len(places))
    desk, done = Desk(folder), set[str]()
    jobs = desk.jobs()
    # A worker that Slurm killed leaves no result, and without accounting submitit never learns that it has ended.
    while Overview(jobs, desk.survey(jobs, done)).active and _alive(workers, cluster):
        watch()
        time.sleep(1.0)
    for worker in workers:
        if worker.paths.result_pickle.exists() and worker.exception() is not None:
            reason = f"the worker {worker.job_id} ended in an error; see {worker.paths.stderr}."
            raise SuiteError(reason) from worker.exception()


def _work(place: Place, folder: Path, lifetime: float | None) -> None:
    """A task: its worker gets Slurm's signals by itself, and is waited for."""
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, lambda number, frame: None)
    place.work(folder, lifetime)


def _alive(workers: list[Any], cluster: str) -> bool:
    left = [worker for worker in workers if not worker.done()]
    if not left or cluster != "slurm":
        return bool(left)
    ids = ",".join(worker.job_id for worker in left)
    told = subprocess.run(["squeue", "-h", "-j", ids], capture_output=True, text=True, check=False)
    return bool(told.stdout.strip())


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value
