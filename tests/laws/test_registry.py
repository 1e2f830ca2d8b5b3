"""What every law must hold, whoever wrote it: these tests run over the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from t2scaling.errors import ArgumentError, DataError
from t2scaling.laws import LAWS, AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw, law_class, register
from t2scaling.laws.base import METRICS
from t2scaling.laws.constrained import repeated

TRAINING = ChinchillaLaw(4, 400, 0.34, 1200, 0.37)
THETA = (10, 0.6, 0.9, 1, -0.1)
EXAMPLES = {
    "chinchilla": TRAINING,
    "loss": LossLaw(1, 400, 0.34, 1200, 0.37, 6, 0.2),
    "accuracy": AccuracyLaw(TRAINING, THETA),
    "naive": NaiveLaw(TRAINING, THETA[:3]),
}
SAMPLED = [name for name, law in EXAMPLES.items() if law.samples]


@pytest.mark.parametrize("name", list(LAWS))
def test_every_law_says_what_it_is(name):
    law = LAWS[name]
    assert law.name == name
    assert law.label
    assert law.formula
    assert isinstance(law.parameter_names, tuple)
    assert law.metric in METRICS


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_law_is_its_vector_and_its_dictionary(name):
    law = EXAMPLES[name]
    assert type(law).from_vector(law.vector) == law
    assert type(law).from_dict(law.to_dict()) == law
    assert tuple(law.parameters) == law.parameter_names
    assert law.metrics[0] == law.metric


@pytest.mark.parametrize("name", EXAMPLES)
def test_arrays_that_do_not_broadcast_are_named_with_their_shapes(name):
    with pytest.raises(
        ArgumentError, match=r"`N` \(3,\), `D` \(2,\), `k` \(\)\): give numbers, or arrays of one shape"
    ):
        EXAMPLES[name].predict([1e7, 1e8, 1e9], [1e9, 1e10])
    for law in (repeated(EXAMPLES[name], 1e9), EXAMPLES[name]):
        with pytest.raises(ArgumentError, match=r"`k` \(2,\)"):
            law.predict([1e7, 1e8, 1e9], 1e9, np.ones(2))


@pytest.mark.parametrize("name", EXAMPLES)
def test_slopes_are_those_of_the_score(name):
    law = EXAMPLES[name]
    loss, log_k = np.array([6.0, 9.0, 12.0]), np.array([0.3, 2.0, 4.0])
    step = 1e-6
    by_loss, by_k = law.slopes(loss, log_k)
    expected = (law.score(loss + step, log_k) - law.score(loss - step, log_k)) / (2 * step)
    np.testing.assert_allclose(by_loss, expected, rtol=1e-7)
    expected = (law.score(loss, log_k + step) - law.score(loss, log_k - step)) / (2 * step)
    np.testing.assert_allclose(by_k, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", SAMPLED)
def test_a_lower_score_is_a_better_prediction(name, rng):
    law = EXAMPLES[name]
    N, D, k = 10 ** rng.uniform(7, 10, 40), 10 ** rng.uniform(9, 12, 40), 10 ** rng.uniform(0, 1, 40)
    score = law.score(law.training_law.predict(N, D), np.log(k))
    order, value = np.argsort(score), law.predict(N, D, k)
    assert np.all(np.diff(value[order]) * (1 if law.metric == "neg_log_pass_at_k" else -1) >= -1e-12)


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_to_match(name):
    law = EXAMPLES[name]
    loss, best = np.array([7.0, 8.0]), law.score(np.array(6.5), np.log(np.array(3.0)))
    log_k = law.log_samples_to_match(loss, best)
    assert np.all(log_k > np.log(3))
    np.testing.assert_allclose(law.score(loss, log_k), best, rtol=1e-10)
    assert np.isinf(law.log_samples_to_match(np.array([1e3]), best)).all()
    np.testing.assert_allclose(law.log_samples_to_match(np.array([6.0]), law.score(np.array([7.0]), np.zeros(1))), 0.0)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ArgumentError, match="did you mean accuracy"):
        law_class("acuracy")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_law_that_lacks_a_parameter_is_refused(name):
    law = EXAMPLES[name]
    content = law.to_dict()
    last = law.parameter_names[-1]
    without = {key: value for key, value in content["parameters"].items() if key != last}
    with pytest.raises(DataError, match=last):
        type(law).from_dict({**content, "parameters": without})
    for odd in (float("inf"), float("nan"), -1e300, 10**400):
        with pytest.raises(DataError, match="that no fit gives"):
            type(law).from_dict({**content, "parameters": {**without, last: odd}})


def test_text_is_a_number_and_nonsense_is_named():
    assert TRAINING.predict("1B", "20B") == TRAINING.predict(1e9, 2e10)
    assert TRAINING.predict(["1B", 7e9], 1e11).shape == (2,)
    for wrong in ("many", object(), ["1B", None, "x"]):
        with pytest.raises(ArgumentError, match="`N`"):
            TRAINING.predict(wrong, 1e9)


def test_a_law_from_outside_is_known_by_its_name():
    @register
    @dataclass(frozen=True)
    class Flat(ChinchillaLaw):
        name: ClassVar[str] = "flat"

    try:
        assert law_class("flat") is Flat
    finally:
        del LAWS["flat"]
