"""Artefacts appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from t2scaling.artefacts import atomic_path, check_target, dumps, sha256, write_json, write_text


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = write_text(tmp_path / "a.txt", "old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_is_strict(tmp_path: Path) -> None:
    path = write_json(tmp_path / "deep" / "a.json", {"x": np.float64("nan"), "y": np.arange(2), "z": (1, float("inf"))})
    assert json.loads(path.read_text()) == {"x": None, "y": [0, 1], "z": [1, None]}
    assert dumps({1: Path("a")}) == '{"1": "a"}'


def test_sha256(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a", "abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_target_that_cannot_be_written_is_known_beforehand(tmp_path):
    check_target(tmp_path / "new" / "folder" / "file.json")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IsADirectoryError):
        check_target(tmp_path)
    (tmp_path / "file").write_text("")
    check_target(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        check_target(tmp_path / "file" / "inside.json")
