"""Logs of Inspect AI, written here as zstd zip archives, and the real one read by hand."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from t2scaling.errors import DataError
from t2scaling.observations import read

Write = Callable[..., Path]
Sample = Callable[..., dict[str, Any]]


def counts(path: Path, **options: Any) -> dict[str, tuple[int, int]]:
    rows = read(path, **options).outcomes.select("question_id", "n_samples", "n_correct").rows()
    return {name: (n, c) for name, n, c in rows}


def test_epochs_are_samples(inspect_log: Write, inspect_sample: Sample) -> None:
    values = {"q0": "CICI", "q1": "IIII", "q2": "CCCP"}
    samples = [
        inspect_sample(name, epoch, letter, tokens=epoch + 3)
        for name, letters in values.items()
        for epoch, letter in enumerate(letters, 1)
    ]
    found = read(inspect_log(samples))
    assert counts(inspect_log(samples)) == {"q0": (4, 2), "q1": (4, 0), "q2": (4, 3)}
    assert found.outcomes["completion_tokens"].to_list() == [5.5] * 3
    assert found.outcomes["prompt_tokens"].to_list() == [7.0] * 3
    assert found.runs.row(0, named=True) == {
        "run_id": "mock/one",
        "stage": "base",
        "n_params": 38752.0,
        "n_tokens": 1e9,
    }
    assert any("scored between 0 and 1" in note for note in found.report.notes)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("C", (1, 1)), ("I", (1, 0)), ("P", (1, 0)), ("N", (1, 0)), (1, (1, 1)), (1.0, (1, 1)), (0.99, (1, 0)),
     (True, (1, 1)), (False, (1, 0)), ("1", (1, 1)), ("0.5", (1, 0)), ("yes", (1, 1)), ("no", (1, 0)),
     (math.nan, None), (None, None), ("unsure", None), ({"a": 1}, None)],
)  # fmt: skip
def test_values_of_scores(inspect_log: Write, inspect_sample: Sample, value: Any, outcome: Any) -> None:
    path = inspect_log([inspect_sample("other", 1, "C"), inspect_sample("q", 1, value)])
    found = counts(path)
    assert found.pop("other") == (1, 1)
    assert found == ({"q": outcome} if outcome else {})


def test_unscored_samples_do_not_count_in_n(inspect_log: Write, inspect_sample: Sample) -> None:
    samples = [inspect_sample("q", epoch, value) for epoch, value in enumerate(["C", math.nan, "I", math.nan], 1)]
    found = read(inspect_log(samples))
    assert found.outcomes["n_samples"].to_list() == [2]
    assert [(drop.rows, "NaN" in drop.reason) for drop in found.report.dropped] == [(2, True)]


def test_logs_of_one_run_add_up_and_retries_do_not(inspect_log: Write, inspect_sample: Sample) -> None:
    first = [inspect_sample("q", epoch, "C") for epoch in (1, 2)]
    inspect_log(first, name="a", status="error")
    path = inspect_log([*first, inspect_sample("q", 3, "I")], name="b")
    found = read(path.parent)
    assert found.outcomes.select("n_samples", "n_correct").row(0) == (3, 2)
    assert [(drop.rows, "retry" in drop.reason) for drop in found.report.dropped] == [(2, True)]
    assert any("status error" in note for note in found.report.notes)
    again = [inspect_sample("q", epoch, "I", uuid=f"new{epoch}") for epoch in (1, 2)]
    inspect_log(again, name="c")
    assert read(path.parent).outcomes.select("n_samples", "n_correct").row(0) == (5, 2)


def test_scorer_is_chosen(inspect_log: Write, inspect_sample: Sample) -> None:
    both = {"match": {"value": "I"}, "judge": {"value": "C"}}
    path = inspect_log([inspect_sample("q", 1, "I", scores=both)])
    assert counts(path) == {"q": (1, 0)}
    assert counts(path, filter="judge") == {"q": (1, 1)}
    assert any("`match` was taken" in note for note in read(path).report.notes)
    with pytest.raises(DataError, match=r"no scorer `jugde`.*did you mean `judge`"):
        read(path, filter="jugde")


def test_target_perplexity_gives_the_summed_nll(inspect_log: Write, inspect_sample: Sample) -> None:
    told = {"num_tokens": 3, "sum_log_probs": -6.0, "perplexity": math.exp(2.0)}
    in_summary = {"target_perplexity": {"value": 2.0, "metadata": told}}
    bare = {"target_perplexity": {"value": 2.5}}
    full = {"target_perplexity": {"value": 2.5, "metadata": {"num_tokens": 2, "sum_log_probs": -5.0}}}
    samples = [inspect_sample("a", 1, 0, scores=in_summary), inspect_sample("b", 1, 0, scores=bare)]
    path = inspect_log(samples, members={"samples/b_epoch_1.json": {"scores": full}})
    found = read(path)
    assert found.outcomes["nll"].to_list() == [6.0, 5.0]
    assert found.outcomes["nll_tokens"].to_list() == [3, 2]
    assert found.conventions["nll"] == "sum"


def test_perplexity_of_whole_texts_is_dropped(inspect_log: Write, inspect_sample: Sample) -> None:
    path = inspect_log([inspect_sample("q", 1, 2.3, scorer="perplexity")])
    with pytest.raises(DataError, match="no scored sample"):
        read(path)
    other = inspect_log([inspect_sample("q", 1, "C")], name="other")
    assert "no answer" in read(other.parent).report.dropped[0].reason


def test_facts_come_from_metadata_or_the_manifest(inspect_log: Write, inspect_sample: Sample) -> None:
    told = {"run_id": "r7", "n_params": "1B", "n_tokens": "20B", "seed": 3}
    found = read(inspect_log([inspect_sample("q", 1, "C")], metadata=told))
    assert found.runs.select("run_id", "n_params", "n_tokens", "seed").row(0) == ("r7", 1e9, 2e10, 3)
    bare = inspect_log([inspect_sample("q", 1, "C")], metadata={})
    with pytest.raises(DataError, match="n_params"):
        read(bare)
    found = read(bare, [{"match": "^mock/", "n_params": "2B", "n_tokens": "40B"}])
    assert found.runs["n_params"].to_list() == [2e9]


def test_log_that_was_cut_off_before_its_summaries(inspect_log: Write, inspect_sample: Sample) -> None:
    pieces = {f"_journal/summaries/{i}.json": [inspect_sample("q", i, "C")] for i in (1, 2, 10)}
    path = inspect_log([], members=pieces, leave_out=("summaries.json",))
    assert counts(path) == {"q": (3, 3)}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"leave_out": ("header.json",)}, "has no header.json"),
        ({"members": {"header.json": {"version": 2}}}, "no log of Inspect AI"),
        ({}, "no scored sample"),
    ],
)
def test_archives_that_are_no_logs(inspect_log: Write, spoil: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(inspect_log([], **spoil))


def test_truncated_archive(inspect_log: Write, inspect_sample: Sample) -> None:
    path = inspect_log([inspect_sample("q", 1, "C")])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="not a readable"):
        read(path)


def test_damaged_member(inspect_log: Write, inspect_sample: Sample) -> None:
    path = inspect_log([inspect_sample(f"q{i}", 1, "C") for i in range(50)])
    content = bytearray(path.read_bytes())
    at = content.index(b"summaries.json") + len(b"summaries.json") + 40
    content[at : at + 20] = bytes(20)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"summaries.json is damaged"):
        read(path)


def test_json_kind_of_log(tmp_path: Path, inspect_sample: Sample) -> None:
    content = {
        "status": "success",
        "eval": {"task": "sums", "model": "m", "metadata": {"n_params": 1e6, "train_tokens": 1e9}},
        "samples": [inspect_sample("q", epoch, value) for epoch, value in enumerate("CI", 1)],
    }
    (tmp_path / "log.json").write_text(json.dumps(content))
    assert counts(tmp_path / "log.json", format="inspect") == {"q": (2, 1)}


def test_real_log_matches_the_log_read_by_hand(shared_data: Path) -> None:
    path = next((shared_data / "harness_logs" / "inspect").glob("*.eval"))
    by_hand: dict[str, tuple[int, int]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                sample = json.loads(archive.read(name))
                n, c = by_hand.get(sample["id"], (0, 0))
                by_hand[sample["id"]] = (n + 1, c + (sample["scores"]["match"]["value"] == "C"))
    assert counts(path) == by_hand == {"q0": (4, 1), "q1": (4, 1), "q2": (4, 1)}
    found = read(path)
    assert found.runs.select("n_params", "n_tokens").row(0) == (38752.0, 1e9)
    assert found.outcomes["completion_tokens"].to_list() == [5.0] * 3


def test_wrong_answers_chance_and_a_second_scorers_numbers(inspect_log: Write, inspect_sample: Sample) -> None:
    answers = [("C", "4", 0.9), ("I", "5", 0.2), ("I", " 5", 0.4), ("I", "6", 0.1), ("I", "", 0.3), ("I", "x" * 99, 0)]
    samples = [
        inspect_sample("q", epoch, value, scores={
            "match": {"value": value, "answer": answer}, "reward": {"value": float(reward)}
        }, choices=["a", "b", "c", "d"], target="A")
        for epoch, (value, answer, reward) in enumerate(answers, 1)
    ]  # fmt: skip
    row = read(inspect_log(samples)).outcomes.row(0, named=True)
    assert (row["n_samples"], row["n_correct"], row["wrong_counts"], row["chance"]) == (6, 1, [2, 1], 0.25)
    assert row["scores"] == [0.9, 0.2, 0.4, 0.1, 0.3, 0.0]
    assert row["correct"] == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    "broken",
    [{"id": None}, {"id": [1]}, {"epoch": "one"}, {"epoch": None}, {"scores": 5}, {"scores": {"match": 5}},
     {"model_usage": {"m": {"input_tokens": -1}}}, {"uuid": 5}],
)  # fmt: skip
def test_samples_of_other_types_are_refused(inspect_log: Write, inspect_sample: Sample, broken: dict[str, Any]) -> None:
    path = inspect_log([inspect_sample("q", 1, "C"), {**inspect_sample("q", 2, "C"), **broken}])
    with pytest.raises(DataError, match=rf"log.eval`: summaries.json: `1\.{next(iter(broken))}"):
        read(path)
    missing = {key: value for key, value in inspect_sample("q", 2, "C").items() if key != "epoch"}
    with pytest.raises(DataError, match=r"`0.epoch` is missing"):
        read(inspect_log([missing]))


def test_a_sample_that_stands_twice_is_refused(inspect_log: Write, inspect_sample: Sample) -> None:
    path = inspect_log([inspect_sample("q", 1, "C", uuid="a"), inspect_sample("q", 1, "I", uuid="b")])
    with pytest.raises(DataError, match="holds sample 'q' of epoch 1 2 times"):
        read(path)
