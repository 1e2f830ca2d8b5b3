"""suite.json: what is refused, and how."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from t2scaling.cli.main import run
from t2scaling.errors import SuiteError
from t2scaling.testbed.suite import Suite, TrainingConfig, tiny


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(tiny().to_json())
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.update(sed=1), "did you mean `seed`"),
        (lambda c: c["training"].update(learningrate=1), "did you mean `learning_rate`"),
        (lambda c: c["training"].update(learning_rate=-1), "`learning_rate` = -1"),
        (lambda c: c["cells"][0].update(ntokens=1), "did you mean `n_tokens`"),
        (lambda c: c["cells"][0]["shape"].update(widht=1), "did you mean `width`"),
        (lambda c: c["cells"][0].update(n_tokens=7), "no whole number of steps"),
        (lambda c: c["cells"][0].update(n_params=7), "n_params = 7"),
        (lambda c: c["cells"][0].update(run_id="../x"), "lead out of its folder"),
        (lambda c: c["cells"][0].update(run_id=c["cells"][1]["run_id"]), "stands for two cells"),
        (lambda c: c.update(vocab_size=513), "vocab_size = 512, the suite has 513"),
        (lambda c: c.update(cells=[]), "has no cells"),
        (lambda c: c.update(cells=5), "`cells` is 5"),
        (lambda c: c.update(cells=[5]), "`cells.0` is 5: it should be an object"),
        (lambda c: c.update(tasks=5), "`tasks` is 5"),
        (lambda c: c.update(tasks=["../a"]), "lead out of its folder"),
        (lambda c: c.update(name="a/b"), "lead out of its folder"),
        (lambda c: c.update(training=[]), "`training` is \\[\\]"),
        (lambda c: c.update(seq_len="many"), "`seq_len` is 'many'"),
        (lambda c: c["training"].update(learning_rate=float("nan")), "finite"),
        (lambda c: c.pop("training"), "training"),
        (lambda c: c["training"].update(schedule="wsd"), "share a trunk"),
        (lambda c: c.update(convention="with_heads"), "with_heads"),
    ],
)
def test_bad_files_are_refused(change: Callable[[dict[str, Any]], object], named: str) -> None:
    with pytest.raises(SuiteError, match=named):
        Suite.from_json(edited(change), "suite.json")


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text("{")
    with pytest.raises(SuiteError, match="is not JSON"):
        Suite.load(tmp_path / "suite.json")


def test_a_misspelt_run_gets_a_suggestion() -> None:
    suite = tiny()
    name = suite.cells[0].run_id
    with pytest.raises(SuiteError, match=f"did you mean `{name}`"):
        suite.cell(name[:-1] + "x")


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": "cosin"},
        {"precision": "fp4"},
        {"beta2": 1.0},
        {"clip": 0.0},
        {"z_loss": -1.0},
        {"decay_fraction": 0.0},
        {"log_every": 0},
        {"rate_width": 0},
    ],
)
def test_impossible_training_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(change))}`"):
        replace(TrainingConfig(), **change)


def test_command_writes_the_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "suite.json"
    assert run(["suite", "tiny", "-o", str(path), "--device", "cpu", "--seed", "5", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    suite = Suite.load(path)
    assert suite.seed == 5
    assert [cell["run_id"] for cell in content["cells"]] == [cell.run_id for cell in suite.cells]
    assert content["cost"]["cosine_flops"] == pytest.approx(suite.train_flops)


def test_dry_run_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["suite", "paper", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "106 cells, 12 budgets, 16 sizes, 21 overtrained" in shown
    assert "h100" in shown
    assert "$" in shown
    assert list(tmp_path.iterdir()) == []
    assert run(["suite", "paper", "--dry-run", "--device", "h400"]) == 2
