"""The manifest: rules, patterns, steps, and the words it has for mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.observations import read
from t2scaling.observations.manifest import load_manifest

NAMES = ["pythia-70m@step1000", "pythia-70m@step143000", "pythia-1.4b@step1000"]


def frame(names: list[str] = NAMES, **columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"run_id": names, "task": "t", "question_id": "q", "nll": 1.0, **columns})


def runs(manifest: Any, data: pl.DataFrame | None = None) -> dict[str, tuple[Any, ...]]:
    found = read(frame() if data is None else data, manifest).runs
    return {row["run_id"]: (row["n_params"], row["n_tokens"]) for row in found.to_dicts()}


def test_groups_templates_and_steps() -> None:
    rules = [
        {"match": r"pythia-(?P<size>[\d.]+[mb])", "n_params": "{size}", "family": "pythia"},
        {"match": r"step(?P<step>\d+)", "tokens_per_step": 2097152},
    ]
    assert runs(rules) == {
        NAMES[0]: (70e6, 1000 * 2097152.0),
        NAMES[1]: (70e6, 143000 * 2097152.0),
        NAMES[2]: (1.4e9, 1000 * 2097152.0),
    }
    assert read(frame(), rules).runs["family"].to_list() == ["pythia"] * 3


def test_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "runs.yaml").write_text(
        "tokens_per_step: 2_097_152\n"
        "n_params_convention: total\n"
        "runs:\n"
        "  - match: '70m@step(?P<step>\\d+)'\n"
        "    n_params: 70M\n"
        "  - run_id: pythia-1.4b@step1000\n"
        "    n_params: 1.4B\n"
        "    n_tokens: 2.097152e9\n"
    )
    (tmp_path / "runs.csv").write_text(
        "match,run_id,n_params,n_tokens,tokens_per_step\n"
        "70m@step(?P<step>\\d+),,70M,,2097152\n"
        ",pythia-1.4b@step1000,1.4B,2.097152e9,\n"
    )
    assert runs(tmp_path / "runs.yaml") == runs(tmp_path / "runs.csv")
    assert read(frame(), tmp_path / "runs.yaml").conventions["n_params"] == "total"
    assert read(frame(), tmp_path / "runs.csv").conventions["n_params"] == "unstated"


def test_first_rule_that_has_a_fact_counts() -> None:
    rules = [
        {"run_id": NAMES[0], "n_params": "71M"},
        {"match": "70m", "n_params": "70M"},
        {"match": "", "n_params": "1.4B", "n_tokens": "2B"},
    ]
    assert runs(rules) == {NAMES[0]: (71e6, 2e9), NAMES[1]: (70e6, 2e9), NAMES[2]: (1.4e9, 2e9)}


def test_manifest_replaces_what_the_table_says_and_tells() -> None:
    found = read(frame(n_params=1e6, n_tokens=1e9), [{"match": "1.4b", "n_params": "1.4B"}])
    assert found.runs["n_params"].to_list() == [1e6, 1e6, 1.4e9]
    assert any("is the manifest's" in note and "1000000.0 → 1400000000.0" in note for note in found.report.notes)
    assert found.conventions["n_params"].startswith("mixed")


def test_rule_without_a_run_is_noted() -> None:
    found = read(frame(n_params=1e6, n_tokens=1e9), [{"match": "llama", "n_params": "7B"}])
    assert any("llama" in note and "speaks of no run" in note for note in found.report.notes)


def test_step_columns_of_a_table_make_tokens() -> None:
    data = frame(n_params=1e6, step=[1000, 143000, 1000])
    assert runs({"tokens_per_step": "2M"}, data)[NAMES[1]] == (1e6, 143000 * 2e6)
    assert "step" not in read(data, {"tokens_per_step": "2M"}).frame().columns


def test_run_that_no_rule_gives_its_tokens_is_named() -> None:
    with pytest.raises(DataError, match=rf"`n_tokens` is missing for run `{NAMES[2]}`.*--runs"):
        read(frame(n_params=1e6), [{"match": "70m", "n_tokens": "1B"}])


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({"run": []}, r"`runs`: `run` is not known \(did you mean `runs`\?\)"),
        ([{"match": "x", "n_parms": 1}], r"`n_parms` in rule 1 .* \(did you mean `n_params`\?\)"),
        ([{"n_params": 1}], "should have either `match`"),
        ([{"match": "x", "run_id": "y"}], "should have either `match`"),
        ([{"match": "("}], "no regular expression"),
        ([{"match": "(?=a)"}], "Look-around"),
        ([{"match": r"(a)\1"}], "back-references"),
        ([{"match": "((a{100}){100}){100}"}], "exceeds size limit"),
        ([{"match": "a" * 2000}], "2,000 characters"),
        ([{"match": 1.5}], "put it in quotes"),
        ([{"run_id": "y", "family": ["a"]}], "`runs.0.family` is .* text, a number, or true or false"),
        ([{"match": "(?P<size>70m)", "family": "{size:999999999}"}], "in braces stands the name of a group"),
        ([{"match": "(?P<size>70m)", "family": "{size.__class__}"}], "in braces stands the name of a group"),
        ([{"match": "(?P<size>70m)", "family": "{size!r}"}], "in braces stands the name of a group"),
        ([{"match": "70m", "n_tokens": 10**400}], "`n_tokens` in rule 1 .* bits"),
        ([{"match": "70m", "seed": 2**70}], "`seed` .* a whole number"),
        ([{"match": "70m", "n_params": "{size}"}], "uses a group that `match` does not name"),
        ([{"match": "70m", "n_params": "many"}], "`n_params` in rule 1 .* is 'many'"),
        ([{"match": "70m", "seed": 1.5}], "`seed` .* a whole number"),
        ([{"match": "70m", "overtrained": "perhaps"}], "`overtrained` .* true or false"),
        ({"runs": "all"}, "should be a list of rules"),
        ({"tokens_per_step": "two"}, "`tokens_per_step`"),
    ],
)
def test_mistakes(manifest: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(frame(n_params=1e6, n_tokens=1e9), manifest)


def test_files_that_are_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest `.*nowhere.yaml` does not exist"):
        load_manifest(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("runs:\n  - match: [a\n")
    with pytest.raises(DataError, match=r"bad.yaml`, line \d+ is not YAML"):
        load_manifest(tmp_path / "bad.yaml")
    (tmp_path / "latin.csv").write_bytes("run_id,family\na,größe\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin.csv`, line 2 is not UTF-8"):
        load_manifest(tmp_path / "latin.csv")
    (tmp_path / "twice.csv").write_text("run_id,seed,seed\na,1,2\n")
    with pytest.raises(DataError, match="two columns of one name"):
        load_manifest(tmp_path / "twice.csv")
    (tmp_path / "alias.yaml").write_text("runs:\n- &x {run_id: a}\n- *x\n")
    with pytest.raises(DataError, match=r"alias.yaml`, line 3 uses one of YAML's aliases"):
        load_manifest(tmp_path / "alias.yaml")
    (tmp_path / "wide.csv").write_text("run_id,n_params\na,1,2\n")
    with pytest.raises(DataError, match="line 2 has more cells"):
        load_manifest(tmp_path / "wide.csv")


def test_an_expression_that_would_take_forever_takes_none() -> None:
    runs = {"run_id": ["a" * 5000 + "b"], "n_params": [1.0], "n_tokens": [1.0]}
    observations = read({**runs, "task": ["t"], "question_id": ["q"], "nll": [1.0]}, [{"match": "(a+)+$", "seed": 1}])
    assert "speaks of no run" in " ".join(observations.report.notes)


def test_a_name_is_what_the_run_is_called() -> None:
    rules = [{"match": "pythia-(?P<size>[0-9.]+[mb])@step(?P<step>[0-9]+)", "name": "{size} at {step}"}]
    observations = read(frame(n_params=1e6, n_tokens=1e9), rules)
    assert observations.runs["run_id"].to_list() == ["1.4b at 1000", "70m at 1000", "70m at 143000"]
