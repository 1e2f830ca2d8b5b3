"""Hostile values for the options of every verb that answers from files, through the command itself."""

from __future__ import annotations

import contextlib
import io
import os
import random
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from mutations import NUMBERS
from trials import _uncaught

from t2scaling.errors import T2Error

VALUES = (*NUMBERS, "1e30", "1e12", "2", "16", "0.5", "1,2,4", "0.01,3", "1e6:1e9:5", "1e9:1e12:100000000", "1e12,1e13")
LEFT_OUT = (
    "--output", "--jobs", "--json", "--help", "--column", "--runs", "--grader", "--figure", "--figures",
    "--install-completion",
)  # fmt: skip


def base(shared: Path) -> dict[str, list[str]]:
    """Verb → arguments with which it answers in well under a second."""
    fit, table = str(shared / "fit-loss.json"), str(shared / "observations.parquet")
    budgets = ["--train-flops", "1e17", "--inference-flops", "1e8"]
    return {
        "fit": [table, "--law", "loss", "--task", "sums", "--k", "1,2,4"],
        "predict": [fit, "-N", "1e7", "-D", "1e9", "-k", "4"],
        "plan": [fit, *budgets],
        "frontier": [fit, "--train-flops", "1e16:1e18:4", "--inference-flops", "1e8"],
        "score": [table],
        "suite": ["tiny"],
        "backtest": [table, "--law", "loss", "--task", "sums"],
        "next": [fit],
    }


@cache
def options(verb: str) -> tuple[str, ...]:
    """The options of a verb that take a value."""
    import typer.main

    from t2scaling.cli.main import build_app

    root: Any = typer.main.get_command(build_app())
    command = root.get_command(None, verb)
    found = command.params if command is not None else []
    return tuple(
        param.opts[0]
        for param in found
        if param.opts[0].startswith("-") and not getattr(param, "is_flag", False) and param.opts[0] not in LEFT_OUT
    )


def run(seed: int, shared: Path) -> dict[str, Any]:
    """The outcome of one command line; its exit code is 0, 1 or 2, and it says why in one line."""
    from t2scaling.cli.main import run as command

    rng = random.Random(f"settings:{seed}")
    known = base(shared)
    verb = rng.choice([verb for verb in known if options(verb)])
    argv = [verb, *known[verb]]
    for option in rng.sample(options(verb), min(len(options(verb)), rng.choice((1, 1, 2)))):
        value = rng.choice(VALUES)
        if option in ("--bootstrap", "--restarts") and value.replace(".", "").isdecimal() and len(value) > 2:
            value = "7"  # more of them only takes longer, which is what was asked for
        if option in argv:
            argv[argv.index(option) + 1] = value
        else:
            argv += [option, value] if rng.random() < 0.5 else [f"{option}={value}"]
    said = io.StringIO()
    os.environ["T2_DEBUG"] = "1"
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(io.StringIO()),
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),  # some verbs write where they stand
        ):
            warnings.simplefilter("error")
            code = command(argv)
    except MemoryError:
        return {"outcome": "memory", "message": " ".join(argv)}
    except BaseException as error:
        message = str(error)
        if isinstance(error, OSError) and error.filename is not None:  # shown with its name, the reason and a way out
            return {"outcome": "refused", "message": f"{' '.join(argv)}: {message[:300]}"}
        if isinstance(error, T2Error):  # shown as one paragraph
            outcome = "refused" if "`" in message else "poor"  # it names an argument
            return {"outcome": outcome, "message": f"{' '.join(argv)}: {message[:300]}"}
        found = _uncaught(error)
        return {**found, "message": f"{' '.join(argv)}: {found['message']}"}
    finally:
        del os.environ["T2_DEBUG"]
    if code not in (0, 1, 2):
        return {"outcome": "uncaught", "message": f"{' '.join(argv)}: exit code {code}"}
    return {"outcome": "read" if code == 0 else "refused", "message": f"{' '.join(argv)}: {said.getvalue()[:300]}"}
