"""`t2 study FILE`: one file runs the whole pipeline, and starting it again does what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from t2scaling.cli.common import JsonFlag, console, emit, folder_option, note

if TYPE_CHECKING:
    from t2scaling.testbed.study import StudyResult


def command(
    file: Annotated[Path, typer.Argument(help="Study file (YAML); see examples/tiny.yaml.")],
    output: Annotated[Path | None, folder_option("Folder of the study.")] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Runs at once; one per core or GPU where left out.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of weights and data order.", show_default="the suite's")
    ] = None,
    on: Annotated[
        str, typer.Option(help="Where workers run: local, ray, slurm; settings as slurm:partition=gpu,timeout_min=60.")
    ] = "local",
    join: Annotated[bool, typer.Option("--join", help="Work along on a study that another machine began.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Begin the jobs anew that have failed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be run, and start nothing.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Run a whole study: plan, pretrain, evaluate, post-train, fit, plan, report.

    Independent runs go in parallel, one thread or one GPU each. A run that fails is reported with its log and stops
    no other. Start the same command again and only what is missing is done; start it on as many machines as see the
    folder and they share the work (`--join` leaves the results to one of them). Results of the suite on the paper's
    questions go to results.md in the study's folder.
    """
    from t2scaling.testbed.study import describe, open_study, study

    if dry_run:
        outline = describe(open_study(file, output, jobs, seed))
        emit(outline.to_dict(), as_json=as_json, show=outline.tables())
        return 0
    name, options = _engine(on)
    result = study(
        file, out=output, jobs=jobs, seed=seed, on=name, join=join, retry=retry, options=options, watch=_watch, say=note
    )
    emit(result.to_dict(), as_json=as_json, show=_summary(result))
    if join:
        return 1 if result.failed else 0
    return 1 if result.failed or not result.finished or result.finished.problems else 0


def _engine(text: str) -> tuple[str, dict[str, str]]:
    """`slurm:partition=gpu,timeout_min=60` as a name and settings; `ray:auto` is an address."""
    name, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part.strip()]
    return name, {
        key.strip() if equals else "address": (value if equals else key).strip() for key, equals, value in pairs
    }


@contextmanager
def _watch() -> Iterator[Any]:
    from t2scaling.testbed.study.view import watcher

    with watcher(console(stderr=True)) as show:
        yield show


def _summary(result: StudyResult) -> list[Any]:
    from rich.text import Text

    lines: list[Any] = [Text(sentence, style="red") for sentence in _failures(result)]
    finished = result.finished
    if finished is None and not result.failed and not result.ended.active:
        return [*lines, Text(result.ended.headline())]
    if finished is None:
        return [*lines, Text("Nothing was measured, so there is nothing to fit.", style="red")]
    lines += [Text(problem, style="yellow") for problem in finished.problems]
    if finished.plan is not None:
        lines.append(Text(finished.plan.sentence()))
    lines += [Text(str(path)) for path in finished.paths()]
    return lines


def _failures(result: StudyResult) -> list[str]:
    """One paragraph per error, with the jobs that it stopped and a log to read."""
    logs = result.study.layout.logs
    by_error: dict[str, list[str]] = {}
    for name, status in result.failed.items():
        by_error.setdefault(f"{status.state}: {status.note.rstrip('.')}.", []).append(name)
    sentences = []
    for error, names in by_error.items():
        log = logs / f"{names[0]}.log"
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        where = f" Log: {log}" if log.is_file() else ""
        sentences.append(f"{', '.join(names[:3])}{more} {error}{where}")
    return sentences
