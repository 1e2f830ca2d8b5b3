"""The generated tasks: open answers, graded, deterministic, split without overlap."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.testbed import tasks
from t2scaling.testbed.corpus.world import Fact
from t2scaling.testbed.tasks.chance import Guesser
from t2scaling.testbed.tasks.generated import GENERATED, LARGEST_CHANCE, N_TEST, N_TRAIN, asked_facts


@pytest.fixture(scope="module", params=GENERATED)
def task(request):
    return tasks.load(request.param)


def test_no_question_twice_in_either_split(task):
    assert task.kind == "generated"
    for split, n in (("test", N_TEST), ("train", N_TRAIN)):
        questions = task.questions(split)
        assert len(questions) == len({question.prompt for question in questions}) == n
        assert len({question.question_id for question in questions}) == n
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


@pytest.mark.parametrize("name", ["arithmetic", "causal"])
def test_a_seed_chooses_the_questions(name):
    assert tasks.load(name, seed=1).questions() == tasks.load(name, seed=1).questions()
    assert tasks.load(name, seed=1).questions() != tasks.load(name, seed=2).questions()


def test_answers_are_open(task):
    chance = np.array([question.chance for question in task.questions()])
    assert 0 < chance.min() <= chance.max() <= LARGEST_CHANCE == 1e-4


def test_guessing_the_train_splits_answers_is_as_bad_as_said(task):
    # Drawing whole answers: the mean over the test is the overlap of the two splits' answers.
    train = [question.answer for question in task.questions("train")]
    hits = np.mean([train.count(question.answer) / len(train) for question in task.questions()])
    assert hits <= 1e-4


def test_questions_range_over_the_frequencies(task):
    ranks = np.array([question.difficulty for question in task.questions()])
    assert np.sum(ranks < 10) >= 8
    assert np.sum(ranks > 100) >= 30
    assert 300 < ranks.max() < 2000


def test_a_chance_by_hand():
    def fact(*parts: str, form: str = "f") -> Fact:
        return Fact("?", parts, (), form, 0, "")

    guesser = Guesser([fact("a", "x"), fact("a", "y"), fact("b", "y"), fact("c", "y"), fact("z", form="g")])
    assert guesser.chance(fact("b", "x")) == pytest.approx(1 / 4 * 1 / 4)
    assert guesser.chance(fact("a", "y")) == pytest.approx(2 / 4 * 3 / 4)
    assert guesser.chance(fact("a", "x")) == pytest.approx(1 / 4)  # drawn whole
    assert guesser.chance(fact("new", "y")) == pytest.approx(1 / 4 * 3 / 4)
    assert guesser.chance(fact("z", form="g")) == 1


def test_knowledge_has_other_facts_in_either_split():
    asked = {split: {fact.key for fact in asked_facts("knowledge", split)} for split in ("test", "train")}
    assert not asked["test"] & asked["train"]
