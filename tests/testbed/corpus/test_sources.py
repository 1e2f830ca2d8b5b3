"""Sources: the built-in world, local files, hub datasets, and specifications that are refused."""

from __future__ import annotations

import json
from itertools import islice

import polars as pl
import pytest

from t2scaling.errors import DataError, PrerequisiteError, SuiteError
from t2scaling.testbed import corpus
from t2scaling.testbed.corpus import sources


def test_builtin_starts_anywhere():
    text = corpus.source("builtin", seed=5)
    assert list(islice(text.documents(7), 3)) == [text.document(index) for index in (7, 8, 9)]


@pytest.mark.parametrize(
    "spec",
    ["builtin", {"kind": "builtin", "seed": 9}, "folder", {"kind": "files", "path": "x", "field": "body"}, "hub:a/b"],
)
def test_specification_round_trips(spec):
    text = corpus.source(spec, seed=4)
    assert corpus.source(text.to_dict()) == text
    assert corpus.source(text) is text


def test_seed_of_the_specification_wins():
    assert corpus.source({"kind": "builtin", "seed": 9}, seed=4).seed == 9
    assert corpus.source("builtin", seed=4).seed == 4


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"kind": "wiki"}, "'wiki' is no kind of corpus"),
        ({"kind": "files", "pth": "x"}, "`pth` is no field of a files corpus"),
        ({"kind": "files"}, "needs `path`"),
        ({"kind": "hub", "field": "text"}, "needs `name`"),
    ],
)
def test_bad_specifications_are_refused(spec, message):
    with pytest.raises(SuiteError, match=message):
        corpus.source(spec)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_text("first\nfile")
    (tmp_path / "b.jsonl").write_text('{"text": "second"}\n\n{"text": "third", "id": 3}\n')
    pl.DataFrame({"text": ["fourth", None, "fifth"]}).write_parquet(tmp_path / "c.parquet")
    (tmp_path / "d.csv").write_text("not read")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "e.md").write_text("sixth")
    return tmp_path


def test_files_are_read_in_order(folder):
    text = corpus.source(str(folder))
    assert list(text.documents()) == ["first\nfile", "second", "third", "fourth", "fifth", "sixth"]
    assert list(text.documents(4)) == ["fifth", "sixth"]


def test_parquet_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_PARQUET_ROWS", 3)
    pl.DataFrame({"content": [str(i) for i in range(10)]}).write_parquet(tmp_path / "x.parquet")
    text = corpus.source({"kind": "files", "path": str(tmp_path / "x.parquet"), "field": "content"})
    assert list(text.documents()) == [str(i) for i in range(10)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", '{"body": "a"}', "no text under `text` in .*line 1"),
        ("x.jsonl", '{"text": "a"}\nnonsense', "line 2 is not JSON"),
        ("x.jsonl", "[1, 2]", "no object: every line"),
    ],
)
def test_bad_rows_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        list(corpus.source(str(tmp_path)).documents())


def test_missing_column_and_empty_folder_are_named(tmp_path):
    with pytest.raises(PrerequisiteError, match="no text at"):
        list(corpus.source(str(tmp_path)).documents())
    pl.DataFrame({"body": ["a"]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has no column `text`"):
        list(corpus.source(str(tmp_path)).documents())


def test_hub_reads_through_datasets(tmp_path):
    # A dataset script or name cannot be reached in tests; `datasets` reads a local folder by the same call.
    (tmp_path / "train.jsonl").write_text("".join(json.dumps({"content": f"page {i}"}) + "\n" for i in range(5)))
    text = corpus.source({"kind": "hub", "name": str(tmp_path), "field": "content"})
    assert list(text.documents()) == [f"page {i}" for i in range(5)]
    assert list(text.documents(3)) == ["page 3", "page 4"]
    with pytest.raises(DataError, match="set `field` to one of content"):
        list(corpus.source({"kind": "hub", "name": str(tmp_path)}).documents())


def test_unreachable_hub_names_the_way_out(monkeypatch):
    import datasets

    def unreachable(*args, **kwargs):
        raise ConnectionError("Couldn't reach 'org/name' on the Hub\nmore")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(PrerequisiteError, match=r"`org/name` \(split `train`\) could not be had .* local copy"):
        next(corpus.source("hub:org/name").documents())
