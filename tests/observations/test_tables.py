"""Canonical tables: formats, types, frames of other libraries, what is stored with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import t2scaling.observations as observations
from t2scaling.errors import DataError
from t2scaling.observations import read
from t2scaling.observations.schema import BY_NAME, COLUMNS, DTYPE
from t2scaling.observations.tabular import read_conventions

Table = dict[str, list[Any]]


def same(one: observations.Observations, other: observations.Observations) -> None:
    assert one.frame().equals(other.frame())
    assert one.measurements().data_hash == other.measurements().data_hash


def test_formats_agree(table: Table, tmp_path: Path) -> None:
    frame = pl.DataFrame(table)
    frame.write_csv(tmp_path / "t.csv")
    frame.write_csv(tmp_path / "t.tsv", separator="\t")
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    expected = read(table)
    for suffix in ("csv", "tsv", "parquet", "jsonl"):
        same(read(tmp_path / f"t.{suffix}"), expected)


def test_frames_of_other_libraries(table: Table) -> None:
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    expected = read(table)
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    for data in (pl.DataFrame(table), pl.LazyFrame(table), pandas.DataFrame(table), pyarrow.table(table), rows):
        same(read(data), expected)


def test_pandas_without_pyarrow(table: Table) -> None:
    pandas = pytest.importorskip("pandas")

    class Frame(pandas.DataFrame):  # type: ignore[misc]
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise ImportError("pyarrow is needed")

    same(read(Frame(table)), read(table))


def test_numbers_as_people_write_them(table: Table, tmp_path: Path) -> None:
    table["n_params"] = ["1M"] * 3 + ["2e6"] * 3
    table["n_tokens"] = ["1B"] * 3 + ["2,000,000,000"] * 3
    table["overtrained"] = ["no", "", "true", "yes", "TRUE", "1"]
    with pytest.raises(DataError, match=r"run `a` in .* has 2 values of `overtrained`"):
        read(pl.DataFrame(table))
    table["overtrained"] = ["false", "", "no"] + ["yes"] * 3
    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    found = read(tmp_path / "t.csv")
    assert found.runs["n_params"].to_list() == [1e6, 2e6]
    assert found.runs["n_tokens"].to_list() == [1e9, 2e9]
    assert found.measurements().overtrained.tolist() == [False, True]


def test_a_word_in_place_of_a_number_is_shown(table: Table) -> None:
    table["n_params"] = ["small"] * 6
    with pytest.raises(DataError, match="`n_params` of the table should hold numbers, but row 1 says 'small'"):
        read(table)


def test_every_column_is_read_in_its_type(table: Table) -> None:
    values: dict[str, Any] = {
        "stage": "ft", "train_flops": 6e15, "family": "x", "seed": 3, "unique_tokens": 5e8, "overtrained": True,
        "nll_tokens": 4, "prompt_tokens": 10, "completion_tokens": 2.5, "n_samples": 8, "n_correct": 2,
        "chance": 0.25, "wrong_counts": [4, 2], "scores": [0.5] * 8, "correct": [True] * 2 + [False] * 6,
    }  # fmt: skip
    assert {*values, *table} == set(BY_NAME)
    frame = read(pl.DataFrame({**table, **{name: [value] * 6 for name, value in values.items()}})).frame()
    ordered = sorted(COLUMNS, key=lambda column: ("key", "outcome", "run").index(column.level))
    assert frame.columns == [column.name for column in ordered]
    for name, value in values.items():
        assert frame[name].to_list() == [value] * 6
    assert {column.name: frame[column.name].dtype for column in COLUMNS} == {
        column.name: DTYPE[column.kind] for column in COLUMNS
    }


def test_columns_can_be_mapped(table: Table) -> None:
    table["embedding_free"] = [5e5] * 3 + [7e5] * 3
    found = read(table, columns={"n_params": "embedding_free"}, n_params_convention="non_embedding")
    assert found.runs["n_params"].to_list() == [5e5, 7e5]
    assert found.conventions["n_params"] == "non_embedding"
    with pytest.raises(DataError, match=r"no column `embeding_free`.*did you mean `embedding_free`"):
        read(table, columns={"n_params": "embeding_free"})
    with pytest.raises(DataError, match="`size` is no column"):
        read(table, columns={"size": "embedding_free"})


def test_unused_columns_and_unstated_units_are_noted(table: Table) -> None:
    table["colour"] = ["red"] * 6
    notes = " ".join(read(table).report.notes)
    assert "colour" in notes
    assert "no unit is stated for nll" in notes
    assert "no unit" not in " ".join(read(table, nll_unit="sum").report.notes)


def test_written_file_is_canonical(table: Table, tmp_path: Path) -> None:
    table["nll_unit"] = ["mean_per_token"] * 6
    reversed_rows = pl.DataFrame(table)[::-1]
    found = read(reversed_rows, n_params_convention="total")
    path = found.write(tmp_path / "deep" / "obs.parquet")
    stored = pl.read_parquet(path)
    assert stored["run_id"].to_list() == ["a"] * 3 + ["b"] * 3
    assert read_conventions(path) == {"n_params": "total", "nll": "mean_per_token"}
    again = read(path)
    same(again, found)
    assert again.conventions == found.conventions
    assert not list(path.parent.glob(".*"))
    assert again.write(tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def test_hash_is_of_the_content_alone(table: Table, rng: np.random.Generator) -> None:
    frame = pl.DataFrame(table)
    first = read(frame).measurements().data_hash
    assert read(frame[rng.permutation(6).tolist()]).measurements().data_hash == first
    for name, value in (("nll", 1.25), ("question_id", "q9"), ("task", "other")):
        changed = {**table, name: [value if name == "task" else v for v in table[name]]}
        changed[name][0] = value
        changed[name][3] = value
        assert read(changed).measurements().data_hash != first


def test_repr_says_what_there_is(table: Table) -> None:
    text = repr(read(table))
    assert "2 runs × 1 task, 6 outcomes (nll (sum))" in text
    assert "N 1M–2M" in text
    assert "sums" in text


def test_stages_keep_runs_apart(table: Table) -> None:
    tuned = {**table, "stage": ["ft"] * 6, "nll": [value / 2 for value in table["nll"]]}
    both = read(pl.concat([pl.DataFrame({**table, "stage": ["base"] * 6}), pl.DataFrame(tuned)]))
    assert both.stages == ("base", "ft")
    np.testing.assert_allclose(both.measurements(stage="ft").nll, both.measurements().nll / 2)
    with pytest.raises(DataError, match=r"no run at stage `sft`.*`base`, `ft`"):
        both.measurements(stage="sft")


def test_load_suite() -> None:
    suite = observations.load_suite("simulated")
    assert len(suite.runs) == 106
    assert suite.conventions["origin"] == "simulated"
    with pytest.raises(DataError, match="did you mean `simulated`"):
        observations.load_suite("simulatd")


def test_collect_lays_likelihoods_and_samples_side_by_side(table: Table, counts: Table, tmp_path: Path) -> None:
    meant = {"t2scaling.conventions": json.dumps({"n_params": "with_head", "nll": "sum"})}
    scored = pl.DataFrame({**{k: v for k, v in counts.items() if not k.startswith("n_s") and k != "n_correct"}})
    scored = scored.with_columns(pl.Series("nll", [1.0, 2, 3, 4, 5, 6]), nll_tokens=pl.lit(2))
    for run in ("a", "b"):
        folder = tmp_path / "evals" / run
        folder.mkdir(parents=True)
        scored.filter(run_id=run).write_parquet(folder / "sums.parquet", metadata=meant)
        pl.DataFrame(counts).filter(run_id=run).write_parquet(folder / "sums.samples.parquet", metadata=meant)
    found = observations.collect(tmp_path / "evals", tmp_path / "obs.parquet")
    assert len(found.outcomes) == 6
    assert found.conventions == {"n_params": "with_head", "nll": "sum"}
    assert found.measurements().nll.tolist() == [[1, 2, 3], [4, 5, 6]]
    sampled = found.measurements(kind="counts")
    assert sampled.nll is None
    assert sampled.c.tolist() == [[0, 5, 30], [1, 2, 3]]
    same(read(tmp_path / "obs.parquet"), found)


def test_collect_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="t2 evaluate"):
        observations.collect(tmp_path, tmp_path / "obs.parquet")
    assert not (tmp_path / "obs.parquet").exists()


@pytest.mark.parametrize("stored", ['{"nll": 3}', '["sum"]', "{", '{"nll": "sum", "nll": "sum"}', '{"nll": "bits"}'])
def test_odd_conventions_in_a_file_are_refused(table: Table, tmp_path: Path, stored: str) -> None:
    pl.DataFrame(table).write_parquet(tmp_path / "t.parquet", metadata={"t2scaling.conventions": stored})
    with pytest.raises(DataError, match=r"t\.parquet"):
        read(tmp_path / "t.parquet")


def test_a_statement_that_is_no_text_is_refused(table: Table) -> None:
    frame = pl.DataFrame(table).with_columns(nll_unit=pl.lit(["sum"]))
    with pytest.raises(DataError, match="`nll_unit` of the table should hold text"):
        read(frame)


def test_large_whole_numbers_beside_floats_keep_their_digits(table: Table) -> None:
    table["seed"] = [2**53 + 1] * 3 + [7.0] * 3
    assert read(table).runs["seed"].to_list() == [2**53 + 1, 7]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_in_many_batches_is_the_same(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    frame, path = pl.DataFrame(table), tmp_path / f"t.{suffix}"
    write = {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[suffix]
    write(path)
    expected = read(path)
    monkeypatch.setattr("t2scaling.observations.tabular.BATCH", 2)
    same(read(path), expected)
    same(read(frame), expected)
    if suffix != "parquet":
        path.write_text(path.read_text().replace("2.5", '"x"' if suffix == "jsonl" else "x"))
        with pytest.raises(DataError, match=f"line {7 if suffix == 'csv' else 6} says 'x'"):
            read(path)
    else:
        texts = {**table, "nll": [*map(str, table["nll"][:4]), "x", "1"]}
        with pytest.raises(DataError, match="row 5 says 'x'"):
            read(texts)
