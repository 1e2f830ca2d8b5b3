"""`t2 laws`: the laws that can be fitted, and the published ones that need no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from t2scaling.cli.common import JsonFlag, emit

if TYPE_CHECKING:
    from rich.table import Table


def command(as_json: JsonFlag = False) -> None:
    """List the laws that `fit` knows, and the published laws that `plan`, `predict` and `report` take by name."""
    from t2scaling.laws import LAWS, load_law
    from t2scaling.laws.published import names

    fitted = [
        {name: getattr(law, name) for name in ("name", "label", "formula", "metric", "samples", "plans")}
        | {"parameters": list(law.parameter_names)}
        for law in LAWS.values()
    ]
    published = [_published(load_law(name), name) for name in names()]
    content = {"laws": fitted, "published": published}
    own: list[tuple[Any, ...]] = [(row["name"], row["formula"], _says(row)) for row in fitted]
    others: list[tuple[Any, ...]] = [(row["name"], row["formula"], row["source"]) for row in published]
    tables = [
        _table("Laws that `t2 fit --law` fits", ("law", "formula", "says"), own),
        "",
        _table("Published laws, by name", ("name", "formula", "source"), others),
    ]
    emit(content, as_json=as_json, show=tables)


def _published(found: Any, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "law": found.law.name,
        "formula": found.law.formula,
        "parameters": found.law.parameters,
        "task": found.task,
        "source": found.citation,
        "support": {axis: list(ends) for axis, ends in found.support.items()},
        "conventions": found.conventions,
    }


def _says(row: dict[str, Any]) -> str:
    from t2scaling.laws.base import METRIC_LABELS

    return METRIC_LABELS[row["metric"]] + ("" if row["plans"] else "; not to plan with")


def _table(title: str, columns: tuple[str, str, str], rows: list[tuple[Any, ...]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    table.add_column(columns[0], no_wrap=True)
    for name in columns[1:]:
        table.add_column(name, overflow="fold")
    for name, *cells in rows:
        table.add_row(f"[bold]{name}[/]", *map(escape, cells))
    return table
