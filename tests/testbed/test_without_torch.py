"""The verbs that need torch say so in one paragraph where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
for name in ("torch", "transformers", "tokenizers", "safetensors"):
    sys.modules[name] = None
from t2scaling.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["pretrain", "tiny"],
        ["posttrain", "run", "--task", "knowledge"],
        ["study", "tiny.yaml"],
        ["evaluate", "model", "--tasks", "arithmetic", "--n-tokens", "1B"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_torch_is_asked_for_in_one_paragraph(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text("suite: {recipe: tiny}")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs torch" in done.stderr
    assert "pip install 't2scaling[train]'" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "runs").exists()
