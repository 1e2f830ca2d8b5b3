"""A long-lived worker process: reads jobs as JSON lines on stdin, answers with JSON lines on stdout.

    → {"id": "cell-1", "function": "package.module:name", "arguments": {…}, "log": "logs/cell-1.log"}
    ← {"state": "done", "note": "…"} | {"state": "busy"} | {"state": "failed", "note": "SuiteError: …"}
      | {"state": "crashed", "note": "ValueError: …"}

Importing torch and transformers takes seconds, so one process serves many jobs. What a job prints goes to its log
file. A job that is refused (a `T2Error`) has failed and the process goes on; any other error ends it after the
answer, since what an unforeseen error leaves in memory is not trusted with the next run. When stdin closes, because
the study has ended or was killed, the worker ends at once; artefacts are renamed into place, so nothing half-written
remains under a final name.

Run as `python -m t2scaling.testbed.study.worker`.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from t2scaling.errors import T2Error
from t2scaling.testbed.study.locks import Busy


def main() -> None:
    """Serve jobs until stdin closes."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    # From here on nothing but answers may reach the pipe, whatever a library prints.
    _redirect(os.devnull)
    sys.excepthook = _answer_error(answers)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        _answer(answers, **serve(request))


def serve(request: dict[str, Any]) -> dict[str, str]:
    """Carry out one request and return the answer."""
    _redirect(request["log"])
    module, _, name = request["function"].partition(":")
    try:
        note = getattr(import_module(module), name)(**request["arguments"])
    except Busy:
        return {"state": "busy"}
    except T2Error as error:
        traceback.print_exception(error)
        return {"state": "failed", "note": _name(error)}
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return {"state": "done", "note": str(note or "")}


def _listen(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    # The study is gone. A run that has to be finished is finished by the next study.
    os._exit(0)


def _redirect(path: str | Path) -> None:
    """Send what this process prints, and what C libraries print, to the end of a file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _answer(answers: TextIO, **answer: str) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _answer_error(answers: TextIO) -> Any:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        sys.stderr.flush()
        _answer(answers, state="crashed", note=_name(error))
        os._exit(1)

    return hook


if __name__ == "__main__":
    main()
