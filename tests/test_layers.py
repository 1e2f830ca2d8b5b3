"""Imports go one way: what each package may import is held here, by reading the source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import t2scaling

ROOT = Path(t2scaling.__file__).parent

BASE = {"arrays", "errors", "units", "views", "artefacts", "foreign", "run_record"}
FITTING = BASE | {"passk", "costs", "strategies", "laws"}
MAKING = BASE | {"testbed.lease", "testbed.stop", "costs", "testbed.suite", "testbed.corpus", "testbed.tasks"}
# package → packages of this project that it may import besides itself
ALLOWED: dict[str, set[str]] = {
    "arrays": set(),
    "errors": set(),
    "units": {"errors"},
    "views": {"artefacts"},
    "artefacts": {"errors", "units"},
    "foreign": {"errors"},
    "run_record": {"artefacts", "errors", "foreign"},
    "passk": BASE,
    "costs": BASE,
    "strategies": BASE | {"passk", "costs"},
    "laws": BASE | {"passk", "costs", "strategies"},
    "allocate": FITTING,
    "observations": FITTING,
    "testbed.suite": BASE | {"passk", "costs", "observations"},
    "testbed.stop": {"errors"},
    "testbed.lease": {"errors", "artefacts"},
    "testbed.corpus": BASE | {"testbed.lease"},
    "testbed.tasks": BASE | {"testbed.corpus"},
    "testbed.pretrain": MAKING,
    "testbed.posttrain": MAKING | {"testbed.pretrain"},
    "testbed.evaluate": MAKING | {"testbed.pretrain"},
    "testbed.study": FITTING
    | {"testbed.lease", "testbed.stop"}
    | {"allocate", "observations", "report", "testbed.suite", "testbed.corpus", "testbed.tasks"}
    | {"testbed.pretrain", "testbed.posttrain", "testbed.evaluate"},
    "report": FITTING | {"allocate", "observations"},
    # Python's lenient door: where laws and tables meet.
    "api": {"errors", "laws", "observations"},
    # A verb calls one public function of any room.
    "cli": FITTING
    | {"allocate", "observations", "report", "api", "testbed.suite", "testbed.corpus", "testbed.tasks"}
    | {"testbed.pretrain", "testbed.posttrain", "testbed.evaluate", "testbed.study"},
}
# package → third-party packages it must not import anywhere, not even inside a function
FORBIDDEN = {
    "errors": {"numpy", "torch", "polars"},
    "strategies": {"torch", "polars", "transformers", "matplotlib", "pandas"},
    "costs": {"scipy", "torch", "polars", "transformers", "matplotlib"},
    "laws": {"torch", "polars", "transformers", "matplotlib", "pandas"},
    "allocate": {"torch", "polars", "transformers", "matplotlib", "pandas"},
    "report": {"torch", "transformers"},
    "observations": {"torch", "transformers", "matplotlib"},
}
HEAVY = {"torch", "transformers", "polars", "matplotlib", "scipy", "pandas", "datasets", "rich", "numpy"}


@cache
def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Modules that a file imports, leaving out blocks for type checkers."""
    tree = ast.parse(path.read_text())
    nodes: list[ast.AST] = list(tree.body) if top_level_only else list(ast.walk(tree))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in nodes:
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def room(parts: list[str]) -> str:
    """`laws`, or `testbed.suite`: the testbed's rooms are guarded one by one."""
    inner = parts[0] == "testbed" and len(parts) > 1 and parts[1] != "__init__"
    return ".".join(parts[:2]) if inner else parts[0]


def package_of(path: Path) -> str:
    return room([part.removesuffix(".py") for part in path.relative_to(ROOT).parts])


def own(modules: set[str]) -> set[str]:
    """Rooms of this project among the modules; a name that is no folder and no file is a function or a class."""
    named = {room(name.split(".")[1:]) for name in modules if name.startswith("t2scaling.")} - {"testbed"}
    places = {name: ROOT / name.replace(".", "/") for name in named}
    return {name for name, at in places.items() if at.is_dir() or at.with_suffix(".py").exists()}


FILES = sorted(ROOT.rglob("*.py"))
ROOMS = sorted({package_of(path) for path in FILES} - {"__init__", "testbed"})


@pytest.mark.parametrize("package", ROOMS)
def test_layers(package: str) -> None:
    for path in FILES:
        if package_of(path) == package:
            found = imports(path)
            assert own(found) <= ALLOWED[package] | {package}, path
            assert not {name.split(".")[0] for name in found} & FORBIDDEN.get(package, set()), path


def test_the_core_imports_nothing_of_the_testbed() -> None:
    for package, allowed in ALLOWED.items():
        if package != "cli" and not package.startswith("testbed."):
            assert not {name for name in allowed if name.startswith("testbed")}


def dependencies(path: Path, modules: dict[str, Path]) -> set[str]:
    """Modules of this project that a file needs at run time, in functions too; `from package import module` needs the
    module and not the package."""
    found = imports(path) & set(modules)
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def test_imports_run_in_no_circle() -> None:
    modules = {}
    for path in FILES:
        parts = ["t2scaling", *(part.removesuffix(".py") for part in path.relative_to(ROOT).parts)]
        modules[".".join(parts).removesuffix(".__init__")] = path
    needs = {name: dependencies(path, modules) - {name} for name, path in modules.items()}
    while free := {name for name, wanted in needs.items() if not wanted & set(needs)}:
        needs = {name: wanted for name, wanted in needs.items() if name not in free}
    assert not needs, f"circles among {sorted(needs)}"


def test_nobody_outside_laws_asks_which_law_it_is() -> None:
    """What differs between laws is said by the law itself: no isinstance on one, no comparison of its name."""
    from t2scaling.laws import LAWS

    classes = "|".join(law.__name__ for law in LAWS.values())
    names = "|".join(LAWS)
    asks = re.compile(
        rf"isinstance\([^()]*\b({classes})\b|\.name\s*[!=]=\s*[\"']({names})[\"']|law\s*[!=]=\s*[\"']({names})[\"']"
    )
    for path in FILES:
        if package_of(path) not in ("laws", "api"):
            assert not asks.search(path.read_text()), path


@pytest.mark.parametrize("path", sorted((ROOT / "cli").glob("*.py")), ids=lambda path: path.name)
def test_the_command_imports_nothing_heavy_at_start(path: Path) -> None:
    found = {name.split(".")[0] for name in imports(path, top_level_only=True)}
    assert not found & HEAVY


def test_nothing_is_unpickled() -> None:
    for path in FILES:
        assert not {name.split(".")[0] for name in imports(path)} & {
            "pickle",
            "dill",
            "joblib",
            "cloudpickle",
            "shelve",
        }
        assert "weights_only=False" not in path.read_text()
