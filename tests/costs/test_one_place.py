"""6·N·D and 2·N·k are written in costs/ and nowhere else: a look at the syntax of every other file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import t2scaling

ROOT = Path(t2scaling.__file__).parent
# Names of what FLOPs are counted from, whole or as the end of a longer name.
_COUNTED = re.compile(
    r"(^|_)(N|D|C|k|n|d|params|parameters|tokens|flops|size|sizes|samples|budget|budgets|level|served)$"
)
# file → (expression, why it makes no FLOPs)
ALLOWED: dict[str, tuple[tuple[str, str], ...]] = {
    "testbed/evaluate/model.py": (
        (
            "2 * config.num_hidden_layers * heads * head_dim * next(self.model.parameters()).element_size()",
            "bytes of keys and values, whatever the model's own configuration calls them",
        ),
    ),
}


def products(tree: ast.AST) -> list[ast.expr]:
    """Products and quotients, each with all its factors (`6 * N * D` once, not `6 * N` again)."""
    chains = [
        node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
    ]
    inner = {id(side) for node in chains for side in (node.left, node.right)}
    return [node for node in chains if id(node) not in inner]


def factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return factors(node.left) + factors(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "int"):
        return [inner for arg in node.args for inner in factors(arg)]
    return [node]


def name_of(node: ast.expr) -> str:
    """`N` of N, cell.N, N[0], N.max(), N**2, float(N)."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "int"):
        return name_of(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return name_of(node.func.value) if node.func.attr in ("max", "min") else node.func.attr
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript | ast.BinOp):
        return name_of(node.value if isinstance(node, ast.Subscript) else node.left)
    return ""


def flops_in(source: str) -> list[str]:
    """Expressions that multiply or divide a count of something by 6 or by 2."""
    found = []
    for node in products(ast.parse(source)):
        parts = factors(node)
        if any(isinstance(part, ast.Constant) and part.value in (2, 6) for part in parts) and any(
            _COUNTED.search(name_of(part)) for part in parts
        ):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "line",
    [
        "C = 6 * N * D",
        "k = inference_flops / (2 * N)",
        "D = C / 6 / N",
        "x = 2.0 * largest.n_params",
        "x = float(2 * max(fit.curves.N.max() for fit in fits)) + float(2 * base.N.max())",
        "t = budgets[::4] / 6",
        "x = level / (6 * shape.n_params() ** 2)",
    ],
)
def test_the_look_finds_flops(line):
    assert flops_in(line)


@pytest.mark.parametrize(
    "line", ["x = 2 * error", "y = (a + b) / 2", "z = -2 * pull * residual", "w = 6 * len(names)", "v = 2 * len(k)"]
)
def test_the_look_leaves_other_arithmetic_alone(line):
    assert not flops_in(line)


FILES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "costs")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_flops_are_counted_in_costs_alone(path: Path) -> None:
    allowed = {expression for expression, _ in ALLOWED.get(str(path.relative_to(ROOT)), ())}
    assert set(flops_in(path.read_text(encoding="utf-8"))) <= allowed
