"""Workers as Ray tasks: `--on ray` begins a cluster on this machine, `--on ray:ADDRESS` joins one.

A task is a worker process; Ray starts it anew where its node is lost (`max_retries`), and an error of its own ends it,
since the folder already says which job failed. Ray owns no checkpoints here: the folder does.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2scaling.errors import PrerequisiteError
from t2scaling.testbed.study.starters.places import Place


def start(folder: Path, places: list[Place], options: dict[str, Any], watch: Callable[[], object]) -> None:
    """Run one task per place and wait for all.

    options   address: of a running cluster; further ones go to `ray.init`
    """
    try:
        import ray
    except ImportError as error:
        raise PrerequisiteError("`--on ray` needs ray: pip install 't2scaling[cluster]'.") from error

    given = dict(options)
    lifetime = given.pop("lifetime", None)
    begun = not ray.is_initialized()
    if begun:
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False, **given)
    try:
        # A worker never shares a process with another: max_calls ends it after its task.
        task = ray.remote(max_retries=-1, retry_exceptions=False, max_calls=1)(Place.work)
        waiting = [
            task.options(num_cpus=place.threads, num_gpus=place.gpus).remote(place, folder, lifetime)
            for place in places
        ]
        while waiting:
            ended, waiting = ray.wait(waiting, timeout=1.0)
            for one in ended:
                _result(ray, one)
            watch()
    finally:
        if begun:
            ray.shutdown()


def _result(ray: Any, one: Any) -> None:
    """A worker that ended by an error of its own has said so in the folder; anything else is Ray's and is raised."""
    with contextlib.suppress(ray.exceptions.RayTaskError):
        ray.get(one)
