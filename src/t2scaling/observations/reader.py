"""`read`: whatever holds measurements → `Observations`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2scaling.errors import DataError
from t2scaling.observations.report import ReportBuilder, Source
from t2scaling.observations.table import Observations, read_conventions
from t2scaling.observations.tabular import from_any, read_table


def read(data: Any, *, columns: Mapping[str, str] | None = None, nll_unit: str | None = None) -> Observations:
    """Read measurements from a CSV, Parquet or JSONL file, or from a dataframe."""
    report = ReportBuilder()
    if isinstance(data, str | Path):
        path = Path(data)
        if not path.exists():
            raise DataError(f"`{path}` does not exist. Check the path.")
        frame, kind = read_table(path)
        stored = read_conventions(path) if kind == "parquet" else {}
        where = f"`{path}`"
    else:
        frame, kind, stored, where = from_any(data), "frame", {}, "the table"
    if nll_unit:
        stored["nll"] = nll_unit
    report.sources.append(Source(where.strip("`"), kind, len(frame), len(frame), "canonical columns"))
    return Observations.from_frame(frame, stored, report.build(), columns=columns, where=where)
