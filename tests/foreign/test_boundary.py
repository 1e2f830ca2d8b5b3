"""What the boundary lets in, and what it refuses in one paragraph with the place and a way out."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from t2scaling import foreign
from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign.text import check_bounds, depth


def refusal(tmp_path: Path, content: bytes, name: str = "a.json") -> str:
    """The message with which a file of this content is refused."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        foreign.read_yaml(path) if name.endswith(".yaml") else foreign.read_json(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1', "column 8"),
        (b'{"a": 1,\n "a": 2}', "'a' stands twice"),
        (b"[" * 900 + b"]" * 900, "nested more than 200 deep"),
        (b"[" * 100_000, "nested more than 200 deep"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'"\xff"', "UTF-8"),
        ("[1]".encode("utf-16"), "UTF-16"),
        (b"9" * 400, "400 digits"),
        (b"[-1e300]", "larger than anything measured"),
        (b"[" + b"[]," * 8_000_001 + b"1]", "8,000,000 values"),
    ],
)
def test_json_that_is_refused(tmp_path, content, reason):
    assert reason in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: &x [1, 1]\nb: *x", "line 2"),
        (b"a: 1\nb: 2\na: 3", "line 3 has the key 'a' twice"),
        (b"a: {b: 1, b: 2}", "'b' twice"),
        (b"[" * 300, "200 deep"),
        (b"a: !!python/object:os.system {}", "line 1"),
        (b"a: 2020-13-45", "plain"),
        (b"a: " + b"9" * 5000, "5,000 digits"),
        (b"? [1]\n: 2", "unhashable"),
        (b"a: !!bool maybe", "plain"),
        (b"a: [1", "YAML"),
        (b"\xff", "UTF-8"),
        (b"a: b\n" * (1 << 20), "4 MiB"),
    ],
)
def test_yaml_that_is_refused(tmp_path, content, reason):
    assert reason in refusal(tmp_path, content, "a.yaml")


def test_brackets_in_strings_are_no_depth():
    assert depth(rb'{"a": "[[[\\\"[[", "b": [[1]]}') == 3
    check_bounds(b'"' + b"[" * 5000 + b'"', DataError)


NUMBERS = st.integers(-(10**98), 10**98) | st.floats(-1e99, 1e99) | st.just(float("inf"))


@given(st.recursive(st.none() | st.booleans() | NUMBERS | st.text(), st.lists))
def test_json_is_read_as_python_reads_it(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert foreign.parse_json(text.encode(), "`x`") == value


def test_rows_carry_their_line_numbers(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n{"a": NaN}\n')
    assert [number for number, _ in foreign.read_jsonl_rows(path)] == [1, 3]
    path.write_bytes(b'{"a": 1}\n[2]\n')
    with pytest.raises(DataError, match=r"rows.jsonl`, line 2"):
        list(foreign.read_jsonl_rows(path))


def test_pipes_and_devices_are_not_read():
    with pytest.raises(DataError, match="no plain file"):
        foreign.read_json("/dev/zero")


def test_a_zip_that_expands_is_not_expanded(tmp_path):
    path = tmp_path / "bomb.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b"[" + b" " * (90 << 20) + b"]")
    with foreign.open_zip(path) as archive, pytest.raises(DataError, match="expands too far"):
        archive.read("header.json")


def test_members_that_cannot_be_read(tmp_path):
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b'{"x": 1}' * 100)
    whole = path.read_bytes()
    with foreign.open_zip(path) as archive, pytest.raises(DataError, match="is missing"):
        archive.read("b.json")
    # Bit 0 of the flags, in the member's own header and in the directory, says that it is encrypted.
    entry = whole.index(b"PK\x01\x02")
    for at, reason in ((38, "damaged"), (None, "encrypted")):
        broken = bytearray(whole)
        if at is None:
            broken[6] |= 1
            broken[entry + 8] |= 1
        else:
            broken[at] ^= 0xFF
        path.write_bytes(bytes(broken))
        with foreign.open_zip(path) as archive, pytest.raises(DataError, match=reason):
            archive.read("a.json")
    path.write_bytes(whole[:40])
    with pytest.raises(DataError, match="not a readable zip"), foreign.open_zip(path):
        pass


def test_a_damaged_parquet_is_one_refusal(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": list(range(1000)), "b": ["x"] * 1000}).write_parquet(path)
    whole = path.read_bytes()
    assert len(foreign.read_parquet(path)) == 1000
    refused = 0
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        path.write_bytes(bytes(broken))
        with suppress(DataError):
            foreign.read_parquet(path)
            continue
        refused += 1
    assert refused > 20
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a.parquet` cannot be read as Parquet"):
        foreign.read_parquet(path)


class Inner(foreign.Strict):
    n_params: float


class Outer(foreign.Strict):
    runs: list[Inner]
    seed: int = 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "it holds [1]: it should be an object"),
        ({"runs": 5}, "`runs` is 5"),
        ({"runs": [{"n_params": "x" * 9999}]}, "`runs.0.n_params` is"),
        ({"runs": [{"n_param": 1}]}, "`runs.0.n_param` is not known (did you mean `n_params`?)"),
        ({}, "`runs` is missing"),
        ({"runs": [{"n_params": float("nan")}]}, "finite"),
        ({"runs": [{"n_params": "\x1b[2J"}]}, "\\x1b[2J"),
    ],
)
def test_contents_that_are_no_model(content, said):
    with pytest.raises(DataError) as caught:
        foreign.validate(Outer, content, "`runs.yaml`")
    message = str(caught.value)
    assert said in message
    assert message.startswith("`runs.yaml`: ")
    assert message.endswith("Correct it there and try again.")
    assert len(message) < 600
    assert message.isprintable()


class Fit(BaseModel):
    task: str


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no fit.json"),
        ({"format": 3}, "no `format`"),
        ({"format": "t2scaling/fit/1", "task": "a"}, "reads version 2"),
        ({"format": "other/1"}, "wanted"),
        ({"format": "t2scaling/fit/2", "task": [1]}, "damaged: `task` is [1]"),
    ],
)
def test_artefacts_that_are_refused_say_how_to_make_them_anew(tmp_path, content, said):
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError) as caught:
        foreign.read_artefact(path, Fit, "t2scaling/fit/2", "t2 fit … -o fit.json")
    assert said in str(caught.value)
    assert str(caught.value).endswith("Make it anew with `t2 fit … -o fit.json`.")
    path.write_text('{"format": "t2scaling/fit/2", "task": "a"}')
    assert foreign.read_artefact(path, Fit, "t2scaling/fit/2", "t2 fit").task == "a"


@pytest.mark.parametrize("name", ["a", "pythia-1b step 3000", "160m@step1000", "größe", "a.b"])
def test_names_that_may_name_files(name):
    assert foreign.safe_name(name, "--run-id") == name


@pytest.mark.parametrize(
    "name",
    ["", " ", " a", "a/b", "..", ".a", "\\a", "a\x1b[2J", "a\nb", "\u202eb", "\ud800", "a" * 121, 5, None, ["a"]],
)
def test_names_that_may_not(name):
    with pytest.raises(ArgumentError, match=r"^--run-id ") as caught:
        foreign.safe_name(name, "--run-id")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@given(st.text())
def test_what_is_shown_steers_no_terminal(text):
    assert foreign.shown(text).isprintable()
    assert len(foreign.shown(text, 100)) <= 100
    if text.isprintable() and len(text) <= 100:
        assert foreign.shown(text, 100) == text


def test_a_long_text_keeps_both_ends():
    text = foreign.shown("begin" + "x" * 5000 + "end")
    assert text.startswith("begin")
    assert text.endswith("end")
    assert len(text) <= 600
    for value in ("y" * 10**6, 10**6000, [[[["deep"]]]], {"a": ["b"] * 1000}):
        assert len(foreign.short(value)) < 200
