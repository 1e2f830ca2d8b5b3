"""The built-in world: deterministic documents, Zipf-like frequencies, and combinations that stay out of the text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import numpy as np
import pytest

from t2scaling.errors import ArgumentError, SuiteError
from t2scaling.testbed.corpus import BuiltinSource
from t2scaling.testbed.corpus.world import Draw, causes, document, facts, places, sums
from t2scaling.testbed.corpus.world.draw import invented_name, kin_name
from t2scaling.testbed.corpus.world.search import KeySearch
from t2scaling.testbed.tasks.generated import GENERATED, asked_facts

FIRST_THOUSAND = "4d7caecebdd37498c93d7fe8f608446a988f18f48e5fd3fdfc6dee1313c758d7"
HELD_OUT = [name for name in GENERATED if name != "knowledge"]


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return [document(0, index) for index in range(10_000)]


def test_document_depends_on_seed_and_index_alone():
    again = [document(3, index) for index in (5, 0, 1_000_000)]
    assert again == [document(3, index) for index in (5, 0, 1_000_000)]
    assert document(3, 5) != document(4, 5)


def test_documents_do_not_change_between_releases():
    # Shipped measurements belong to this text: a change of wording needs a new `BuiltinSource.version`.
    content = "\0".join(document(0, index) for index in range(1000))
    assert hashlib.sha256(content.encode()).hexdigest() == FIRST_THOUSAND


def test_the_text_of_another_version_is_refused():
    with pytest.raises(SuiteError, match="`version` = 1 of the built-in text: this release makes version 2"):
        BuiltinSource(version=1)


def test_negative_seed_is_refused():
    with pytest.raises(ArgumentError, match="must not be negative, got -1"):
        Draw(-1, 0)


def test_rank_follows_its_law():
    draw = Draw(0, 0, stream=5)
    ranks = np.array([draw.rank() for _ in range(40_000)])
    for r in (1, 5, 60, 1000):
        expected = (1 + r / 2) ** -0.6
        assert np.mean(ranks >= r) == pytest.approx(expected, abs=4 * np.sqrt(expected / len(ranks)))


def test_every_invented_entity_has_a_name_of_its_own():
    kinds = ("person", "trader", "substance", "town")
    names = [invented_name(kind, rank) for kind in kinds for rank in range(30_000)]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.istitle() for name in names)


def test_a_name_says_how_the_names_of_its_kin_begin():
    first = {name[2:4]: kin_name(name, "town", 0)[:2] for name in (invented_name("person", r) for r in range(5000))}
    assert len(first) == len(set(first.values())) == 60
    for rank in range(300):
        fact = facts.fact(rank)
        assert first[fact.key[2:4]] == "".join(fact.parts[:2])


def test_nothing_held_out_is_in_the_text(documents):
    keys = {fact.key for name in HELD_OUT for fact in asked_facts(name, "test")}
    assert len(keys) > 600
    search = KeySearch(keys)
    assert not [key for text in documents for key in search.found(text)]


def test_what_is_not_held_out_is_found_by_the_same_search(documents):
    for name in HELD_OUT:
        asked = asked_facts(name, "train")[:50]
        search = KeySearch({fact.key for fact in asked})
        found = {key for text in documents for key in search.found(text)}
        assert len(found) > 25, name


def test_search_looks_past_marks_and_for_whole_words():
    search = KeySearch(["Zoral gets 9 gold", "from Ba to Ko"])
    assert search.found("If Zoral gets 9 gold, there are 3.") == {"Zoral gets 9 gold"}
    assert search.found("Which way leads from Ba to Ko?") == {"from Ba to Ko"}
    assert not search.found("Zoral gets 9 golden. People go from Ba to Kol by. Zoral. Gets 8 gold")


def test_no_document_twice(documents):
    assert len(set(documents)) == len(documents)


def test_articles_suit_their_nouns(documents):
    wrong = re.compile(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou\W]")
    assert wrong.search("a octopus")
    assert not [text for text in documents if wrong.search(text)]


def test_frequent_facts_are_stated_more_often(documents):
    text = "\n".join(documents)
    top, middle, low = (sum(text.count(facts.fact(rank).key) for rank in range(s, s + 20)) for s in (0, 40, 400))
    assert top > 5 * middle > 25 * low > 0


def test_every_topic_and_form_occurs(documents):
    text = "\n".join(documents)
    for part in ("Question: ", "\nAnswer: ", " lives in ", " gets ", " loses ", " is heated", "The way from "):
        assert text.count(part) > 100, part
    assert text.isascii()


def worked_out(question: str, before: tuple[int, ...]) -> str:
    """What a trader has, by reading the question as text."""
    metals = ("gold", "silver", "brass", "iron", "tin")
    have = dict(zip(metals, before, strict=True))
    for verb, n, metal in re.findall(r"(gets|loses) (\d) (\w+)", question):
        have[metal] += int(n) if verb == "gets" else -int(n)
    listed = [f"{n} {metal}" for metal, n in have.items()]
    return f" {', '.join(listed[:-1])} and {listed[-1]}."


def test_answers_of_arithmetic_follow_from_what_the_text_says():
    checked = Counter()
    for index in range(400):
        draw = Draw(2, index)
        fact = sums.changed(draw, draw.rank(), draw.pick(sums.LEVELS), held_out=index % 2 == 0)
        if fact is not None:
            assert fact.answer == worked_out(fact.question, sums.coins(int(fact.difficulty)))
            checked[fact.question.count("gets") + fact.question.count("loses")] += 1
    assert min(checked[1], checked[2]) > 50


def test_an_effect_is_of_the_event_and_of_the_substance():
    one, other = (causes.effect(3, event).parts for event in ("heated", "cooled"))
    assert one[0] != other[0]
    assert one[1:] == other[1:]
    assert causes.effect(8, "heated").parts[0] == one[0]


def test_a_road_is_of_both_its_towns():
    assert places.road(1, 2).parts[:2] == places.road(1, 9).parts[:2]
    assert places.road(1, 2).parts[2] == places.road(7, 2).parts[2]
