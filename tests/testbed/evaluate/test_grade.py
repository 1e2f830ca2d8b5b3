from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from t2scaling.errors import DataError
from t2scaling.foreign import load_function
from t2scaling.testbed.evaluate.grade import cut, ending_tokens, grade
from t2scaling.testbed.tasks import Question

QUESTION = Question("q", "Where?\nAnswer:", " river.", 0.0, "test")


def test_graders_from_files_and_modules(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def right(question, completion):\n    return completion.strip() == question.answer.strip()\n")
    grader = load_function(f"{file}:right", "--grader")
    assert grade(grader, QUESTION, [" river.", "river.", " sea."]).tolist() == [True, True, False]
    assert load_function("operator:eq", "--grader")(1, 1) is True  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no_colon", "write module:function"),
        ("nowhere.py:right", "there is no file"),
        ("no_such_module_here:right", "cannot be imported .No module named .no_such_module_here"),
        ("operator:no_such_function", "has no function `no_such_function`"),
    ],
)
def test_graders_that_are_not_there(spec: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        load_function(spec, "--grader")


def test_each_distinct_text_is_graded_once() -> None:
    seen: list[str] = []

    def grader(question: Question, text: str) -> bool:
        seen.append(text)
        return text == "b"

    assert grade(grader, QUESTION, ["a", "b", "a", "b"]).tolist() == [False, True, False, True]
    assert seen == ["a", "b"]


def test_only_true_and_false_are_verdicts() -> None:
    with pytest.raises(DataError, match="returned 'no' for question q"):
        grade(lambda question, text: "no", QUESTION, ["a"])  # type: ignore[arg-type, return-value]
    assert grade(lambda question, text: np.bool_(True), QUESTION, ["a"]).tolist() == [True]  # type: ignore[return-value]


def test_cut() -> None:
    assert cut(" river.\nQuestion: next", ("\n",)) == " river."
    assert cut("one two three", ("three", "two")) == "one "
    assert cut("nothing to cut", ("\n",)) == "nothing to cut"


def test_tokens_that_end_a_completion(hf_folder: Path) -> None:
    from t2scaling.testbed.evaluate.tokens import Tokenizer

    tokenizer = Tokenizer.at(hf_folder).load()
    ends = ending_tokens(tokenizer, 400, ("\n", "."))  # a model may have more logits than the tokenizer has tokens
    texts = [tokenizer.decode([token]) for token in np.flatnonzero(ends)]
    assert "\n" in texts
    assert "." in texts
    assert all("\n" in text or "." in text or text == tokenizer.eos_token for text in texts)
    assert np.flatnonzero(ending_tokens(tokenizer, 400, ())).tolist() == [tokenizer.eos_token_id]
