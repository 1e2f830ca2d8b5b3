"""The README's commands and code run as written in an empty folder, its links hold, docs/cli.md is current."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest

from t2scaling.allocate import Plan, PlanStatus
from t2scaling.observations import load_observations

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def yaml_blocks(path: Path) -> list[str]:
    """YAML in a document's fences; in docstrings, indented blocks that are a study file or a manifest."""
    text = path.read_text()
    if path.suffix == ".md":
        return re.findall(r"```ya?ml\n(.*?)```", text, flags=re.DOTALL)
    docs = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, DOCUMENTED)]
    found = [
        textwrap.dedent(block) for doc in docs for block in re.findall(r"(?:^    .+\n?)+", doc, flags=re.MULTILINE)
    ]
    return [block for block in found if re.match(r"(suite|runs|patterns): ", block)]


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
    assert (tmp_path / "figures" / "isoflop.svg").exists()
    plan = Plan.load(tmp_path / "plan.json")
    inside_the_suite(plan)


def inside_the_suite(plan: Plan) -> None:
    """The examples plan within the data: a measured size, not a single parameter and not one beyond the suite."""
    assert plan.status is PlanStatus.OPTIMUM
    sizes, tokens = (load_observations("world").runs[name] for name in ("n_params", "n_tokens"))
    assert sizes.min() <= plan.n_params <= sizes.max()  # type: ignore[operator]
    assert tokens.min() <= plan.n_tokens <= tokens.max()  # type: ignore[operator]


def test_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert "Train" in capsys.readouterr().out
    inside_the_suite(names["plan"])
    assert (tmp_path / "plan.html").exists()


YAML_BLOCKS = [
    (path, block)
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "src").rglob("*.py"))]
    for block in yaml_blocks(path)
]


def test_documents_and_docstrings_show_yaml() -> None:
    assert {path.suffix for path, _ in YAML_BLOCKS} == {".md", ".py"}


@pytest.mark.parametrize(("path", "block"), YAML_BLOCKS, ids=lambda value: getattr(value, "name", "block"))
def test_every_yaml_block_is_taken_as_it_stands(path: Path, block: str, tmp_path: Path) -> None:
    """A study file is opened, a manifest is loaded; what lm-eval reads has the keys that lm-eval knows."""
    file = tmp_path / "block.yaml"
    file.write_text(block)
    if "\nsuite:" in f"\n{block}":
        from t2scaling.testbed.study import read_config

        read_config(file)
    elif "metric_list:" in block:
        from lm_eval.api.task import TaskConfig

        assert set(re.findall(r"^(\w+):", block, flags=re.MULTILINE)) <= set(TaskConfig.__dataclass_fields__)
    else:
        from t2scaling.observations.manifest import load_manifest

        load_manifest(file)


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


def test_where_to_put_a_new_thing_names_files_that_are_there() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where to put a new")[2]
    paths = [path for path in re.findall(r"`((?:[a-z_]+/)+(?:[A-Za-z_]+\.py)?)`", table) if "NAME" not in path]
    assert len(paths) >= 10
    for path in paths:
        assert (ROOT / "src" / "t2scaling" / path).exists() or (ROOT / path).exists(), path
    for folder in re.findall(r"`((?:[a-z_]+/)+)NAME\.py`", table):
        assert (ROOT / "src" / "t2scaling" / folder).is_dir(), folder


def test_public_names() -> None:
    import t2scaling

    assert len(t2scaling.__all__) <= 30
    for name in t2scaling.__all__:
        assert getattr(t2scaling, name) is not None
