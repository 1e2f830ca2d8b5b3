"""Every kind of bad input: one paragraph that names the place and a way out, exit code 2, nothing written."""

from __future__ import annotations

import base64
import gzip
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
        ("binary.csv", b"run_id,n_params\na,1\n\xff\xfe,1\n", ["line 3", "UTF-8"]),
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


def test_a_column_that_is_no_list() -> None:
    with pytest.raises(DataError, match="a column should be a list of values, not int"):
        read({"run_id": 5})


def test_data_error_carries_the_rows(table: Table) -> None:
    table["nll"][4] = -2.0
    with pytest.raises(DataError) as caught:
        read(table)
    assert caught.value.rows[0]["run_id"] == "b"
    assert caught.value.rows[0]["question_id"] == "q1"


# Four rows in Parquet; one byte of a page header is flipped, and polars asks for 2⁶¹ bytes and ends its process.
DEADLY = (
    "eNp9UkFu01AQHTuRa1VBqqrMly154U2sVkQlMU1toyD6A1EbaMGNhBBdBNk4TiOZuHKahrLkFBygJ+AErLgAF+AIHIEZJ5QVjOR58+fNex7p/1"
    "AO21jFOtZPCABAoS/iFCPgNm43cQO3UEMNQKVuZUOpVLFmdkDbMg2tWMzeTRMEoYtYxM6BowPJuthtok7FX9k9KOPXkxXC4Qr0Q9w0G6CZRmWW"
    "ZaXPSIycWwVMSxzgvqAZqm4VHHGJqtk9rhZ5foVVwFpD/bNBA04s5jepxU5kZFpm0/miWP9dVnxVsQ7OZ9X61x7iu4oCxDdF6I5OUOeFjJocDl"
    "+9eTR/fzH+EBk/lQccHV9S9Dn513T+eLY+l60XUs7l0xLP5P2Q+OWS+wMpJ+u5AWOLU4/T6TMa8id3pqu5nixlFGHBPFm+lb0Jj5wyvYiPltJj"
    "/5vlneioFPRfS/55b8D+hH3eh2JtGH5iv35Jser4eTvOgstzKR+D8TLMs6iY2zuXN1cX+WzXvh4X82k+s9299l7L3okX0yyxvTRouXHyME0T10"
    "tT303a+67nR60gcoNOmrqpF42TwN01m3RffGU/6K2F9Ah/A1H0hP8="
)


# Eight rows in two groups; one bit of the second is flipped, upon which a thread of polars panics and four rows come.
HALVED = (
    "eNq9V01MG0cUnrXBrIybOsBMdskerEqsHAVR2IZiV8hlHIJJYwK4aq30Eu1ibyDZ2NRrY2z10EPVQ5VDVVVRFVU95NRzD1XEiVNO5MKhQj1UlY"
    "Jy6KHqCUUVijpvd71ejF0ZDrZ2Zt6+n++9efP2jbxCM1O4DwdxMI19GCHEsaFihMM4PI55tgRwQHofRTlV4FQm87HBc8iPQ+I0CoRFIVCqFO5u"
    "5DAiPLlP7svjMu/RZ0hpnAYk1EDiGQL68qsJKrhUE7fJaLvioDiGAqLAF+5uqiX1oWm5/Yljj7zLzXZC7xRF/sULRw+oE1E4jLarJ4py8UG+4I"
    "1izz/bCf1Unsvt8lwWuHK7PPeVVfOBm+Xjfvmg36PPsKM4moYd2thVmLZhqsFUZ65G8MhJV3WBq7qufP5D5Dob/LySN8sbRfdkH3HskfcH5G8H"
    "PKad8opQeE5wqH8+PJFXhwG/OXvh5xomjbz6C4bhSekxP9sJ+FRKtXYp1QRO66Z0nw7Kb4Iei87Fm3DLK9FavAnaaf2/4t0JzXZC72HxPr/Qk+"
    "I9Csv74Z4X796Q/M1Qz4v3aLhj8YoXfSJrkjAwEonDcNuWh2wVw5F4SI+YK8PwMqps1FsBIACXZLF79DUYp+NJUA/Zo3gkMo4XGAHULodZQm16"
    "z9+kj/tdlf0B/FGDyzc1ng66GjuhJvv5hSZ9FHZV9oZckKNhRwP7xC8W+0rFYhmHWJmN+RqdYwylJZAHGcv9qt1X+/OyDawPoKEODG+RemGgfB"
    "AZEsdFQ37MSV1es+TZKB4hrzF+B8l/+KRzXpNkbxQL5AnBCST/1Sed85ojh4ByYKG8CkhdXmDkeBQT8viStQNeOutNRL67zMyfWeZPgtLZbxLy"
    "82UW9e+XWNRkJ0B4mWfLCKsDQ34Ukrq+MsguxPGDAHEcvCWds+WT3yCYHQFSePi2dM6WTf4GlNcWyp8XpS6bMflaYjv4VbR2MCydtauSH8H8wD"
    "L/Hktn74rkF4lF/a/oHsSbIJyEj32RQohmMsvZD8y19fxDVTj0vws/ZSlJKb3BBo1tsfftVWq/W6xblJr0urWu0qsrTF6tAv8mpfccvTtsmb8G"
    "L7YE5qQlXIKJWnhL4GoRqCR17EFkazDmMsipa5WsaKkqvQ3+tu+5INct3RufOEa2vGqC/nYu+2k9lzK2NCO++RnzD3ipVn+Z1YY/S26JFjPra4"
    "ppcTcsf9VWf/MNfzXIT/Wmi8d8TWpK2dAK9j4qYF+jHe2vOvYsOylQseSpaX0ttVC7k52qW0rLdaYUM10ndiqTC3ayPwY7tmYo9aSYzsec/Tjn"
    "kazlstO6ml2lSLi9UjTUkhmJbtbK68XClchWvmSyQowoE1MTk5GoVtkwcpEZPT6paLn3dD2nzOh6TMlNXVNmYupkXFXi07qu6DNqPhdXrogGa7"
    "YtD3rZj9AK+y/0Hw9UVfc="
)


@pytest.mark.parametrize("content", [DEADLY, HALVED])
def test_a_page_that_kills_its_reader(tmp_path: Path, t2: Any, content: str) -> None:
    path = tmp_path / "deadly.parquet"
    path.write_bytes(zlib.decompress(base64.b64decode(content)))
    for _ in range(2):  # the process that dies of it is followed by another
        refused(path, tmp_path, t2, ["deadly.parquet", "damaged", "copy it again"])


def test_a_query_that_loses_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "halved.parquet"
    path.write_bytes(zlib.decompress(base64.b64decode(HALVED)))
    with pytest.raises(DataError, match="some of its rows do not come"):
        read(pl.scan_parquet(path))


def attempt(path: Path) -> tuple[Any, str]:
    """What reading gives: a table, or the words of the refusal."""
    try:
        return read(path), ""
    except DataError as error:
        return None, str(error)


def test_flipped_bytes_of_parquet_end_in_one_paragraph(table: Table, tmp_path: Path, rng: np.random.Generator) -> None:
    whole = write(table, tmp_path / "whole.parquet").read_bytes()
    for number in range(150):
        content = bytearray(whole)
        content[rng.integers(4, len(content) - 8)] ^= 1 << rng.integers(8)
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(content)
        _, message = attempt(path)
        assert not message or path.name in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("run_id,nll\na,3,91\n", ["line 2", "3 fields"]),
        ("run_id,nll\na\nb,1\n", ["line 2", "1 field,"]),
        ("run_id,nll\na,1\nb", ["line 3", "truncated"]),
        ('run_id,nll\na,1\nb,"2', ["truncated"]),
        ("run_id,nll,nll\na,1,2\n", ["two columns 'nll'"]),
        ("run_id,nll\na\rb,1\n", ["line 2"]),
        ("run_id,nll\ra,1\r", ["carriage return"]),
        ("run_id,nll\n" + "a,1.25\n" * 12 + "a,1.2", ["ends within its last line", "'1.2'"]),
        ("run_id,nll\na,1.25\na,1.", ["ends within its last line"]),
    ],
)
def test_csv_that_is_cut_or_uneven(tmp_path: Path, t2: Any, content: str, says: list[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, newline="")
    refused(path, tmp_path, t2, ["bad.csv", *says])


def test_compressed_text_is_not_unpacked(table: Table, tmp_path: Path, t2: Any) -> None:
    path = tmp_path / "bomb.csv"
    path.write_bytes(gzip.compress(b"run_id,nll\n" + b"a,1\n" * 1000))
    refused(path, tmp_path, t2, ["bomb.csv", "compressed", "unpack"])


def test_a_last_line_without_its_end_is_remarked_upon(table: Table, tmp_path: Path) -> None:
    path = write(table, tmp_path / "t.csv")
    whole = read(path)
    path.write_text(path.read_text().rstrip("\n"))
    found = read(path)
    assert found.outcomes.equals(whole.outcomes)
    assert any("no line end" in note and "'2.5'" in note for note in found.report.notes)
    assert not any("no line end" in note for note in whole.report.notes)


def test_blank_lines_and_quotes_keep_the_lines_names(table: Table, tmp_path: Path) -> None:
    lines = write(table, tmp_path / "t.csv").read_text().splitlines()
    path = tmp_path / "u.csv"
    path.write_text("\n".join([lines[0], '"a"' + lines[1][1:], "", *lines[2:], ""]))
    assert read(path).outcomes.equals(read(tmp_path / "t.csv").outcomes)
    path.write_text(path.read_text().replace("1.5", "1.5x"))
    with pytest.raises(DataError, match=r"line 7 says '1\.5x'"):
        read(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"run_id": "a", "nll": 1, "nll": 2}', "'nll' stands twice"),
        ('{"run_id": "\\ud800", "nll": 1}', "surrogate"),
        ('{"run_id": "a", "nll": true}', "line 8 says 'true'"),
        ('{"run_id": "a", "nll": [1]}', "line 8 says"),
        ('{"run_id": "a", "nll": "3,91"}', "line 8 says '3,91'"),
    ],
)
def test_rows_of_jsonl_that_mislead(table: Table, tmp_path: Path, line: str, says: str) -> None:
    path = write(table, tmp_path / "t.jsonl")
    path.write_text(path.read_text() + "\n" + line + "\n")
    with pytest.raises(DataError, match=says) as caught:
        read(path)
    assert "t.jsonl" in str(caught.value)


def test_facts_of_a_run_are_settled_before_rows_are_joined(table: Table) -> None:
    scored = pl.DataFrame(table)
    counted = scored.drop("nll").with_columns(n_samples=4, n_correct=1, n_params=pl.col("n_params") * 2)
    with pytest.raises(DataError, match=r"run `a` in .* has 2 values of `n_params`: 1000000\.0 and 2000000\.0"):
        read(pl.concat([scored, counted], how="diagonal"))
    counted = counted.with_columns(n_params=None)
    found = read(pl.concat([scored, counted], how="diagonal"))
    assert len(found.outcomes) == 6
    assert found.runs["n_params"].to_list() == [1e6, 2e6]


@pytest.mark.parametrize("times", [2, 3])
def test_counts_of_a_question_that_stand_twice(table: Table, counts: Table, times: int) -> None:
    scored = pl.DataFrame({**counts, "nll": [1.0] * 6}).drop("n_samples", "n_correct")
    repeated = pl.concat([scored, *[pl.DataFrame(counts)] * times], how="diagonal")
    with pytest.raises(DataError, match=rf"repeats 6 questions of a run: .* stands {times + 1} times"):
        read(repeated)


def test_rows_that_stand_twice_in_their_order(table: Table) -> None:
    frame = pl.DataFrame(table)
    with pytest.raises(DataError, match=r"repeats 1 question of a run: run `a`, .*`q0` stands 2 times"):
        read(pl.concat([frame[:1], frame]))


def test_a_row_with_both_outcomes_beside_rows_with_one_each(table: Table) -> None:
    both = pl.DataFrame({**table, "n_samples": [4] * 6, "n_correct": [1] * 6})
    alone = [both.drop("n_samples", "n_correct"), both.drop("nll")]
    with pytest.raises(DataError, match="stands 3 times"):
        read(pl.concat([both, *alone], how="diagonal"))
