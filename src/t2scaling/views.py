"""Results as frames and figures: the one door from a result to polars and matplotlib, opened only when asked.

Fits, plans and frontiers know nothing of either; their `.to_frame()` and `.plot()` come through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a polars frame; a column's type is read from all of them."""
    made: pl.DataFrame = import_module("polars").DataFrame(rows, infer_schema_length=None)
    return made


def figure(name: str, *results: Any) -> Figure:
    """The figure `name` of `t2scaling.report.plots`, drawn from results."""
    drawn: Figure = getattr(import_module("t2scaling.report.plots"), name)(*results)
    return drawn


def html_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A plain table for notebooks, all cells escaped."""
    from html import escape

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in body)}</table>"
