"""The built-in world: deterministic documents, Zipf-like facts, and combinations that stay out of the text."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from t2scaling.testbed import tasks
from t2scaling.testbed.corpus.world import Draw, document, facts, places, sums
from t2scaling.testbed.corpus.world.draw import invented_name
from t2scaling.testbed.corpus.world.real_facts import real_facts

FIRST_THOUSAND = "d70540018942b8f873c81876a36e57ad1face1584ae1c2d8189789daf2af651c"


def text_of(n_documents: int, seed: int = 0) -> str:
    return "\n\n".join(document(seed, index) for index in range(n_documents))


@pytest.fixture(scope="module")
def text() -> str:
    return text_of(20_000)


def test_document_depends_on_seed_and_index_alone():
    again = [document(3, index) for index in (5, 0, 1_000_000)]
    assert again == [document(3, index) for index in (5, 0, 1_000_000)]
    assert document(3, 5) != document(4, 5)
    assert len({document(0, index) for index in range(2000)}) > 1990


def test_documents_do_not_change_between_releases():
    # Shipped measurements belong to this text: a change of wording needs a new `BuiltinSource.version`.
    content = "\0".join(document(0, index) for index in range(1000))
    assert hashlib.sha256(content.encode()).hexdigest() == FIRST_THOUSAND


def test_negative_seed_is_refused():
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        Draw(-1, 0)


def test_rank_follows_its_law():
    draw = Draw(0, 0, stream=5)
    ranks = np.array([draw.rank(20.0, 1.5) for _ in range(40_000)])
    for r in (5, 60, 1000):
        expected = (1 + r / 20) ** -0.5
        assert np.mean(ranks >= r) == pytest.approx(expected, abs=4 * np.sqrt(expected / len(ranks)))


def test_invented_names_are_all_different():
    names = [invented_name(index) for index in range(120_000)]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)


def test_real_facts_are_unambiguous():
    known = real_facts()
    assert len(known) > 400
    assert len({(relation, subject) for relation, subject, _ in known}) == len(known)
    assert ("capital", "Egypt", "Cairo") in known


def test_every_fact_has_one_value_and_every_real_one_a_rank():
    known = [facts.fact(rank) for rank in range(5000)]
    assert len({(fact.relation, fact.subject) for fact in known}) == len(known)
    real = {(fact.relation, fact.subject, fact.value) for fact in known} & set(real_facts())
    assert len(real) == len(real_facts())


def test_frequent_facts_are_stated_more_often(text: str):
    def stated(rank: int) -> int:
        fact = facts.fact(rank)
        return text.count(facts.question(fact).prompt)

    top, middle, low = (sum(stated(rank) for rank in range(start, start + 20)) for start in (0, 200, 3000))
    assert top > 5 * middle > 25 * low


def test_things_of_causes_are_those_of_facts():
    stated = {fact.subject: fact.value for fact in map(facts.fact, range(3000)) if fact.relation == "material"}
    things = dict(facts.invented_thing(index) for index in range(1000))
    assert len(stated) > 100
    assert stated.items() <= things.items()


def test_new_sums_are_in_no_form_in_the_text(text: str):
    in_signs = text.replace(" plus ", "+").replace(" minus ", "-").replace(" + ", "+").replace(" - ", "-")
    stated = set(re.findall(r"(?<![-+\d])\d+[-+]\d+", in_signs))
    items = [sums.ask(Draw(7, index, stream=1), 5, held_out=True) for index in range(400)]
    asked = {item.prompt.split("what is ")[1].split("?")[0] for item in items if "what is" in item.prompt}
    assert len(stated) > 1000
    assert len(asked) > 50
    assert not {pair.replace(" plus ", "+").replace(" minus ", "-") for pair in asked} & stated


def arithmetic_is_right(sentence: str) -> bool:
    left, operation, right, _, result = sentence.split()
    signed = int(right) if operation in ("plus", "+") else -int(right)
    return int(left) + signed == int(result)


def test_every_worked_step_is_right():
    checked = 0
    for index in range(3000):
        for passage in sums.passages(Draw(1, index), 1):
            for sentence in passage.replace("So ", "").split(". "):
                words = sentence.rstrip(".").split()
                if len(words) == 5 and words[1] in ("plus", "minus", "+", "-") and words[3] in ("is", "="):
                    assert arithmetic_is_right(" ".join(words))
                    checked += 1
    assert checked > 2000


def test_answers_of_stories_follow_from_them():
    for index in range(500):
        item = sums.ask(Draw(2, index), 1 + index % 6, held_out=False)
        words = item.prompt.replace(".", " ").replace("?", " ").split()
        numbers = [int(word) for word in words if word.isdigit()]
        signs = [1, *(-1 if w in ("minus", "loses", "sells", "gives") else 1 for w in words if w in _STEP_WORDS)]
        assert sum(sign * number for sign, number in zip(signs, numbers, strict=True)) == int(item.answer.strip(" ."))


_STEP_WORDS = ("plus", "minus", "loses", "sells", "gives", "finds", "buys", "gets")


def test_places_answer_is_the_last_place_of_the_thing():
    for index in range(300):
        item = places.ask(Draw(3, index), 5, held_out=True)
        story = item.prompt.split("\n")[0]
        assert story.endswith(f"the {item.answer.strip(' .')}.")


def test_topics_and_forms_all_occur(text: str):
    for part in ("Question: ", "\nAnswer: ", " because ", " plus ", " = ", "The capital of ", " is in the "):
        assert text.count(part) > 100, part


def asked_in(text: str) -> dict[tuple[str, str], list[str]]:
    """(question line, answer line) → the lines before them, for every question in the text."""
    lines = text.split("\n")
    found: dict[tuple[str, str], list[str]] = {}
    for before, question, answer in zip(["", *lines], lines, lines[1:], strict=False):
        if question.startswith("Question: "):
            found.setdefault((question, answer), []).append(before)
    return found


def occurs(question: tasks.Question, found: dict[tuple[str, str], list[str]]) -> bool:
    *story, asked, answer = question.text.split("\n")
    return any(before.endswith("".join(story)) for before in found.get((asked, answer), []))


@pytest.mark.parametrize("name", ["arithmetic", "causal", "spatial"])
def test_no_test_question_is_in_the_text(text: str, name: str):
    found = asked_in(text)
    assert not [question.text for question in tasks.load(name).questions("test") if occurs(question, found)]
    # The counterpart: the train split is made of what the text is made of, so that some of it is found.
    assert any(occurs(question, found) for question in tasks.load(name).questions("train"))


def test_knowledge_is_in_the_text(text: str):
    found = asked_in(text)
    easiest = tasks.load("knowledge").questions("test")[:50]
    assert sum(occurs(question, found) for question in easiest) == 50


def test_documents_are_ascii_and_short():
    documents = [document(0, index) for index in range(3000)]
    assert all(document.isascii() for document in documents)
    assert 150 < np.mean([len(document) for document in documents]) < 800
