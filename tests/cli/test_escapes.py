"""Nothing that stands in data steers the terminal."""

from __future__ import annotations

import json

import pytest

from t2scaling.cli.main import run

STEERING = "a\x1b]0;owned\x07\x1b[2J\u202eb"


@pytest.fixture
def table(tmp_path):
    """A table whose run and task are named to steer a terminal."""
    path = tmp_path / "runs.jsonl"
    rows = [
        {"run_id": STEERING + str(N), "n_params": N, "n_tokens": 1e9, "task": STEERING, "question_id": q, "nll": 1.0}
        for N in (1e6, 1e7)
        for q in range(3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("verb", [["validate"], ["import", "-o", "out.parquet"], ["fit", "--task", "other\x1b[2J"]])
def test_names_are_escaped(verb, table, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run([verb[0], str(table), *verb[1:]])
    captured = capsys.readouterr()
    said = (captured.out + captured.err).replace("\n", "")
    assert "\\x1b" in said
    assert said.isprintable()


def test_an_error_is_never_long(tmp_path, capsys):
    assert run(["validate", str(tmp_path / ("x" * 200 + ".csv")), "--nll-unit", "y" * 5000]) == 2
    assert len(capsys.readouterr().err) < 700
