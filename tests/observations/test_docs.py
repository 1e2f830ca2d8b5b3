"""docs/formats.md: its columns are those of the schema, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from t2scaling.observations import read
from t2scaling.observations.manifest import SELECTORS, ManifestFile, load_manifest
from t2scaling.observations.schema import COLUMNS

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_columns_are_those_of_the_schema() -> None:
    table = TEXT.split("## The canonical columns")[1].split("A task is measured")[0]
    rows = [line.split("|")[1:5] for line in table.splitlines() if line.startswith("| `")]
    told = {
        name: (kind.strip(), required.strip())
        for cells, kind, required, _ in rows
        for name in re.findall(r"`(\w+)`", cells)
    }
    assert list(told) == [column.name for column in COLUMNS]
    outcomes = {"nll", "n_samples", "n_correct"}
    for column in COLUMNS:
        required = "yes" if column.required else "one of the two" if column.name in outcomes else ""
        assert told[column.name] == (column.kind, required)


def test_table_example_reads(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(blocks("csv")[0])
    found = read(tmp_path / "runs.csv").measurements("arc_easy")
    assert found.nll.tolist() == [[3.91, 10.62], [2.20, 8.75]]
    assert found.N.tolist() == [48e6, 1e9]


def test_manifest_examples_give_what_they_say(tmp_path: Path) -> None:
    names = ["pythia-70m@step1000", "my-model"]
    frame = pl.DataFrame({"run_id": names, "task": "t", "question_id": "q", "nll": 1.0})
    (tmp_path / "runs.yaml").write_text(next(text for text in blocks("yaml") if "match:" in text))
    (tmp_path / "runs.csv").write_text(next(text for text in blocks("csv") if "match" in text))
    facts = [("my-model", 1.3e9, 26e9), ("pythia-70m@step1000", 70e6, 2097152e3)]
    found = read(frame, tmp_path / "runs.yaml")
    assert sorted(found.runs.select("run_id", "n_params", "n_tokens").rows()) == facts
    assert found.conventions["n_params"] == "non_embedding"
    found = read(frame, tmp_path / "runs.csv")
    assert found.runs.filter(run_id="pythia-70m@step1000").select("n_params", "n_tokens").row(0) == (18.9e6, 2097152e3)


def test_every_key_of_a_manifest_is_told() -> None:
    section = TEXT.split("## The runs manifest")[1].split("## The report")[0]
    for key in (*ManifestFile.model_fields, *SELECTORS, "step", "stage"):
        assert f"`{key}`" in section
    assert load_manifest({"runs": []}).rules == ()


@pytest.mark.parametrize("name", ["lm_eval_metric", "graded"])
def test_metrics_for_the_harness(name: str) -> None:
    namespace: dict[str, object] = {}
    for code in blocks("python"):
        if name in code:
            exec(code, namespace)  # the example itself
    metric = namespace[name]
    assert callable(metric)
    assert metric(references=["4"], predictions=[["4", "5", " 4"]]) == {"n_samples": 3, "n_correct": 2}
    settings = yaml.safe_load(next(text for text in blocks("yaml") if "!function" in text).replace("!function ", ""))
    assert settings["repeats"] == settings["filter_list"][0]["filter"][0]["k"]
