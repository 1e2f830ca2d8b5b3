"""The `t2` command: wires one file per verb, and turns errors into one paragraph and an exit code.

Exit codes: 0 done, 1 a fit failed, 2 bad input or a missing prerequisite, 130 interrupted.
"""

import os
import re
import sys
import warnings
from importlib import import_module
from inspect import getdoc
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from t2scaling.cli.common import note
from t2scaling.cli.tables import ready
from t2scaling.cli.terminal import drop_stdout, prepare_streams
from t2scaling.errors import ArgumentError, MissingColumns, T2Error
from t2scaling.foreign.names import shown
from t2scaling.units import parse_number

# Verb → module under t2scaling.cli; each module has a function `command`. The order is that of the help page.
VERBS: dict[str, str] = {
    "demo": "demo",
    "suite": "suite",
    "pretrain": "pretrain",
    "posttrain": "posttrain",
    "evaluate": "evaluate",
    "collect": "collect",
    "import": "import_",
    "validate": "validate",
    "score": "score",
    "fit": "fit",
    "predict": "predict",
    "plan": "plan",
    "frontier": "frontier",
    "backtest": "backtest",
    "next": "next",
    "forecast": "forecast",
    "samples": "samples",
    "laws": "laws",
    "report": "report",
    "results": "results",
    "study": "study",
    "status": "status",
}


# The base class of every error about the command line. Newer typer carries its own copy of click, older ones use the
# package; either way typer.BadParameter descends from it.
_USAGE_ERROR: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


class _PlainFlags:
    """Help that shows a flag as `--json`, not as `--json <bool>`."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, flags without the name of a type."""
        params = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params


class _Verb(_PlainFlags, TyperCommand):
    pass


class _Root(_PlainFlags, TyperGroup):
    """The verbs, each built when it is asked for: their parameters cost more time than all else of a help page."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: dict[str, Any] = dict.fromkeys(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a verb, or None where there is no such verb."""
        if cmd_name in VERBS and self.commands[cmd_name] is None:
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name, cls=_Verb)(_function(cmd_name))
            self.commands[cmd_name] = typer.main.get_command(alone)
        return self.commands.get(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The page of all verbs, which shows nothing of them but their text."""
        self.commands = {verb: TyperCommand(verb, help=getdoc(_function(verb))) for verb in VERBS}
        super().format_help(ctx, formatter)


def _function(verb: str) -> Any:
    return import_module(f"t2scaling.cli.{VERBS[verb]}").command


def build_app() -> typer.Typer:
    """The typer application with every verb attached."""
    app = typer.Typer(
        name="t2",
        cls=_Root,
        help="Train-to-Test scaling laws: how big a model, on how many tokens, with how many samples per problem.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_root)
    return app


def _version(show: bool) -> None:
    if show:
        from t2scaling import __version__

        typer.echo(f"t2scaling {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main(argv: list[str] | None = None) -> None:
    """Run the command; exits the process."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run the command line `argv` and return its exit code."""
    prepare_streams()
    app = build_app()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: note(f"Warning: {message}")
            result = app(args=argv, prog_name="t2", standalone_mode=False)
        sys.stdout.flush()
    except _USAGE_ERROR as error:
        return _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted.", 130)
    except (BrokenPipeError, SystemExit):  # `t2 … | head` is no failure of ours; rich turns the one into the other
        drop_stdout()
        return 0
    except (T2Error, ValueError, OSError) as error:
        if os.environ.get("T2_DEBUG"):
            raise
        message = _message(error)
        if isinstance(error, ArgumentError) or not isinstance(error, T2Error):
            message = as_typed(message, _options(app, argv))
        if isinstance(error, MissingColumns):
            return _fail(f"{error.what} {ready(argv, error.options)}", error.exit_code)
        return _fail(message, getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"`{error.filename}`: {error.strerror or error}. Check the path and its permissions."
    return str(error)


def _usage(error: Any) -> int:
    """An error about the command line itself, as one paragraph; `t2` alone shows its help."""
    message = error.format_message().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" or context is None:
        typer.echo(message, err=True)
        return 2
    stop = "" if message.endswith((".", "?")) else "."
    return _fail(f"{message}{stop} See `{context.command_path} --help`.", 2)


def _options(app: typer.Typer, argv: list[str]) -> dict[str, tuple[str, str]]:
    """Argument of the verb's function → the option and its value as typed: train_flops → (--train-flops, 2T)."""
    root: Any = typer.main.get_command(app)
    verb = root.get_command(None, argv[0]) if argv else None
    params = verb.params if verb is not None else []
    found: dict[str, tuple[str, str]] = {}
    for param in params:
        names = [name for name in param.opts if name.startswith("--")]
        used = [name for name in names if _typed([name], argv)] or names
        for known in [param.name, *(name[2:].replace("-", "_") for name in names)] if names else ():
            found[known] = (used[0], _typed(param.opts, argv))
    return found


def _typed(names: list[str], argv: list[str]) -> str:
    """The value that follows one of an option's names, or an empty text."""
    for at, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(argv[at + 1 : at + 2])
    return ""


def as_typed(message: str, options: dict[str, tuple[str, str]]) -> str:
    """The message with `train_flops` written as the option, and its value as the text, that were typed."""

    def write(found: re.Match[str]) -> str:
        option, text = options.get(found[1], (found[1], ""))
        value = found[2] or ""
        return f"`{option}`" + (f" = {text}" if value and _same(value.removeprefix(" = "), text) else value)

    return re.sub(r"`(\w+)`( = [-+.\w]*\w)?", write, message)


def _same(value: str, text: str) -> bool:
    """Whether a number in a message is the one that was typed."""
    try:
        shown, typed = parse_number(value), parse_number(text)
        return abs(shown - typed) <= 1e-5 * abs(typed)
    except ValueError:
        return False


def _fail(message: str, code: int) -> int:
    typer.echo(f"t2: {shown(message)}", err=True)
    return code


if __name__ == "__main__":
    main()
