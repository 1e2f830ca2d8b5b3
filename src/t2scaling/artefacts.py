"""Writing artefacts so that a half-written one never stands under its final name.

Each artefact is written beside its target under a temporary name, flushed to disk, and renamed into place.
A reader therefore sees the old file or the new one, and a file that exists is complete.
"""

import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def check_target(target: str | Path) -> None:
    """Raise OSError if no file can be written at `target`: for work that takes long, before it starts."""
    target = Path(target)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder, and a file is to be written", str(target))
    parent = next(folder for folder in target.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is no folder", str(parent))
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise PermissionError(errno.EACCES, "may not be written to", str(parent)) from error


# Asked before every rename; each raises where this process may no longer write (it lost the lease of its work).
guards: list[Callable[[], object]] = []


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it to `target` if the block ends without an error."""
    target = Path(target)
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp makes files private; an artefact has the permissions that any new file would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        for guard in guards:
            guard()
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(target: str | Path, content: bytes) -> Path:
    """Write bytes to `target` in one step and return the path."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return Path(target)


def write_text(target: str | Path, content: str) -> Path:
    """Write UTF-8 text to `target` in one step and return the path."""
    return write_bytes(target, content.encode())


def write_json(target: str | Path, content: Any) -> Path:
    """Write `content` as indented JSON (NaN and infinity as null) in one step and return the path."""
    return write_text(target, dumps(content, indent=2) + "\n")


def dumps(content: Any, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Strict JSON text: numpy values become plain numbers, NaN and infinity become null."""
    return json.dumps(_plain(content), indent=indent, allow_nan=False, ensure_ascii=ensure_ascii)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_with(target: str | Path, write: Callable[[Path], Any]) -> Path:
    """Call `write(temporary_path)` and rename the result to `target`, for writers that want a path."""
    with atomic_path(target) as temporary:
        write(temporary)
    return Path(target)
