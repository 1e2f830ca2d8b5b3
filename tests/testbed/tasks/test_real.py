"""The real tasks in the paper's formats, from rows of the real schemas with content written here."""

from __future__ import annotations

import json

import polars as pl
import pytest

from t2scaling.errors import DataError, PrerequisiteError
from t2scaling.testbed import tasks

CHOICES = {"text": ["the moon", "a lamp ", "the sun", "a stone"], "label": ["A", "B", "C", "D"]}
NUMBERED = {"text": ["ice", "steam", "rock"], "label": ["1", "2", "3"]}
ROWS = {
    "lambada_openai": [{"text": "He looked for his hat, and on the shelf he found the hat"}],
    "arc_easy": [
        {"id": "X_1", "question": "What gives light by day? ", "choices": CHOICES, "answerKey": "C"},
        {"id": "X_2", "question": "What does boiling water become?", "choices": NUMBERED, "answerKey": "2"},
    ],
    "sciq": [
        {
            "question": "What do roots take up?",
            "distractor1": "light",
            "distractor2": "sand",
            "distractor3": "noise",
            "correct_answer": "water",
            "support": "Roots take up water from the soil. ",
        },
        {"question": "What falls?", "correct_answer": "rain", "support": ""},
    ],
    "openbookqa": [{"id": "7-1", "question_stem": "By day we see by ", "choices": CHOICES, "answerKey": "B"}],
}
EXPECTED = {
    "lambada_openai": [("He looked for his hat, and on the shelf he found the", " hat")],
    "arc_easy": [
        ("Question: What gives light by day? \nAnswer:", " the sun"),
        ("Question: What does boiling water become?\nAnswer:", " steam"),
    ],
    "sciq": [
        ("Roots take up water from the soil. \nQuestion: What do roots take up?\nAnswer:", " water"),
        ("\nQuestion: What falls?\nAnswer:", " rain"),
    ],
    "openbookqa": [("By day we see by", "  a lamp ")],
}


def write(rows: list[dict], path) -> None:
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def pairs(questions) -> list[tuple[str, str]]:
    return [(question.prompt, question.answer) for question in questions]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", ROWS)
def test_formats(tmp_path, name, suffix):
    write(ROWS[name], tmp_path / f"test-00000-of-00001.{suffix}")
    write(ROWS[name][:1], tmp_path / f"train.{suffix}")
    task = tasks.load(name, path=tmp_path)
    assert pairs(task.questions()) == EXPECTED[name]
    assert task.stop == ""
    assert len({question.question_id for question in task.questions()}) == len(ROWS[name])
    if name == "lambada_openai":
        assert list(task.splits) == ["test"]
    else:
        assert pairs(task.questions("train")) == EXPECTED[name][:1]
        assert task.questions("train")[0].split == "train"


def test_a_validation_file_alone_is_halved(tmp_path):
    rows = [ROWS["sciq"][1] | {"question": f"What falls {n} times?"} for n in range(5)]
    write(rows, tmp_path / "validation.parquet")
    task = tasks.load("sciq", path=tmp_path)
    asked = {split: [question.prompt.split()[3] for question in task.questions(split)] for split in ("train", "test")}
    assert asked == {"train": ["0", "1"], "test": ["2", "3", "4"]}
    write(ROWS["lambada_openai"], tmp_path / "validation.jsonl")
    (tmp_path / "validation.parquet").unlink()
    assert len(tasks.load("lambada_openai", path=tmp_path).questions()) == 1


def test_chance_is_that_of_another_questions_answer(tmp_path):
    rows = [ROWS["sciq"][1] | {"correct_answer": answer} for answer in ("rain", "rain", "snow", "rain", "hail")]
    write(rows[:4], tmp_path / "test.jsonl")
    write(rows[4:], tmp_path / "train.jsonl")
    task = tasks.load("sciq", path=tmp_path)
    assert [question.chance for question in task.questions()] == [2 / 4, 2 / 4, 0, 2 / 4]
    again = tasks.read(tasks.save(task, tmp_path / "sciq.jsonl"))
    assert [question.chance for question in again.questions()] == [2 / 4, 2 / 4, 0, 2 / 4]


def test_a_single_file_is_the_test_split(tmp_path):
    write(ROWS["arc_easy"], tmp_path / "my_arc.jsonl")
    task = tasks.load("arc_easy", path=tmp_path / "my_arc.jsonl")
    assert list(task.splits) == ["test"]
    assert [question.question_id for question in task.questions()] == ["X_1", "X_2"]


@pytest.mark.parametrize(
    "row", [{"question": "Who?"}, {**ROWS["arc_easy"][0], "answerKey": "E"}, {"question": 3, "choices": CHOICES}]
)
def test_another_schema_is_named(tmp_path, row):
    write([ROWS["arc_easy"][0], row], tmp_path / "test.jsonl")
    with pytest.raises(DataError, match=r"row 1 of arc_easy \(test\) has not the dataset's schema"):
        tasks.load("arc_easy", path=tmp_path)


def test_lambada_line_of_one_word_is_named(tmp_path):
    write([{"text": "word"}], tmp_path / "test.jsonl")
    with pytest.raises(DataError, match="row 0 of lambada_openai"):
        tasks.load("lambada_openai", path=tmp_path)


def test_missing_copies_name_the_way_out(tmp_path):
    with pytest.raises(PrerequisiteError, match="no local copy at"):
        tasks.load("sciq", path=tmp_path / "none")
    with pytest.raises(PrerequisiteError, match="no test split of sciq"):
        tasks.load("sciq", path=tmp_path)
    (tmp_path / "test.jsonl").write_text("nonsense\n")
    with pytest.raises(DataError, match="line 1 is not JSON"):
        tasks.load("sciq", path=tmp_path)


def test_hub_is_asked_by_name_configuration_and_revision(monkeypatch):
    import datasets

    asked = []

    def load_dataset(name, config, *, split, revision, streaming):
        asked.append((name, config, split, revision))
        return ROWS["arc_easy"]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    task = tasks.load("arc_easy", revision="v1")
    assert asked == [("allenai/ai2_arc", "ARC-Easy", "test", "v1"), ("allenai/ai2_arc", "ARC-Easy", "train", "v1")]
    assert pairs(task.questions()) == EXPECTED["arc_easy"]


def test_unreachable_hub_names_the_local_copy(monkeypatch):
    import datasets

    def unreachable(*args, **kwargs):
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(PrerequisiteError, match="give the path of a local copy"):
        tasks.load("lambada_openai")
