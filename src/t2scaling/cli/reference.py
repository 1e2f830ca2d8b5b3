"""Writes docs/cli.md from the help pages: `python -m t2scaling.cli.reference docs/cli.md`.

The text comes from each verb's own parameters, so the page cannot say anything that the program does not.
"""

import sys

import typer.main
from typer.cli import get_docs_for_click

from t2scaling.artefacts import write_text
from t2scaling.cli.main import build_app


def reference() -> str:
    """The command reference as Markdown."""
    root = typer.main.get_command(build_app())
    page = get_docs_for_click(obj=root, ctx=typer.Context(root), name="t2", title="The `t2` command")
    return page.replace("\n\n**Usage**", "\n\nGenerated from the help pages by `make docs`.\n\n**Usage**", 1)


if __name__ == "__main__":
    write_text(sys.argv[1], reference())
