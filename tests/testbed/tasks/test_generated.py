"""The generated tasks: 1,000 questions each, graded, deterministic, split without overlap."""

from __future__ import annotations

from collections import Counter

import pytest

from t2scaling.testbed import tasks
from t2scaling.testbed.corpus.world import facts

GENERATED = ("knowledge", "arithmetic", "causal", "spatial")
LEVELS = {"arithmetic": 6, "causal": 4, "spatial": 6}


@pytest.fixture(scope="module", params=GENERATED)
def task(request):
    return tasks.load(request.param)


def test_a_thousand_questions_in_each_split(task):
    assert task.kind == "generated"
    for split in ("test", "train"):
        questions = task.questions(split)
        assert len(questions) == 1000
        assert len({question.prompt for question in questions}) == 1000
        assert len({question.question_id for question in questions}) == 1000
        assert {question.split for question in questions} == {split}


def test_splits_share_no_question(task):
    train = {question.prompt for question in task.questions("train")}
    assert not train & {question.prompt for question in task.questions("test")}


def test_form_of_questions(task):
    for question in task.questions():
        assert question.prompt.endswith("\nAnswer:")
        assert question.answer.startswith(" ")
        assert question.answer.endswith(task.stop)
        assert question.answer.count(".") == 1
        assert question.text.isascii()


def test_same_seed_same_questions():
    assert tasks.load("causal", seed=1).questions() == tasks.load("causal", seed=1).questions()
    assert tasks.load("causal", seed=1).questions() != tasks.load("causal", seed=2).questions()


@pytest.mark.parametrize("name", LEVELS)
def test_levels_are_even_and_no_answer_rules(name):
    questions = tasks.load(name).questions()
    levels = Counter(question.difficulty for question in questions)
    assert sorted(levels) == list(range(1, LEVELS[name] + 1))
    assert max(levels.values()) - min(levels.values()) <= 1
    for level in levels:
        answers = Counter(question.answer for question in questions if question.difficulty == level)
        assert max(answers.values()) < 0.35 * levels[level], (level, answers.most_common(2))


def test_knowledge_asks_over_the_range_of_frequencies():
    ranks = [question.difficulty for question in tasks.load("knowledge").questions()]
    assert ranks == sorted(ranks)
    assert sum(rank < 100 for rank in ranks) > 50
    assert sum(rank > 1000 for rank in ranks) > 200
    assert 5000 < max(ranks) < 20_000


def test_knowledge_answers_are_the_facts():
    for question in tasks.load("knowledge").questions():
        assert question.answer == f" {facts.fact(int(question.difficulty)).value}."
    every = [question for split in ("test", "train") for question in tasks.load("knowledge").questions(split)]
    assert [question.answer for question in every if "capital of Egypt?" in question.prompt] == [" Cairo."]


def test_causal_answers_agree_with_common_sense():
    answers = {}
    for split in ("test", "train"):
        for question in tasks.load("causal").questions(split):
            for event in ("lost her dog", "lost his dog", "vase fell on the stones", "icicle lay in the hot sun"):
                if f"{event}. How" in question.prompt or f"{event}. What did it" in question.prompt:
                    answers[event.replace("her", "his")] = question.answer
    assert answers["lost his dog"] == " sad."
    assert answers.get("vase fell on the stones", " broke.") == " broke."
    assert answers.get("icicle lay in the hot sun", " melted.") == " melted."
