"""Artefacts appear whole or not at all."""

from __future__ import annotations

import json
import os
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


def test_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed first, renamed after: a crash in between leaves the old file, never an empty one under the name."""
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def flush(handle: int) -> None:
        order.append("flushed " + Path(os.readlink(f"/proc/self/fd/{handle}")).read_text())
        fsync(handle)

    def rename(path: Path, target: Path) -> Path:
        order.append(f"renamed to {Path(target).name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", rename)
    write_text(tmp_path / "a.txt", "new")
    assert order == ["flushed new", "renamed to a.txt"]


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        made = write_text(tmp_path / "a.txt", "new")
        (tmp_path / "b.txt").write_text("as usual")
    finally:
        os.umask(before)
    assert made.stat().st_mode == (tmp_path / "b.txt").stat().st_mode


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
