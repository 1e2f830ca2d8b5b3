"""Every kind of bad input: one paragraph that names the place and a way out, exit code 2, nothing written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from t2scaling.errors import DataError
from t2scaling.observations import read

Table = dict[str, list[Any]]


def drop(name: str) -> Callable[[Table], None]:
    return lambda table: table.pop(name) and None


def put(name: str, row: int, value: Any) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table[name][row] = value

    return change


def repeat_row(row: int) -> Callable[[Table], None]:
    return lambda table: [values.append(values[row]) for values in table.values()] and None


LIKELIHOODS = [
    (drop("nll"), ["lacks the column", "nll (or n_samples + n_correct)"]),
    (drop("n_tokens"), ["lacks the column `n_tokens`", "--runs"]),
    (put("nll", 4, -1.5), ["negative", "wrong sign", "nll=-1.5"]),
    (put("nll", 4, None), ["missing", "run `b`"]),
    (repeat_row(1), ["repeats 1 question", "run `a`", "`q1`", "stands 2 times"]),
    (put("n_params", 4, 3e6), ["run `b`", "2 values of `n_params`"]),
    (put("n_tokens", 1, 5.0), ["run `a`", "2 values of `n_tokens`"]),
    (put("task", 2, ""), ["`task`", "is empty in 1 row"]),
    (put("run_id", 2, " "), ["`run_id`", "is empty"]),
    (lambda table: table.update(n_params=[0.0] * 6), ["`n_params` of run `a`", "above 0"]),
    (lambda table: table.update(n_tokens=[math.inf] * 6), ["`n_tokens` of run `a`", "finite"]),
    (lambda table: table.update(nll_unit=["sum"] * 5 + ["mean_per_token"]), ["nll_unit", "mixed units"]),
    (lambda table: table.update(nll_unit=["bits"] * 6), ["`bits`", "sum or mean_per_token"]),
    (lambda table: table.update(n_param=table.pop("n_params")), ["`n_params`", "did you mean `n_param`?"]),
]
COUNTS = [
    (put("n_correct", 2, 31), ["above n_samples", "n_correct=31", "`q2`"]),
    (put("n_correct", 2, -1), ["`n_correct`", "negative"]),
    (put("n_samples", 2, -30), ["`n_samples`", "negative"]),
    (put("n_samples", 0, 0), ["`n_samples`", "is 0"]),
    (put("n_correct", 0, None), ["without its n_correct"]),
    (lambda table: table.update(n_samples=[1.5] * 6), ["whole numbers", "1.5"]),
    (drop("n_samples"), ["lacks the column", "n_samples"]),
    (
        lambda table: table.update(
            nll=[None] * 5 + [1.0], n_samples=[10, 20, 30, 10, 20, None], n_correct=[0, 5, 30, 1, 2, None]
        ),
        ["mixes units", "task `sums`"],
    ),
]


@pytest.mark.parametrize(("spoil", "says"), LIKELIHOODS)
@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_bad_likelihoods(table: Table, tmp_path: Path, t2: Any, spoil: Any, says: list[str], suffix: str) -> None:
    spoil(table)
    refused(write(table, tmp_path / f"bad.{suffix}"), tmp_path, t2, says)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_nll_that_is_no_number(table: Table, tmp_path: Path, t2: Any, value: float, suffix: str) -> None:
    table["nll"][4] = value
    says = ["NaN or infinite", "run `b`, task `sums`, question `q1`"]
    refused(write(table, tmp_path / f"bad.{suffix}"), tmp_path, t2, says)


@pytest.mark.parametrize(("spoil", "says"), COUNTS)
def test_bad_counts(counts: Table, tmp_path: Path, t2: Any, spoil: Any, says: list[str]) -> None:
    spoil(counts)
    refused(write(counts, tmp_path / "bad.parquet"), tmp_path, t2, says)


def write(table: Table, path: Path) -> Path:
    """Write a table as it is, wrong values included."""
    if path.suffix == ".jsonl":
        names = list(table)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        pl.DataFrame(table, strict=False).write_csv(path)
    else:
        pl.DataFrame(table, strict=False).write_parquet(path)
    return path


def refused(path: Path, tmp_path: Path, t2: Any, says: list[str]) -> None:
    """The command refuses the file in one paragraph with exit code 2, and writes nothing."""
    out = tmp_path / "out" / "obs.parquet"
    code, printed, message = t2("import", path, "-o", out)
    assert code == 2
    assert not printed
    assert not out.parent.exists()
    assert message.startswith("t2: ")
    assert message.count("\n") == 1
    for words in says:
        assert words in message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cut.jsonl", b'{"run_id": "a"}\n{"run_id": "b", "n_pa', ["line 2", "truncated"]),
        ("list.jsonl", b'{"run_id": "a"}\n[1, 2]\n', ["line 2", "no object"]),
        ("cut.parquet", b"PAR1 and then nothing", ["Parquet", "cut off"]),
        ("empty.csv", b"", ["0 bytes"]),
        ("wide.csv", b"run_id,n_params\na,1\nb,1,2\n", ["line 3", "3 fields"]),
        ("binary.csv", b"run_id,n_params\n\xff\xfe,1\n", ["CSV"]),
        ("excel.csv", b"run_id;n_params\na;1,5\n", ["semicolons", "commas"]),
        ("tabs.csv", b"run_id\tn_params\na\t1\n", ["tabs", "commas"]),
        ("commas.tsv", b"run_id,n_params\na,1\n", ["commas", "tabs"]),
        ("wide.csv", "run_id,n_params\na,1\n".encode("utf-16"), ["UTF-16", "UTF-8"]),
        ("notes.docx", b"text", ["no table", ".csv"]),
        ("not.eval", b"this is no zip archive", ["not a readable .eval", "zip"]),
    ],
)
def test_broken_files(tmp_path: Path, t2: Any, name: str, content: bytes, says: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, tmp_path, t2, [name, *says])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_table_without_rows(table: Table, tmp_path: Path, t2: Any, suffix: str) -> None:
    for values in table.values():
        values.clear()
    refused(write(table, tmp_path / f"bad.{suffix}"), tmp_path, t2, ["has no rows"])


def test_truncated_parquet(table: Table, tmp_path: Path, t2: Any) -> None:
    path = tmp_path / "cut.parquet"
    pl.DataFrame(table).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    refused(path, tmp_path, t2, ["cut.parquet", "truncated"])


def test_missing_path_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.csv` does not exist"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="holds nothing to read"):
        read(tmp_path)


def test_files_in_different_units(table: Table, tmp_path: Path) -> None:
    pl.DataFrame(table).with_columns(nll_unit=pl.lit("sum")).write_csv(tmp_path / "one.csv")
    others = pl.DataFrame(table).with_columns(pl.lit("more").alias("task"), nll_unit=pl.lit("mean_per_token"))
    others.write_csv(tmp_path / "two.csv")
    with pytest.raises(DataError, match=r"mixed units: .*one\.csv.*two\.csv"):
        read(tmp_path)
    assert read(tmp_path, nll_unit="sum").conventions["nll"] == "sum"


def test_a_thing_that_is_no_table() -> None:
    with pytest.raises(DataError, match="a int is no table"):
        read(3)


def test_data_error_carries_the_rows(table: Table) -> None:
    table["nll"][4] = -2.0
    with pytest.raises(DataError) as caught:
        read(table)
    assert caught.value.rows[0]["run_id"] == "b"
    assert caught.value.rows[0]["question_id"] == "q1"
