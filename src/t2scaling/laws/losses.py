"""Plain tables of losses: one row per run with n_params, n_tokens and loss, for Chinchilla's law alone."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np

from t2scaling.errors import DataError
from t2scaling.laws.measurements import Curves
from t2scaling.units import parse_number

COLUMNS = ("n_params", "n_tokens", "loss")


def is_loss_table(path: str | Path) -> bool:
    """Whether the file is a CSV with the columns n_params, n_tokens and loss, and without per-question outcomes."""
    if Path(path).suffix.lower() != ".csv" or not Path(path).is_file():
        return False
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            header = set(next(csv.reader(file), []))
    except (UnicodeDecodeError, csv.Error):
        return False  # whoever reads it as a table of outcomes says what is wrong
    return header.issuperset(COLUMNS) and not header & {"nll", "n_samples", "question_id"}


def read_losses(path: str | Path) -> Curves:
    """Curves with k = 1 alone. Raises DataError for a cell that is no positive number, naming the line."""
    path = Path(path)
    rows, names = [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            rows.append([_cell(path, line, name, row[name]) for name in COLUMNS])
            names.append(row.get("run_id") or f"line {line}")
    if not rows:
        raise DataError(f"`{path}` holds no rows: give one line per run with {', '.join(COLUMNS)}.")
    N, D, loss = np.array(rows).T
    blank = np.full((len(rows), 1), np.nan)
    return Curves(
        path.stem, tuple(names), N, D, np.ones(1), loss[:, None], blank, blank, "mean_neg_log",
        data_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
    )  # fmt: skip


def _cell(path: Path, line: int, name: str, text: str | None) -> float:
    try:
        value = parse_number(text or "")
    except ValueError as error:
        raise DataError(f"`{path}`, line {line}: `{name}` = {text!r} is no number.", [line]) from error
    if value <= 0:
        raise DataError(f"`{path}`, line {line}: `{name}` = {text} must be positive.", [line])
    return value
