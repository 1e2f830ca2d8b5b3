"""Every `>>>` example in the package is run as it stands."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import t2scaling

ROOT = Path(t2scaling.__file__).parent
MODULES = [
    ".".join(["t2scaling", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
NEEDS = {"t2scaling.testbed": "torch"}  # package → what its examples may need


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    for package, module in NEEDS.items():
        if name.startswith(package):
            pytest.importorskip(module)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted
    assert not found.failed
