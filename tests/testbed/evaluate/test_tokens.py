from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from t2scaling.errors import DataError
from t2scaling.testbed.evaluate.tokens import Tokenizer, encode
from t2scaling.testbed.tasks import Question

QUESTION = Question("q", "Anna walked from the garden to the river.\nAnswer:", " river.", 0.0, "test")


def test_prompt_and_answer_split_the_text(hf_folder: Path) -> None:
    tokenizer = Tokenizer.at(hf_folder)
    encoded = encode([QUESTION], tokenizer, 64)
    assert tokenizer.load().decode(encoded.prompts[0]) == QUESTION.prompt
    assert tokenizer.load().decode(encoded.answers[0]) == QUESTION.answer
    assert encoded.dropped.tolist() == [0]


@pytest.mark.parametrize("answer", [" river.", "er to the river.", "é", " 😀.", "s", "."])
@pytest.mark.parametrize("prompt", ["Anna walked", "Where?\nAnswer:", "the gard", "caf", "😀"])
def test_the_split_is_that_of_tokenising_the_prompt(prompt: str, answer: str, hf_folder: Path) -> None:
    loaded = Tokenizer.at(hf_folder).load()
    head, whole = loaded(prompt).input_ids, loaded(prompt + answer).input_ids
    question = replace(QUESTION, prompt=prompt, answer=answer)
    if len(whole) <= len(head):
        with pytest.raises(DataError, match="adds no token"):
            encode([question], Tokenizer.at(hf_folder), 64)
        return
    encoded = encode([question], Tokenizer.at(hf_folder), 64)
    assert encoded.prompts == (tuple(head),)
    assert encoded.answers == (tuple(whole[len(head) :]),)


def test_spaces_that_end_a_prompt_go_to_the_answer(hf_folder: Path) -> None:
    tokenizer = Tokenizer.at(hf_folder)
    spaced = replace(QUESTION, prompt=QUESTION.prompt + " ", answer="river.")
    assert encode([spaced], tokenizer, 64).answers == encode([QUESTION], tokenizer, 64).answers


def test_an_empty_prompt_starts_with_the_start_token(hf_folder: Path) -> None:
    tokenizer = Tokenizer.at(hf_folder)
    encoded = encode([replace(QUESTION, prompt="")], tokenizer, 64)
    assert encoded.prompts[0] == (tokenizer.load().eos_token_id,)
    assert tokenizer.load().decode(encoded.answers[0]) == " river."


def test_long_prompts_lose_their_beginning(hf_folder: Path) -> None:
    tokenizer = Tokenizer.at(hf_folder)
    whole = encode([QUESTION], tokenizer, 64)
    n_prompt, n_answer = len(whole.prompts[0]), len(whole.answers[0])
    # The answer's last token is not read, so a context of prompt + answer − 1 is enough.
    assert encode([QUESTION], tokenizer, n_prompt + n_answer - 1).dropped.tolist() == [0]
    cut = encode([QUESTION], tokenizer, n_prompt + n_answer - 4)
    assert cut.dropped.tolist() == [3]
    assert cut.prompts[0] == whole.prompts[0][3:]
    assert cut.answers == whole.answers
    assert encode([QUESTION], tokenizer, n_prompt + 9, room=10).dropped.tolist() == [0]
    assert encode([QUESTION], tokenizer, n_prompt + 9, room=12).dropped.tolist() == [2]


def test_what_cannot_be_scored_is_refused(hf_folder: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.at(hf_folder)
    with pytest.raises(DataError, match=r"question q: .* do not fit a context of 1"):
        encode([replace(QUESTION, answer=" river river river")], tokenizer, 1)
    with pytest.raises(DataError, match="adds no token"):
        encode([replace(QUESTION, answer="")], tokenizer, 64)
    with pytest.raises(DataError, match="no tokenizer"):
        Tokenizer.at(tmp_path)


def test_the_same_files_are_the_same_tokenizer(hf_folder: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((hf_folder / name).read_bytes())
    assert Tokenizer.at(tmp_path) == Tokenizer.at(hf_folder)
    assert Tokenizer.at(tmp_path).load() is Tokenizer.at(hf_folder).load()
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert Tokenizer.at(tmp_path) != Tokenizer.at(hf_folder)
