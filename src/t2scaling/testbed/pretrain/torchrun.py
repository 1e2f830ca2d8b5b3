"""A run on several processes of this machine: torchrun begins them, and each calls the function that a file names.

SIGTERM reaches every process: they save together and end. Where the process that asked is gone, they end at once.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from t2scaling.errors import T2Error
from t2scaling.testbed import stop
from t2scaling.testbed.lease import BusyError, LeaseLostError
from t2scaling.testbed.suite import Suite


class ProcessesError(T2Error):
    """A run on several processes that ended in an error."""

    exit_code = 1


def on_processes(count: int, function: str, suite: Suite | None = None, **arguments: Any) -> None:
    """Call a function on `count` processes and wait for them.

    function   "package.module:function"
    suite      its first argument, where it takes one
    arguments  the others, as JSON takes them
    Raises ProcessesError with what the first process says went wrong, BusyError where another has the run, and
    StopRequested where this process was asked to end.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, told = Path(folder) / "task.json", Path(folder) / "error.json"
        first = suite.to_json() if suite else None
        content = {"function": function, "suite": first, "arguments": arguments, "parent": os.getpid()}
        task.write_text(json.dumps(content, default=str))
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
        with subprocess.Popen([*command, "-m", __name__, str(task), str(told)], start_new_session=True) as torchrun:
            while torchrun.poll() is None:
                if stop.asked():
                    torchrun.send_signal(signal.SIGTERM)
                    torchrun.wait()
                time.sleep(0.1)
        stop.raise_if_asked()
        if torchrun.returncode:
            error = json.loads(told.read_text()) if told.exists() else {"text": "see its output", "busy": False}
            kind = BusyError if error["busy"] else ProcessesError
            raise kind(f"{count} processes ended with exit code {torchrun.returncode}: {error['text']}")


def main(task_file: str, told: str) -> int:
    """One process of a run; returns its exit code."""
    task = json.loads(Path(task_file).read_text())
    threading.Thread(target=_end_with, args=(task["parent"],), daemon=True).start()
    stop.listen()
    module, _, name = task["function"].partition(":")
    first = [] if task["suite"] is None else [Suite.from_json(task["suite"])]
    try:
        getattr(import_module(module), name)(*first, **task["arguments"])
    except stop.StopRequested:
        return 0
    except T2Error as error:
        if os.environ["RANK"] == "0":
            busy = isinstance(error, BusyError | LeaseLostError)
            Path(told).write_text(json.dumps({"text": str(error), "busy": busy}))
        return error.exit_code or 1
    return 0


def _end_with(parent: int) -> None:
    while True:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(1.0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
