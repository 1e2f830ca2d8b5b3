"""What a run tells while it trains: metrics.jsonl, a progress bar, and TensorBoard or trackio where installed.

metrics.jsonl has one row per `log_every` steps: step, tokens, loss and the cross-entropy within it averaged
over those steps (nats), learning rate, gradient norm before clipping, tokens per second, and the share of the device's
peak where that is known. When a run resumes, rows beyond its
checkpoint are cut off, so each step stands there once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from t2scaling import artefacts
from t2scaling.errors import PrerequisiteError


class Metrics:
    """Appends rows to metrics.jsonl and hands them to whatever else listens.

    trackers   names among tensorboard, trackio; each must be installed
    enabled    False writes nothing: of several processes that share a run, one writes
    """

    def __init__(
        self, folder: Path, run_id: str, from_step: int, trackers: tuple[str, ...] = (), enabled: bool = True
    ) -> None:
        missing = [name for name in trackers if name not in _LISTENERS or find_spec(name) is None]
        if missing:
            raise PrerequisiteError(
                f"`{missing[0]}` is not installed or not known: install it with pip, or track with one of "
                f"{', '.join(available_trackers()) or 'none (none is installed)'}."
            )
        self._file: TextIO | None = None
        self._listeners: list[Callable[[dict[str, float] | None], None]] = []
        if not enabled:
            return
        self.path = folder / "metrics.jsonl"
        if self.path.exists():
            _cut(self.path, from_step)
        self._file = self.path.open("a")
        self._listeners = [_LISTENERS[name](folder, run_id) for name in trackers]

    def row(self, **values: float) -> None:
        """Write one row; `step` is among the values."""
        if self._file is None:
            return
        self._file.write(artefacts.dumps(values) + "\n")
        self._file.flush()
        for listen in self._listeners:
            listen(values)

    def __enter__(self) -> Metrics:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()
        for listen in self._listeners:
            listen(None)


def read_metrics(folder: str | Path) -> list[dict[str, Any]]:
    """The rows of a run's metrics.jsonl; a last row cut short by a crash is left out."""
    rows = []
    for line in (Path(folder) / "metrics.jsonl").read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def final_loss(folder: str | Path, last: float = 0.05) -> float:
    """Mean training cross-entropy over the `last` part of a run's steps, at least its last full row; nats per token."""
    rows = read_metrics(folder)
    steps = np.diff([0, *(row["step"] for row in rows)])
    tail = steps[::-1].cumsum()[::-1] <= max(last * steps.sum(), steps.max() + steps[-1])
    ce = np.array([row["cross_entropy"] for row in rows])
    return float(np.average(ce[tail], weights=steps[tail]))


def available_trackers() -> tuple[str, ...]:
    """Which of the known trackers are installed."""
    return tuple(name for name in _LISTENERS if find_spec(name) is not None)


def _cut(path: Path, from_step: int) -> None:
    rows = [row for row in read_metrics(path.parent) if row["step"] <= from_step]
    artefacts.write_text(path, "".join(artefacts.dumps(row) + "\n" for row in rows))


def _tensorboard(folder: Path, run_id: str) -> Callable[[dict[str, float] | None], None]:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "tensorboard"))

    def listen(values: dict[str, float] | None) -> None:
        if values is None:
            writer.close()
            return
        for name, value in values.items():
            writer.add_scalar(name, value, int(values["step"]))

    return listen


def _trackio(folder: Path, run_id: str) -> Callable[[dict[str, float] | None], None]:
    import trackio

    trackio.init(project=folder.parent.name, name=run_id)

    def listen(values: dict[str, float] | None) -> None:
        if values is None:
            trackio.finish()
        else:
            trackio.log(values, step=int(values["step"]))

    return listen


_LISTENERS = {"tensorboard": _tensorboard, "trackio": _trackio}
