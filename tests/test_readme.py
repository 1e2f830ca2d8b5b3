"""The README's commands and code run as written in an empty folder, its links hold, docs/cli.md is current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from t2scaling.cli.main import run

    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
    assert len(commands) >= 8
    for line in commands:
        words = shlex.split(line, comments=True)
        assert words[0] == "t2"
        code = run(words[1:])
        printed = capsys.readouterr()
        assert code == 0, f"{line}\n{printed.err}"
        assert printed.out or "-o" in words
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert "Train" in capsys.readouterr().out


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_command_reference_is_current() -> None:
    from t2scaling.cli.reference import reference

    assert (ROOT / "docs" / "cli.md").read_text() == reference(), "run `make docs`"


def test_public_names() -> None:
    import t2scaling

    assert len(t2scaling.__all__) <= 30
    for name in t2scaling.__all__:
        assert getattr(t2scaling, name) is not None
