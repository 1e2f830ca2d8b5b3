"""Results as JSON, frames and figures: the one door to polars and matplotlib, opened only when asked."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from t2scaling.artefacts import dumps

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


class Result:
    """What fits, plans, frontiers and backtests share.

    kind     of result; `t2scaling.report.plots` has a figure of that name
    indent   of its JSON
    """

    kind: ClassVar[str]
    indent: ClassVar[int] = 2

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain values and arrays."""
        raise NotImplementedError

    def records(self) -> list[dict[str, Any]]:
        """Its table, a dict per row."""
        raise NotImplementedError

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return dumps(self.to_dict(), indent=self.indent)

    def to_frame(self) -> pl.DataFrame:
        """Its table as a polars frame."""
        made: pl.DataFrame = import_module("polars").DataFrame(self.records(), infer_schema_length=None)
        return made

    def plot(self) -> Figure:
        """Its figure (needs matplotlib)."""
        drawn: Figure = getattr(import_module("t2scaling.report.plots"), self.kind)(self)
        return drawn


def html_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A plain table for notebooks, all cells escaped."""
    from html import escape

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in body)}</table>"
