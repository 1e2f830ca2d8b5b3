"""The verbs import, validate and collect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.observations import read
from t2scaling.observations.summary import summarise

Table = dict[str, list[Any]]


def test_import_writes_and_reports(lm_eval_log: Any, tmp_path: Path, t2: Any) -> None:
    rows = [
        {"doc_id": doc, "target": "4", "resps": [["4", "5"]], "filtered_resps": ["4"], "filter": name, "metrics": []}
        for name in ("first", "second")
        for doc in range(3)
    ]
    config = {"metadata": {"train_tokens": 1e9}, "filter_list": [{"name": "first"}, {"name": "second"}]}
    path = lm_eval_log("[sums]", rows, config=config)
    out = tmp_path / "out" / "obs.parquet"
    code, printed, _ = t2("import", path.parent, "-o", out, "--json")
    assert code == 0
    told = json.loads(printed)
    assert told["output"] == str(out)
    assert told["report"]["dropped"][0]["rows"] == 3
    assert told["tasks"][0] | {"left_out": ""} == summarise(read(out))[0].to_dict() | {
        "n_samples": [2, 2],
        "solved": 3,
        "mean": 0.5,
    }
    code, printed, notes = t2("import", path.parent, "-o", out)
    assert code == 0
    assert "Written: " in notes
    for words in ("[sums]", "judges the same", "n_params: total"):
        assert words in printed


def test_import_options_reach_the_reader(table: Table, tmp_path: Path, t2: Any) -> None:
    del table["n_params"]
    table["size"] = ["1M"] * 3 + ["2M"] * 3
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    (tmp_path / "runs.yaml").write_text("runs:\n  - run_id: b\n    n_tokens: 4B\n")
    out = tmp_path / "obs.parquet"
    options = ["--column", "n_params=size", "--nll-unit", "mean_per_token", "--runs", tmp_path / "runs.yaml"]
    code, _, _ = t2("import", tmp_path / "t.csv", "-o", out, "--n-params-convention", "non_embedding", *options)
    assert code == 0
    found = read(out)
    assert found.conventions == {"n_params": "non_embedding", "nll": "mean_per_token"}
    assert found.runs.select("n_params", "n_tokens").rows() == [(1e6, 1e9), (2e6, 4e9)]


def test_import_of_a_wrong_mapping_or_format(table: Table, tmp_path: Path, t2: Any) -> None:
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    code, _, message = t2("import", tmp_path / "t.csv", "--column", "n_params")
    assert (code, "NAME=THEIRS" in message) == (2, True)
    code, _, message = t2("import", tmp_path / "t.csv", "--format", "lmeval")
    assert (code, "did you mean `lm-eval`" in message) == (2, True)


def test_validate_shows_each_task(suite_frame: Any, tmp_path: Path, t2: Any) -> None:
    frame = suite_frame(R=4, Q=8, tasks=("sums", "words"))
    frame = frame.filter(~((pl.col("run_id") == "r2") & (pl.col("question_id") > "q1") & (pl.col("task") == "sums")))
    frame.write_parquet(tmp_path / "t.parquet")
    code, printed, _ = t2("validate", tmp_path / "t.parquet", "--json", "-o", tmp_path / "v.json")
    assert code == 0
    told = json.loads(printed)
    assert told == json.loads((tmp_path / "v.json").read_text())
    assert told["valid"] is True
    sums, words = told["tasks"]
    assert (sums["runs"], sums["kept_runs"], sums["questions"], sums["shared"], sums["missing_cells"]) == (
        4,
        3,
        8,
        8,
        6,
    )
    assert (words["runs"], words["kept_runs"], words["missing_cells"]) == (4, 4, 0)
    assert words["nll"] == [2.0, 2.0 + 0.3 + 0.07]
    code, printed, _ = t2("validate", tmp_path / "t.parquet")
    assert code == 0
    assert "r2 (2 of 8 questions)" in printed


def test_validate_refuses(table: Table, tmp_path: Path, t2: Any) -> None:
    table["nll"][0] = -1.0
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    code, printed, message = t2("validate", tmp_path / "t.csv", "-o", tmp_path / "v.json", "--json")
    assert (code, printed, "wrong sign" in message) == (2, "", True)
    assert not (tmp_path / "v.json").exists()


def test_collect(table: Table, tmp_path: Path, t2: Any) -> None:
    for run in ("a", "b"):
        (tmp_path / "evals" / run).mkdir(parents=True)
        pl.DataFrame(table).filter(run_id=run).write_parquet(tmp_path / "evals" / run / "sums.parquet")
    out = tmp_path / "obs.parquet"
    code, printed, _ = t2("collect", tmp_path / "evals", "-o", out, "--json")
    assert code == 0
    assert json.loads(printed)["n_runs"] == 2
    assert read(out).measurements().nll.shape == (2, 3)


def test_real_suites_read_as_they_are(shared_data: Path) -> None:
    easy = read(shared_data / "gemstones" / "arc_easy.parquet", nll_unit="mean_per_token")
    arrays = easy.measurements()
    assert arrays.nll.shape == (770, 2376)
    assert arrays.conventions["nll"] == "mean_per_token"
    assert arrays.nll.mean() == easy.outcomes["nll"].mean()
    gsm8k = read(shared_data / "pythia" / "gsm8k.parquet").measurements()
    assert gsm8k.n.shape == (80, 128)
    assert "Pythia_12B_2M (30 of 130 questions)" in gsm8k.conventions["left_out"]
    assert gsm8k.n.min() >= 128
