"""CONTRIBUTING's commits: each is one new file and at most two lines elsewhere, and works through the command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
KINDS = dict(re.findall(r"^### (?:A|An) ([^\n]+)\n(.*?)(?=^### |\Z)", PAGE, re.DOTALL | re.MULTILINE))
TRAINS = {"generated task", "optimiser", "place where jobs run"}
MOST_LINES = 2


def block(kind: str, language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", KINDS[kind], re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{kind}: one block of {language}"
    return str(found[0])


def patched(text: str, hunk: list[str]) -> str:
    """The text with a hunk applied, whose old lines must stand there once."""
    old = "".join(f"{line[1:]}\n" for line in hunk if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in hunk if line[0] in " +")
    assert text.count(old) == 1, f"stands {text.count(old)} times:\n{old}"
    return text.replace(old, new)


def test_every_kind_of_thing_has_its_commit() -> None:
    assert set(KINDS) == {"law", "cost model", "strategy", "reader", "figure", *TRAINS}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in TRAINS)) for kind in KINDS])
def test_the_commit_is_small_and_works(kind: str, tmp_path: Path) -> None:
    if kind in TRAINS and find_spec("torch") is None:
        pytest.skip("needs torch")
    new, diff, console = (block(kind, language) for language in ("python", "diff", "console"))
    # Links in place of a copy: only what the commit touches is a file of its own.
    shutil.copytree(ROOT / "src", tmp_path / "src", copy_function=os.symlink, ignore=shutil.ignore_patterns("*.pyc"))
    added = tmp_path / new.partition("\n")[0].removeprefix("# ")
    assert not added.exists()
    added.write_text(new, encoding="utf-8")

    name, _, body = diff.partition("\n")
    edited = tmp_path / name.removeprefix("+++ ")
    assert edited != added
    assert max(len(re.findall(rf"^{sign}", body, re.MULTILINE)) for sign in (r"\+", "-")) <= MOST_LINES
    text = edited.read_text(encoding="utf-8")
    for hunk in body.split("@@\n"):
        text = patched(text, hunk.splitlines())
    edited.unlink()
    edited.write_text(text, encoding="utf-8")

    typed = [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]
    promised = [line for line in console.splitlines() if not line.startswith("$ ")]
    shell = f'set -e\npython() {{ "{sys.executable}" "$@"; }}\nt2() {{ python -m t2scaling.cli.main "$@"; }}\n'
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        ["sh", "-c", shell + "\n".join(typed)],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src"), "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in promised:
        assert line in done.stdout, done.stdout + done.stderr
