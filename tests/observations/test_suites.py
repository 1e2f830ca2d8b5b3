"""Suites that come with the package are read by name, unless a file of that name is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2scaling.errors import DataError
from t2scaling.observations import load_suite, read


def test_read_takes_the_name_of_a_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read("simulated").runs.equals(load_suite("simulated").runs)


def test_a_file_of_that_name_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("simulated").write_text("not a table")
    with pytest.raises(DataError):
        read("simulated")


def test_unknown_suites_suggest_the_nearest() -> None:
    with pytest.raises(DataError, match="simulated"):
        load_suite("simulatd")
