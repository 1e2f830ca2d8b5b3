"""What every verb shares: options, output and the way an error is shown.

A verb parses its options, calls one public function, and hands the result to `emit`. Heavy imports stay inside
the verbs, so that `t2 --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.terminal import shows_unicode
from t2scaling.errors import ArgumentError
from t2scaling.foreign.names import shown
from t2scaling.units import parse_number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table


def number_option(help: str, *names: str, default_text: str | None = None, positive: bool = False) -> Any:
    """A `typer.Option` that reads numbers like 2.56e19, 7B or 2T; refuses zero and below where `positive`."""

    def parse(text: str) -> float:
        number = parse_number(text)
        if positive and not number > 0:
            raise ArgumentError(f"`{text}` must be above zero.")
        return number

    return typer.Option(*names, parser=parse, metavar="NUMBER", help=help, show_default=default_text or False)


def output_option(help: str, *endings: str, default_text: str | None = None, option: str | None = None) -> Any:
    """The option -o (or another) of a file, checked before any work starts.

    endings   the formats that can be written, such as .csv; a name without an ending will do where there is only one
    """

    names = ("--output", "-o") if option is None else (option,)

    def check(path: Path | None) -> Path | None:
        from t2scaling.artefacts import check_target

        if path is None:
            return None
        check_target(path)
        if path.suffix.lower() not in endings and (path.suffix or len(endings) > 1):
            raise ArgumentError(
                f"`{option or '--output'}` = {path} must end in {' or '.join(endings)}: that is what is written."
            )
        return path

    return typer.Option(*names, help=help, callback=check, show_default=default_text or True)


def folder_option(help: str) -> Any:
    """The option -o of a folder, checked before any work starts."""

    def check(folder: Path | None) -> Path | None:
        from t2scaling.artefacts import check_target

        if folder is not None:
            check_target(folder / "file")
        return folder

    return typer.Option("--output", "-o", help=help, callback=check)


JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Output = Annotated[Path | None, output_option("Where to write the artefact.", ".json")]
PLAIN: dict[str, Any] = {"header_style": "bold", "box": None, "pad_edge": False}  # the look of a table without lines
METRICS = {"pass_at_k": "pass@k", "neg_log_pass_at_k": "−log pass@k", "loss": "loss"}
Stage = Annotated[str, typer.Option(help="Stage of the runs: base, ft or sft.")]
Samples = Annotated[str, typer.Option("--k", "-k", help="Samples per problem, such as 1,8,64.")]


def console(stderr: bool = False) -> Console:
    """A rich console on stdout, or on stderr for everything that is not the answer.

    Names in a table come from data: whatever would steer the terminal is escaped here, once for all that is shown.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Shown(Console):
        def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
            for text, style, control in super().render(*args, **options):
                lines = (
                    text if control or text.isprintable() else "\n".join(shown(part, None) for part in text.split("\n"))
                )
                yield Segment(lines, style, control)

    return Shown(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def emit(content: Any, *, as_json: bool, show: Any = None, output: Path | None = None) -> None:
    """Print `content` as JSON, or `show` (text or any rich renderable, or a list of them) for people.

    output   where `content` is written as well, as JSON
    """
    if output is not None:
        from t2scaling.artefacts import write_json

        wrote(write_json(output, content))
    if as_json:
        from t2scaling.artefacts import dumps

        typer.echo(dumps(content, indent=2, ensure_ascii=not shows_unicode(sys.stdout)))
        return
    out = console()
    for item in show if isinstance(show, list) else [show]:
        if item is not None:
            out.print(item)


def grid(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1, **look: Any) -> Table:
    """A table for people, every cell escaped: the first `left` columns hold names, the others numbers."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", **look)
    for at, name in enumerate(head):
        table.add_column(name, justify="left" if at < left else "right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def warning(text: str) -> str:
    """A plan's warning as a line for people, with the limits it names written as options."""
    from rich.markup import escape

    return f"[yellow]![/] {escape(as_options(text))}"


def yellow(text: str) -> str:
    """A remark as a line for people."""
    from rich.markup import escape

    return f"[yellow]{escape(text)}[/yellow]"


def as_options(text: str) -> str:
    """A plan's words with the arguments that they name written as options."""
    for name in ("n_range", "max_tokens", "unique_tokens", "sizes", "extrapolate"):
        option = f"--{name.replace('_', '-')}"
        text = text.replace(f"`{name}` = ", f"{option} ").replace(f"`{name}`", option)
    return text


def note(message: str) -> None:
    """Print a line for people on stderr, where it cannot disturb `--json`."""
    from rich.markup import escape

    console(stderr=True).print(escape(message), style="dim")


def wrote(path: object) -> None:
    """Say on stderr where an artefact lies."""
    note(f"Written: {path}")


@contextmanager
def progress(description: str, total: int | None = None, quiet: bool = False) -> Iterator[Any]:
    """A progress bar on stderr, silent where stderr is no terminal; yields a callable that advances it by n.

    quiet   show nothing at all (`--json`)
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    err = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar: Progress = RichProgress(*columns, console=err, disable=quiet or not err.is_terminal, transient=True)
    with bar:
        task = bar.add_task(description, total=total)
        yield lambda n=1: bar.advance(task, n)
