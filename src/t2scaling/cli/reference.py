"""Writes docs/cli.md from the help pages: `python -m t2scaling.cli.reference docs/cli.md`.

The text comes from each verb's own parameters, so the page cannot say anything that the program does not.
"""

from __future__ import annotations

import sys
from typing import Any

import typer.main

from t2scaling.artefacts import write_text
from t2scaling.cli.main import build_app


def reference() -> str:
    """The command reference as Markdown."""
    root: Any = typer.main.get_command(build_app())
    parts = ["# The `t2` command", "", root.help, "", "Generated from the help pages by `make docs`.", ""]
    for name, verb in root.commands.items():
        parts += [f"## `t2 {name}`", "", _prose(verb.help or ""), "", _usage(name, verb), ""]
        parts += _table([parameter for parameter in verb.params if not getattr(parameter, "hidden", False)])
    return "\n".join(parts).rstrip() + "\n"


def _prose(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace("\b", "").splitlines()).strip()


def _usage(name: str, verb: Any) -> str:
    arguments = [_metavar(parameter) for parameter in verb.params if parameter.param_type_name == "argument"]
    return f"    t2 {name} [OPTIONS] {' '.join(arguments)}".rstrip()


def _metavar(argument: Any) -> str:
    name = (argument.metavar or argument.name.upper()) + ("…" if argument.nargs != 1 else "")
    return name if argument.required else f"[{name}]"


def _table(parameters: list[Any]) -> list[str]:
    rows = ["| argument | meaning |", "|---|---|"]
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            names = f"`{parameter.metavar or parameter.name.upper()}`"
        else:
            names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        default = (
            parameter.show_default if isinstance(getattr(parameter, "show_default", None), str) else parameter.default
        )
        hidden = default is None or default is False or default in ("", ()) or callable(default)
        shown = "" if hidden else f" (default: {default})"
        required = " (required)" if parameter.required else ""
        rows.append(f"| {names} | {_cell(getattr(parameter, 'help', None) or '')}{shown}{required} |")
    return [*rows, ""] if parameters else []


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_text(sys.argv[1], reference())
