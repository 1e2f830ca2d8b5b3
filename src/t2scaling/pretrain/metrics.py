"""What a run tells while it trains: metrics.jsonl, a progress bar, and TensorBoard or trackio where installed.

metrics.jsonl has one row per `log_every` steps: step, tokens, loss and z-loss-free cross-entropy averaged over those
steps (nats), learning rate, gradient norm before clipping, tokens per second. When a run resumes, rows beyond its
checkpoint are cut off, so each step stands there once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from t2scaling import artefacts


class Metrics:
    """Appends rows to metrics.jsonl and hands them to whatever else listens.

    trackers   names among tensorboard, trackio; each must be installed
    """

    def __init__(self, folder: Path, run_id: str, from_step: int, trackers: tuple[str, ...] = ()) -> None:
        self.path = folder / "metrics.jsonl"
        if self.path.exists():
            _cut(self.path, from_step)
        self._file = self.path.open("a")
        self._listeners = [_LISTENERS[name](folder, run_id) for name in trackers]

    def row(self, **values: float) -> None:
        """Write one row; `step` is among the values."""
        self._file.write(artefacts.dumps(values) + "\n")
        self._file.flush()
        for listen in self._listeners:
            listen(values)

    def close(self) -> None:
        """Close the file and the listeners."""
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


def available_trackers() -> tuple[str, ...]:
    """Which of the known trackers are installed."""
    modules = {"tensorboard": "tensorboard", "trackio": "trackio"}
    return tuple(name for name, module in modules.items() if find_spec(module) is not None)


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
