"""Which logs a folder holds, and what the results file of each says about its run and its task."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2scaling.errors import DataError
from t2scaling.observations.facts import facts_from_metadata
from t2scaling.observations.report import ReportBuilder

_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?"
_SAMPLES = re.compile(rf"samples_(?P<task>.+?)(?:_(?P<time>{_TIME}))?\.jsonl")
_STEP = re.compile(r"step[-_]?(\d+)", re.IGNORECASE)
MAIN_REVISIONS = (None, "", "main", "None")


@dataclass(frozen=True)
class Log:
    """One samples file and its context.

    run_id       folder of the log (the harness names it after the model), with @revision where it is not main, and
                 with the folders above it where the name alone stands for several runs
    task         name of the task
    time         when it was written, as in the file's name; sorts as text
    output_type  as the task's configuration says, or None where there is no results file
    config       the task's configuration
    facts        what the log says of the run: n_params, n_tokens, step, …
    counted_n    the harness' own count of all parameters, embeddings included, or None
    """

    path: Path
    run_id: str
    task: str
    time: str
    output_type: str | None
    config: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    counted_n: float | None = None


def is_samples_file(path: Path) -> bool:
    """True for a file name that the harness gives to logged samples."""
    return _SAMPLES.fullmatch(path.name) is not None


def find_logs(paths: Iterable[Path], report: ReportBuilder) -> list[Log]:
    """Logs behind some samples files, the newest of each run and task; older ones are reported as superseded."""
    newest: dict[tuple[str, str], Log] = {}
    logs = _tell_apart([_open(path) for path in paths], report)
    for log in sorted(logs, key=lambda log: (log.time, str(log.path))):
        before = newest.get((log.run_id, log.task))
        if before is not None:
            rows = _count_lines(before.path)
            report.drop(
                str(before.path), rows, f"superseded by the newer log of the same run and task, {log.path.name}"
            )
        newest[log.run_id, log.task] = log
    return list(newest.values())


def _tell_apart(logs: list[Log], report: ReportBuilder) -> list[Log]:
    """Runs by their own names where one name stands for several: the same task under it in several folders.

    Checkpoints evaluated from folders of one name (`model`, `final`) get logs of one name; only where those lie tells
    them apart. A model whose tasks were logged in several folders, each task once, is one run.
    """
    folders: dict[tuple[str, str], set[Path]] = {}
    for log in logs:
        folders.setdefault((log.run_id, log.task), set()).add(log.path.parent.resolve())
    torn = {run for (run, _), found in folders.items() if len(found) > 1}
    if not torn:
        return logs
    report.notes.append(
        f"several folders hold logs of the same task under the name {', '.join(f'`{run}`' for run in sorted(torn))}: "
        "taken as different runs, named after their folders."
    )
    root = os.path.commonpath({log.path.parent.resolve() for log in logs if log.run_id in torn})
    return [replace(log, run_id=_name_below(log, root)) if log.run_id in torn else log for log in logs]


def _name_below(log: Log, root: str) -> str:
    folder = log.path.parent.resolve()
    return str(folder.relative_to(root)) + log.run_id.removeprefix(folder.name)


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _open(path: Path) -> Log:
    found = _SAMPLES.fullmatch(path.name)
    assert found is not None, path
    results_path = _results_beside(path, found["time"])
    results = _read_results(results_path) if results_path else {}
    config = _dict(_dict(results.get("configs")).get(found["task"]))
    settings = _dict(results.get("config"))
    where = f"`{results_path}`"
    facts = facts_from_metadata(_dict(config.get("metadata")), where)
    revision = _revision(settings)
    step = _STEP.search(revision or "")
    if step and "step" not in facts:
        facts["step"] = float(step[1])
    counted = settings.get("model_num_parameters")
    return Log(
        path,
        path.parent.resolve().name + (f"@{revision}" if revision else ""),
        found["task"],
        found["time"] or "",
        config.get("output_type"),
        config,
        facts,
        float(counted) if isinstance(counted, int | float) and counted > 0 else None,
    )


def _results_beside(samples: Path, time: str | None) -> Path | None:
    """The results file of the same moment, or of the last one where the name carries no time."""
    if time is not None:
        exact = samples.with_name(f"results_{time}.json")
        return exact if exact.is_file() else None
    return max(samples.parent.glob("results*.json"), default=None, key=lambda path: path.name)


def _read_results(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"`{path}`{line} is not JSON: the log was cut off, or edited. Write or copy it again."
        ) from None
    return _dict(content)


def _revision(settings: Mapping[str, Any]) -> str | None:
    """The model's revision where it is not the main one, from where the harness keeps it."""
    arguments = settings.get("model_args")
    if isinstance(arguments, str):
        arguments = dict(pair.split("=", 1) for pair in arguments.split(",") if "=" in pair)
    for revision in (_dict(arguments).get("revision"), settings.get("model_revision")):
        if revision not in MAIN_REVISIONS:
            return str(revision)
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
