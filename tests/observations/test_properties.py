"""Properties of the readers, over random tables and logs (hypothesis)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2scaling.errors import DataError
from t2scaling.observations import Observations, read

# Names as harnesses and people make them: no control characters, no white space at the ends, no surrogates.
NAME = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and text
)
QUICK = settings(max_examples=40, deadline=None)


@st.composite
def tables(draw: Any) -> pl.DataFrame:
    """Canonical tables of counts: some runs, some questions each, in any order of rows."""
    runs = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    questions = draw(st.lists(NAME, min_size=1, max_size=5, unique=True))
    rows = []
    for i, run in enumerate(runs):
        for question in questions:
            n = draw(st.integers(1, 10**7))
            rows.append((run, 1e6 * (i + 1), 1e9, "task", question, n, draw(st.integers(0, n))))
    names = ["run_id", "n_params", "n_tokens", "task", "question_id", "n_samples", "n_correct"]
    return pl.DataFrame(draw(st.permutations(rows)), names, orient="row")


@QUICK
@given(tables())
def test_formats_and_row_orders_do_not_matter(frame: pl.DataFrame) -> None:
    expected = read(frame)
    with tempfile.TemporaryDirectory() as folder:
        paths = {suffix: Path(folder) / f"t.{suffix}" for suffix in ("csv", "parquet", "jsonl")}
        frame.write_csv(paths["csv"])
        frame.write_parquet(paths["parquet"])
        frame.write_ndjson(paths["jsonl"])
        for path in paths.values():
            found = read(path)
            assert found.frame().equals(expected.frame())
            assert found.measurements().data_hash == expected.measurements().data_hash


@QUICK
@given(tables())
def test_arrays_hold_every_cell(frame: pl.DataFrame) -> None:
    found = read(frame).measurements()
    assert found.n is not None
    assert found.c is not None
    assert found.n.size == len(frame)
    assert found.n.sum() == frame["n_samples"].sum()
    assert found.c.sum() == frame["n_correct"].sum()
    assert np.isclose(found.question_weight.sum(), 1)
    assert list(found.N) == sorted(found.N)


@QUICK
@given(tables(), st.data())
def test_one_spoilt_row_spoils_the_table(frame: pl.DataFrame, data: Any) -> None:
    row = data.draw(st.integers(0, len(frame) - 1))
    n, here = frame["n_samples"][row], pl.int_range(pl.len()) == row
    spoilt = data.draw(
        st.sampled_from(
            [
                frame.with_columns(n_correct=pl.when(here).then(n + 1).otherwise("n_correct")),
                frame.with_columns(n_correct=pl.when(here).then(-1).otherwise("n_correct")),
                frame.with_columns(n_samples=pl.when(here).then(0).otherwise("n_samples")),
                frame.with_columns(run_id=pl.when(here).then(pl.lit("")).otherwise("run_id")),
                pl.concat([frame, frame[row : row + 1]]),
            ]
        )
    )
    with pytest.raises(DataError):
        read(spoilt)


def attempt(path: Path) -> tuple[Observations | None, str]:
    """What reading gives: a table, or the words of the refusal."""
    try:
        return read(path), ""
    except DataError as error:
        return None, str(error)


@QUICK
@given(tables(), st.integers(1, 200))
def test_a_truncated_file_is_refused_or_read_in_part_never_wrongly(frame: pl.DataFrame, cut: int) -> None:
    """A JSONL file cut at any byte: an error that names the line, or a whole number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        frame.write_ndjson(path)
        content = path.read_bytes()
        path.write_bytes(content[: max(0, len(content) - cut)])
        found, message = attempt(path)
    if found is None:
        assert "t.jsonl" in message
    else:
        whole = read(frame).frame()
        assert found.frame().join(whole, on=whole.columns, how="anti").is_empty()


@QUICK
@given(st.lists(st.tuples(st.lists(st.text(max_size=6), min_size=1, max_size=5), st.text(max_size=6)), min_size=1))
def test_repeats_are_counted_as_python_counts_them(rows: list[tuple[list[str], str]]) -> None:
    """Any text a model may write, surrogates aside, graded exactly."""
    rows = [([clean(text) for text in responses], clean(target)) for responses, target in rows]
    expected = [sum(text.strip() == target.strip() for text in responses) for responses, target in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples_t_2026-01-01T00-00-00.0.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for doc, (responses, target) in enumerate(rows):
                row = {
                    "doc_id": doc,
                    "target": target,
                    "resps": [responses],
                    "filtered_resps": responses[:1],
                    "filter": "f",
                }
                file.write(json.dumps(row, ensure_ascii=doc % 2 == 0) + "\n")
        found = read(path, [{"match": "", "n_params": 1, "n_tokens": 1}]).outcomes
    by_doc = dict(found.select("question_id", "n_correct").iter_rows())
    assert [by_doc[str(doc)] for doc in range(len(rows))] == expected
    assert found["n_samples"].sum() == sum(len(responses) for responses, _ in rows)


def clean(text: str) -> str:
    """Without surrogates, and never the text of a list, which stands for several accepted answers."""
    return text.encode("utf-8", "ignore").decode().replace("[", "(")
