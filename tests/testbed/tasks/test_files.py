"""Task files: round trip, refusals, and grading by tokens."""

from __future__ import annotations

import json
import math

import pytest
import yaml

from t2scaling.errors import DataError, PrerequisiteError, SuiteError
from t2scaling.testbed import tasks
from t2scaling.testbed.tasks import Question, Task


def small() -> Task:
    question = Question("a-1", "Question: What?\nAnswer:", " That.", 2.0, "test")
    extra = Question("a-2", "Naïve", " café", math.nan, "train")
    return Task("a", "real", {"test": (question,), "train": (extra,)}, stop=".")


def test_round_trip(tmp_path):
    made = tasks.load("spatial")
    assert tasks.read(tasks.save(made, tmp_path / "spatial.jsonl")) == made
    assert tasks.load("spatial", path=tmp_path / "spatial.jsonl") == made


def test_unknown_difficulty_survives(tmp_path):
    again = tasks.read(tasks.save(small(), tmp_path / "a.jsonl"))
    assert again.questions() == small().questions()
    assert math.isnan(again.questions("train")[0].difficulty)
    assert again.questions("train")[0].text == "Naïve café"


def test_own_file_needs_three_columns(tmp_path):
    (tmp_path / "mine.jsonl").write_text('{"question_id": "x", "prompt": "Two and two is", "answer": " four"}\n')
    task = tasks.read(tmp_path / "mine.jsonl")
    assert task.name == "mine"
    assert task.questions()[0].text == "Two and two is four"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question_id": "x", "prompt": "a"}, "`answer` is missing"),
        ({"question_id": 3, "prompt": "a", "answer": " b"}, "`question_id` is "),
        ({"question_id": "x", "prompt": "a", "answer": "b"}, "must be the first character of `answer`"),
        ({"question_id": "x", "prompt": "a ", "answer": " b"}, "must be the first character of `answer`"),
        ([1], "no object: every line"),
    ],
)
def test_bad_rows_are_named(tmp_path, row, message):
    good = {"question_id": "y", "prompt": "a", "answer": " b"}
    (tmp_path / "bad.jsonl").write_text(json.dumps(good) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message) as error:
        tasks.read(tmp_path / "bad.jsonl")
    assert "line 2" in str(error.value)


def test_other_bad_files(tmp_path):
    with pytest.raises(PrerequisiteError, match="no task file"):
        tasks.read(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="has no questions"):
        tasks.read(tmp_path / "empty.jsonl")
    row = '{"question_id": "x", "prompt": "a", "answer": " b"}\n'
    (tmp_path / "twice.jsonl").write_text(row * 2)
    with pytest.raises(DataError, match="twice, such as x") as error:
        tasks.read(tmp_path / "twice.jsonl")
    assert error.value.rows == ["x"]
    (tmp_path / "torn.jsonl").write_text(row + "{")
    with pytest.raises(DataError, match="line 2 is not JSON"):
        tasks.read(tmp_path / "torn.jsonl")


def test_unknown_names_and_splits_are_refused():
    with pytest.raises(SuiteError, match="`knowlege` is no task"):
        tasks.load("knowlege")
    with pytest.raises(ValueError, match="'dev': task a has test, train"):
        small().questions("dev")


def test_grading_compares_the_first_tokens():
    assert tasks.is_correct([5, 7, 9], [5, 7])
    assert not tasks.is_correct([5], [5, 7])
    assert not tasks.is_correct([5, 8, 9], [5, 7])


def test_full_stop_tells_one_from_fourteen(tmp_path):
    from itertools import islice

    from t2scaling.testbed import corpus
    from t2scaling.testbed.corpus.tokenizer import load_fast

    text = islice(corpus.source().documents(), 500)
    encode = load_fast(corpus.train_tokenizer(text, 300, tmp_path)).encode
    assert not tasks.is_correct(encode(" 14.").ids, encode(" 1.").ids)
    assert tasks.is_correct(encode(" 14. Then").ids, encode(" 14.").ids)


def test_lm_eval_files_hold_the_test_split(tmp_path):
    file = tasks.write_lm_eval(small(), tmp_path)
    description = yaml.safe_load(file.read_text())
    assert description["task"] == "a"
    assert description["output_type"] == "loglikelihood"
    assert description["target_delimiter"] == ""
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(row["prompt"], row["answer"]) for row in rows] == [("Question: What?\nAnswer:", " That.")]


@pytest.mark.parametrize("name", ["../../elsewhere", "a/b", "a\x1b[2J", ""])
def test_no_name_of_a_task_leads_out_of_a_folder(tmp_path, name):
    path = tmp_path / "task.jsonl"
    path.write_text(json.dumps({"question_id": "y", "prompt": "a", "answer": " b", "task": name}) + "\n")
    with pytest.raises(ValueError, match=r"`task` of .*task.jsonl"):
        tasks.read(path)
