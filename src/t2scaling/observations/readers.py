"""The readers of logs, and which files are whose.

A reader is a value: which files it takes, and how it turns them into one frame of outcomes with the facts of their
runs. A new one is one file with such a value, listed in `READERS` here or, from outside the package, by `register`.
Tables (`tabular`) are what no reader of logs takes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from t2scaling.errors import ArgumentError, DataError
from t2scaling.observations import inspect_log, lm_eval
from t2scaling.observations.lm_eval.files import is_samples_file
from t2scaling.observations.lm_eval.logs import Options
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import nearest
from t2scaling.observations.tabular import SUFFIXES

TABLE = "table"


@dataclass(frozen=True)
class LogReader:
    """How the logs of one harness are read.

    name    what --format calls it
    files   what its files are called, in words
    takes   whether a path is one of its files; the second argument is True where --format names this reader
    read    the files' outcomes in canonical columns (run_id, task, question_id, nll or n_samples and n_correct, and
            the facts of the run in each row), and the conventions of the numbers; what is left out goes to the report
    """

    name: str
    files: str
    takes: Callable[[Path, bool], bool]
    read: Callable[[Sequence[Path], Options, ReportBuilder], tuple[pl.DataFrame, dict[str, str]]]


READERS: list[LogReader] = [
    LogReader(
        "lm-eval",
        "samples_*.jsonl of lm-evaluation-harness",
        lambda path, asked: is_samples_file(path),
        lm_eval.read_logs,
    ),
    LogReader(
        "inspect",
        ".eval of Inspect AI",
        lambda path, asked: path.suffix == ".eval" or (asked and path.suffix == ".json"),
        lambda paths, options, report: inspect_log.read_logs(paths, options.filter, report),
    ),
]


def register(reader: LogReader) -> LogReader:
    """List a reader, before those that are listed already. Raises ArgumentError for a name that is taken."""
    if reader.name in formats():
        raise ArgumentError(f"`name` = {reader.name} is taken by another reader: choose another name.")
    READERS.insert(0, reader)
    return reader


def formats() -> tuple[str, ...]:
    """What --format may be."""
    return ("auto", *(reader.name for reader in READERS), TABLE)


def sort_files(paths: Sequence[Path], format: str = "auto") -> dict[str, list[Path]]:
    """Files behind the paths, by the name of their reader, or "table".

    A folder is searched for logs first; only where it holds none are its tables read. Raises DataError for a path
    that does not exist and for a folder without anything to read.
    """
    if format not in formats():
        raise DataError(f"format `{format}` is not known{nearest(format, formats())}: {', '.join(formats())}.")
    found: dict[str, list[Path]] = {name: [] for name in formats()[1:]}
    for path in paths:
        if not path.exists():
            raise DataError(f"`{path}` does not exist. Check the path.")
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        kinds = {file: kind_of(file, format) for file in files}
        if path.is_file() and kinds[path] is None:
            kinds[path] = TABLE  # its reader says what is wrong with it
        wanted = [reader.name for reader in READERS if reader.name in kinds.values()] or [TABLE]
        for file, kind in kinds.items():
            if kind in wanted:
                found[kind].append(file)
        if not any(kind in wanted for kind in kinds.values()):
            logs = ", ".join(f"no {reader.files}" for reader in READERS)
            raise DataError(
                f"`{path}` holds nothing to read{'' if format == 'auto' else f' as {format}'}: {logs}, no table "
                f"({', '.join(SUFFIXES)})."
            )
    return found


def kind_of(path: Path, format: str = "auto") -> str | None:
    """The name of the reader of a file, "table", or None."""
    if path.name.startswith("."):
        return None
    for reader in READERS:
        if format in ("auto", reader.name) and reader.takes(path, format == reader.name):
            return reader.name
    logs = any(reader.takes(path, False) for reader in READERS)
    return TABLE if path.suffix.lower() in SUFFIXES and (format == TABLE or (format == "auto" and not logs)) else None
