"""The grammar of each kind of column: what is read, and what is refused with column, line, value and a way out."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.observations import read
from t2scaling.observations.casts import Rows, cast
from t2scaling.observations.schema import BY_NAME

Table = dict[str, list[Any]]


def typed(name: str, values: list[Any], dtype: Any = None) -> list[Any]:
    return cast(pl.Series(values, dtype=dtype), BY_NAME[name], "`t.csv`").to_list()


def refuses(name: str, values: list[Any], *says: str, dtype: Any = None) -> None:
    with pytest.raises(DataError) as caught:
        cast(pl.Series(values, dtype=dtype), BY_NAME[name], "`t.csv`", Rows("line", 2))
    for words in (f"`{name}` of `t.csv`", *says):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["3,91", "1,00,0", "1,000", "3_91", "3.91m", "7B", "0x", "20x", "3.9.1", "--3", "1e", "٣"]
)
def test_nll_is_a_plain_decimal(text: str) -> None:
    refuses("nll", ["1.5", text, "2"], "line 3", repr(text), "write it like 3.91")


@pytest.mark.parametrize("text", ["3,91", "1,00,0", "3_91", "0x", "20x", "1,0000"])
def test_counts_have_commas_in_groups_of_three(text: str) -> None:
    for name in ("n_params", "n_tokens", "train_flops", "n_samples", "seed"):
        refuses(name, ["15", text], "line 3", repr(text))


def test_what_people_write_is_read() -> None:
    assert typed("nll", ["3.91", " 1e-3 ", ".5", "5.", "+2", "", None]) == [3.91, 1e-3, 0.5, 5, 2, None, None]
    assert typed("n_params", ["7B", "1,000", "2.5e9", "1_000_000", ""]) == [7e9, 1e3, 2.5e9, 1e6, None]
    assert typed("n_samples", ["1,024", "1e3", "2K", "64.0", " 3 "]) == [1024, 1000, 2000, 64, 3]
    assert typed("overtrained", ["yes", "FALSE", "1", "", "no"]) == [True, False, True, None, False]
    assert typed("overtrained", [1, 0, None]) == [True, False, None]


@pytest.mark.parametrize("big", [2**53 + 1, 2**63 - 1])
def test_whole_numbers_are_exact(big: int) -> None:
    assert typed("seed", [str(big), "7"]) == [big, 7]
    assert typed("seed", [f"{big:,}"]) == [big]
    assert typed("seed", [big]) == [big]
    refuses("seed", [str(2**63)], "64 bits")
    refuses("seed", [2**63], "64 bits", dtype=pl.UInt64)
    refuses("seed", [2.0**53 + 2], "2^53")
    refuses("seed", [1.5], "no whole number")
    refuses("seed", ["1.5"], "no whole number")
    assert typed("n_samples", [4.0, float("nan")]) == [4, None]


@pytest.mark.parametrize("name", ["nll", "n_params", "n_samples", "chance"])
@pytest.mark.parametrize("value", [True, datetime.date(2026, 1, 2), [1.0], {"a": 1.0}, b"1"])
def test_other_types_are_no_numbers(name: str, value: Any) -> None:
    refuses(name, [value], "such as", "--column")


def test_flags_are_true_or_false() -> None:
    refuses("overtrained", ["yes", "maybe"], "line 3", "'maybe'", "true or false")
    refuses("overtrained", [0, 2], "line 3")
    refuses("overtrained", [0.5], "line 2")


def test_stages_are_three() -> None:
    assert typed("stage", ["Base", " SFT", "ft", None, ""]) == ["base", "sft", "ft", None, None]
    refuses("stage", ["base", "Bsae"], "line 3", "'Bsae'", "did you mean base?")


def test_a_run_whose_stage_is_capitalised_stays(table: Table) -> None:
    table["stage"] = ["Base"] * 3 + ["base"] * 3
    assert read(table).measurements().run_id == ("a", "b")
    table["stage"][0] = "pretrained"
    with pytest.raises(DataError, match="row 1 says 'pretrained'"):
        read(table)


@pytest.mark.parametrize("cell", ["3;2;1", "[3, 2, 1]", " 3 ; 2 ; 1 "])
def test_lists_as_text(cell: str) -> None:
    assert typed("wrong_counts", [None, cell, "", "[]", "4"]) == [None, [3, 2, 1], None, [], [4]]
    assert typed("scores", ["0.5;1e-3"]) == [[0.5, 1e-3]]
    assert typed("correct", ["[true, false]", "1;0"]) == [[True, False]] * 2


def test_lists_of_other_types() -> None:
    assert typed("wrong_counts", [[3, 2], None, [], [1]]) == [[3, 2], None, [], [1]]
    assert typed("wrong_counts", [[3.0, 2.0]]) == [[3, 2]]
    assert typed("scores", [[1, 2]]) == [[1.0, 2.0]]
    assert typed("correct", [[1, 0], []]) == [[True, False], []]
    refuses("wrong_counts", ["3", "2;x"], "line 3", "'x'")
    refuses("wrong_counts", [[1.0], [2.5]], "line 3", "2.5")
    refuses("scores", [[0.5], [1.0, None]], "line 3", "gap")
    refuses("scores", ["0.5;"], "line 2", "gap")
    refuses("scores", [0.5], "lists of numbers")


def test_a_long_value_is_cut_in_the_error() -> None:
    with pytest.raises(DataError) as caught:
        typed("nll", ["x" * 10_000])
    assert len(str(caught.value)) < 300


def with_samples(counts: Table) -> Table:
    """Six graded questions with everything that may be told of their samples."""
    n, c = [4] * 6, [1, 2, 0, 4, 1, 2]
    return {
        **counts, "n_samples": n, "n_correct": c, "chance": [0.25] * 6,
        "wrong_counts": [[2, 1], [1, 1], [4], [], [3], None],
        "scores": [[0.1, 0.2, 0.3, 0.4]] * 6, "correct": [[i < right for i in range(4)] for right in c],
    }  # fmt: skip


def test_what_is_told_of_samples_comes_through_every_format(counts: Table, tmp_path: Path) -> None:
    table = with_samples(counts)
    frame = pl.DataFrame(table)
    expected = read(frame)
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    for mark, name in ((";", "t.csv"), (", ", "u.csv")):
        flat = {
            key: [None if v is None else mark.join(str(item).lower() for item in v) for v in values]
            for key, values in table.items()
            if isinstance(values[0], list)
        }
        if mark == ", ":
            flat = {key: [None if v is None else f"[{v}]" for v in values] for key, values in flat.items()}
            flat["wrong_counts"][3] = "[]"
        else:
            frame = frame.with_columns(wrong_counts=pl.Series(table["wrong_counts"]))
        pl.DataFrame({**table, **flat}).write_csv(tmp_path / name)
    for name in ("t.parquet", "t.jsonl", "u.csv"):
        assert read(tmp_path / name).outcomes.equals(expected.outcomes)
    again = read(expected.write(tmp_path / "again.parquet"))
    assert again.outcomes.equals(expected.outcomes)
    assert expected.outcomes["wrong_counts"].to_list() == table["wrong_counts"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("wrong_counts", [3, 1], "more than the samples that are wrong"),
        ("wrong_counts", [0, 1], "less than 1"),
        ("scores", [0.1] * 3, "one for each sample"),
        ("scores", [0.1, 0.2, 0.3, float("nan")], "finite score"),
        ("correct", [True] * 4, "another number than n_correct"),
        ("chance", 1.5, "between 0 and 1"),
        ("chance", float("nan"), "between 0 and 1"),
        ("n_samples", 2**53 + 1, "above 2.53"),
    ],
)
def test_what_contradicts_the_counts_is_refused(counts: Table, name: str, value: Any, says: str) -> None:
    table = with_samples(counts)
    table[name] = [value, *table[name][1:]]
    with pytest.raises(DataError, match=says):
        read(table)


@pytest.mark.parametrize("name", ["train_flops", "unique_tokens"])
@pytest.mark.parametrize("value", [0.0, -1e9, float("nan"), float("inf")])
def test_facts_that_are_no_amounts_are_refused(table: Table, name: str, value: float) -> None:
    table[name] = [value] * 3 + [1e9] * 3
    with pytest.raises(DataError, match=f"`{name}` of run `a` .* above 0"):
        read(table)


@pytest.mark.parametrize("name", ["nll_tokens", "prompt_tokens", "completion_tokens"])
def test_negative_tokens_are_refused(table: Table, name: str) -> None:
    table[name] = [3, 4, 5, 6, -1, None]
    with pytest.raises(DataError, match=f"`{name}` .*run `b`, task `sums`, question `q1`: {name}=-1"):
        read(table)


def test_counts_come_in_pairs(table: Table) -> None:
    table["n_samples"] = [4] * 6
    with pytest.raises(DataError, match="`n_samples` and no `n_correct`"):
        read(table)


def test_columns_come_in_the_declared_order(table: Table) -> None:
    found = read(pl.DataFrame(table)[:, ::-1]).frame()
    assert found.columns == ["run_id", "stage", "task", "question_id", "nll", "n_params", "n_tokens"]
    assert found["stage"].to_list() == ["base"] * 6
