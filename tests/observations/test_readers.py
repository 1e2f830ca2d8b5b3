"""The list of readers: which files are whose, and a reader from outside the package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from t2scaling.errors import ArgumentError
from t2scaling.observations import read, readers
from t2scaling.observations.readers import LogReader, kind_of, register


def read_mine(paths: Any, options: Any, report: Any) -> tuple[pl.DataFrame, dict[str, str]]:
    rows = [{"run_id": path.stem, "task": "mine", **row} for path in paths for row in json.loads(path.read_text())]
    return pl.DataFrame(rows).with_columns(n_params=1e6, n_tokens=1e9), {"nll": "sum"}


@pytest.fixture
def mine() -> Iterator[LogReader]:
    """A reader of *.mylog, listed while the test runs."""
    reader = register(
        LogReader("mine", "*.mylog of my harness", lambda path, asked: path.suffix == ".mylog", read_mine)
    )
    yield reader
    readers.READERS.remove(reader)


def test_a_reader_from_outside_reads_its_files(mine: LogReader, tmp_path: Path, t2: Any) -> None:
    for run in ("a", "b"):
        (tmp_path / f"{run}.mylog").write_text(json.dumps([{"question_id": str(q), "nll": 1.0 + q} for q in range(3)]))
    (tmp_path / "notes.csv").write_text("this is no table\n")
    assert read(tmp_path).measurements().nll.tolist() == [[1, 2, 3], [1, 2, 3]]
    code, printed, _ = t2("import", tmp_path, "--format", "mine", "-o", tmp_path / "o.parquet", "--json")
    assert (code, json.loads(printed)["n_runs"]) == (0, 2)
    with pytest.raises(ArgumentError, match="taken"):
        register(mine)


@pytest.mark.parametrize(
    ("name", "format", "kind"),
    [
        ("samples_x_2026-01-02T03-04-05.678901.jsonl", "auto", "lm-eval"),
        ("samples_x_2026-01-02T03-04-05.678901.jsonl", "table", "table"),
        ("log.eval", "auto", "inspect"),
        ("log.json", "auto", None),
        ("log.json", "inspect", "inspect"),
        ("t.csv", "auto", "table"),
        ("t.csv", "inspect", None),
        (".t.csv", "auto", None),
        ("t.txt", "auto", None),
    ],
)
def test_whose_a_file_is(name: str, format: str, kind: str | None) -> None:
    assert kind_of(Path(name), format) == kind
