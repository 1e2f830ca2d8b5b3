"""Tokenizers: exact size, round trip, single digits, and a clean cut between prompt and answer."""

from __future__ import annotations

from itertools import islice

import pytest

from t2scaling.errors import PrerequisiteError
from t2scaling.testbed import corpus, tasks
from t2scaling.testbed.corpus.tokenizer import END_OF_TEXT, UNKNOWN, load_fast, train_tokenizer

GENERATED = ("knowledge", "arithmetic", "causal", "spatial")


def documents(n: int = 4000) -> list[str]:
    return list(islice(corpus.source().documents(), n))


@pytest.fixture(scope="module", params=[512, 1024])
def folder(request, tmp_path_factory):
    return train_tokenizer(documents(), request.param, tmp_path_factory.mktemp("tokenizer"))


def test_size_and_round_trip(folder):
    tokenizer = load_fast(folder)
    assert tokenizer.get_vocab_size() in (512, 1024)
    for text in documents(200):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_digits_stay_single(folder):
    tokenizer = load_fast(folder)
    assert [tokenizer.decode([i]) for i in tokenizer.encode("it is 417.").ids][-4:] == [" 4", "1", "7", "."]


def test_prompt_and_answer_meet_at_a_token_boundary(folder):
    tokenizer = load_fast(folder)
    for name in GENERATED:
        for split in ("test", "train"):
            for question in tasks.load(name).questions(split):
                apart = tokenizer.encode(question.prompt).ids + tokenizer.encode(question.answer).ids
                assert apart == tokenizer.encode(question.text).ids


def test_transformers_loads_the_same_tokenizer(folder):
    loaded, fast = corpus.load_tokenizer(folder), load_fast(folder)
    text = documents(1)[0]
    assert loaded(text)["input_ids"] == fast.encode(text).ids
    assert loaded.decode(loaded(text)["input_ids"]) == text
    assert loaded.eos_token == loaded.bos_token == loaded.pad_token == END_OF_TEXT
    assert loaded.eos_token_id == fast.token_to_id(END_OF_TEXT) == 0
    assert len(loaded) == fast.get_vocab_size()


def test_small_vocabulary_marks_what_it_cannot_spell(folder):
    tokenizer = load_fast(folder)
    assert tokenizer.token_to_id(UNKNOWN) in tokenizer.encode("naïve").ids


def test_large_vocabulary_spells_every_byte(tmp_path):
    words = [f"{document} naïve Ω {index * 7919}" for index, document in enumerate(documents(1500))]
    tokenizer = load_fast(train_tokenizer(words, 2048, tmp_path))
    text = "naïve Ω 漢字 \t\n"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_impossible_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="`vocab_size` = 90 is too small"):
        train_tokenizer(documents(10), 90, tmp_path)
    with pytest.raises(ValueError, match="`vocab_size` = 1000 is more than the text gives"):
        train_tokenizer(["one word or two"], 1000, tmp_path)


def test_missing_tokenizer_names_the_way_out(tmp_path):
    with pytest.raises(PrerequisiteError, match="prepare the corpus first"):
        corpus.load_tokenizer(tmp_path / "nowhere")
