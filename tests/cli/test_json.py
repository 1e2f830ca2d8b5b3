"""With --json stdout is one JSON document and nothing else; whatever else there is to say goes to stderr."""

from __future__ import annotations

import json

import pytest

from t2scaling.cli.main import run

BUDGET = ["--train-flops", "1e17", "--inference-flops", "1e8"]


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["import", "runs.csv", "-o", "OUT"], {"output", "n_runs", "n_outcomes", "tasks", "report", "conventions"}),
        (["validate", "runs.csv"], {"file", "valid", "n_runs", "tasks", "report"}),
        (["fit", "runs.csv", "--bootstrap", "4", "-o", "OUT"], {"law", "task", "status", "curves", "bootstrap"}),
        (["predict", "fit.json", "-N", "1M,1B", "-D", "1B", "-k", "1,4"], {"predictions", "metric", "warnings"}),
        (["plan", "fit.json", *BUDGET, "-o", "OUT"], {"law", "task", "optimum", "chinchilla", "warnings"}),
        (["frontier", "fit.json", "--train-flops", "1e16:1e18:3", "--inference-flops", "1e8"], {"rows", "warnings"}),
        (["report", "fit.json", *BUDGET, "-o", "OUT"], {"report", "recommendation", "plan"}),
        (["suite", "tiny", "--dry-run"], {"name", "cost", "cells"}),
    ],
)
def test_stdout_is_one_document(folder, tmp_path, capsys, argv, keys):
    names = {"OUT": str(tmp_path / "out"), **{name: str(folder / name) for name in ("runs.csv", "fit.json")}}
    assert run([*(names.get(word, word) for word in argv), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert keys <= set(content)
    assert (tmp_path / "out").exists() == ("OUT" in argv)


def test_predictions_carry_the_warnings_of_their_fit(folder, capsys):
    path = str(folder / "fit.json")
    assert run(["predict", path, "-N", "1M", "-D", "1B", "--json"]) == 0
    content, fit = json.loads(capsys.readouterr().out), json.loads((folder / "fit.json").read_text())
    assert content["warnings"] == fit["warnings"]
    assert content["conventions"] == fit["conventions"]
