"""Checkpoints that are whole or not there: Hugging Face folders with optimiser state and a manifest of checksums.

    checkpoints/step-120/   config.json  model.safetensors       loads with AutoModelForCausalLM.from_pretrained
                            optimizer.safetensors                AdamW's moments, flat
                            state.json                           step, tokens, seconds so far
                            manifest.json                        sha256 of each file, written last

A folder is written under a temporary name, flushed to disk and renamed. When a run resumes, each manifest is checked
from the newest checkpoint back, and the first one that is undamaged is used.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from t2scaling import artefacts
from t2scaling.errors import DataError, T2Error
from t2scaling.foreign import read_json, validate

MANIFEST = "manifest.json"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)


class DiskError(T2Error):
    """A run that its disk has no room for."""

    exit_code = 1


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Raise DiskError where something in the block cannot be written to `folder`."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_ROOM:
            raise
        raise DiskError(
            f"`{folder}` cannot be written to any more ({error}): make room on the disk, or raise the limit on the "
            "size of files (ulimit -f), and start the same command again. It goes on from the last checkpoint."
        ) from error


@contextmanager
def _folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder; flush it and rename it to `target` if the block ends without an error."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for file in temporary.iterdir():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        for guard in artefacts.guards:
            guard()
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_model(folder: Path, hf: Any, weights: dict[str, Tensor], tokenizer_dir: Path | None) -> None:
    """Write config, weights and, where given, the tokenizer into an existing folder."""
    from safetensors.torch import save_file

    hf.config.architectures = [type(hf).__name__]
    hf.config.save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    if tokenizer_dir is not None:
        for file in sorted(tokenizer_dir.iterdir()):
            # The folder may be that of another model, whose weights are not wanted.
            if file.is_file() and not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)


def save_model(target: Path, hf: Any, weights: dict[str, Tensor], tokenizer_dir: Path | None) -> str:
    """Write the final Hugging Face folder in one step; returns the SHA-256 of its weights."""
    with _folder(target) as folder:
        write_model(folder, hf, weights, tokenizer_dir)
        return artefacts.sha256(folder / "model.safetensors")


def save(
    root: Path, hf: Any, weights: dict[str, Tensor], moments: dict[str, Tensor], state: dict[str, Any], keep: int | None
) -> Path:
    """Write root/step-N for N = state["step"], then remove all but the newest `keep` checkpoints (None: keep all)."""
    from safetensors.torch import save_file

    target = root / f"step-{state['step']}"
    with _folder(target) as folder:
        write_model(folder, hf, weights, None)
        save_file(moments, folder / "optimizer.safetensors")
        artefacts.write_json(folder / "state.json", state)
        sums = {file.name: artefacts.sha256(file) for file in sorted(folder.iterdir())}
        artefacts.write_json(folder / MANIFEST, sums)
    if keep is not None:
        for old in checkpoints(root)[:-keep]:
            shutil.rmtree(old)
    return target


def checkpoints(root: Path) -> list[Path]:
    """Finished checkpoint folders by rising step."""
    found = [path for path in root.glob("step-*") if path.name.removeprefix("step-").isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint, or None if every file is as its manifest says."""
    try:
        sums = validate(dict[str, str], read_json(folder / MANIFEST), f"`{folder / MANIFEST}`")
    except (OSError, DataError) as error:
        return f"its {MANIFEST} cannot be read ({error})"
    for name, expected in sums.items():
        if not (folder / name).is_file():
            return f"{name} is missing"
        if artefacts.sha256(folder / name) != expected:
            return f"{name} does not match its checksum"
    return None


def latest(root: Path, at_most: int | None = None) -> tuple[Path | None, list[str]]:
    """The newest undamaged checkpoint (up to step `at_most`), and a sentence for each damaged one passed over."""
    notes: list[str] = []
    for folder in reversed(checkpoints(root)):
        if at_most is not None and int(folder.name.removeprefix("step-")) > at_most:
            continue
        problem = damage(folder)
        if problem is None:
            return folder, notes
        notes.append(f"checkpoint {folder.name} is passed over: {problem}.")
    return None, notes


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """Weights, moments and state of a checkpoint."""
    from safetensors.torch import load_file

    state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return load_file(folder / "model.safetensors"), load_file(folder / "optimizer.safetensors"), state
