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
        {
            "name": law.name,
            "label": law.label,
            "formula": law.formula,
            "parameters": list(law.parameter_names),
            "metric": law.metric,
            "samples": law.samples,
            "plans": law.plans,
        }
        for law in LAWS.values()
    ]
    published = [_published(load_law(name), name) for name in names()]
    content = {"laws": fitted, "published": published}
    emit(content, as_json=as_json, show=[_laws(fitted), "", _table(published)])


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


def _laws(rows: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from t2scaling.laws.base import METRIC_LABELS

    table = Table(title="Laws that `t2 fit --law` fits", title_justify="left", header_style="bold", box=None)
    table.add_column("law", no_wrap=True)
    for name in ("formula", "says"):
        table.add_column(name, overflow="fold")
    for row in rows:
        says = METRIC_LABELS[row["metric"]] + ("" if row["plans"] else "; not to plan with")
        table.add_row(f"[bold]{row['name']}[/]", escape(row["formula"]), says)
    return table


def _table(rows: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Published laws, by name", title_justify="left", header_style="bold", box=None)
    table.add_column("name", no_wrap=True)
    for name in ("formula", "source"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(f"[bold]{row['name']}[/]", escape(row["formula"]), escape(row["source"]))
    return table
