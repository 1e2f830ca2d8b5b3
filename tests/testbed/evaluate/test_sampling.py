"""Sampling: reproducible sample by sample, the same by both routes, and in agreement with the likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from t2scaling.passk import pass_at_k, pass_at_k_from_nll
from t2scaling.testbed.evaluate import model as model_module
from t2scaling.testbed.evaluate.match import count_matches
from t2scaling.testbed.evaluate.model import CausalLM, load
from t2scaling.testbed.evaluate.nll import score
from t2scaling.testbed.evaluate.sample import Drawing, complete
from t2scaling.testbed.evaluate.streams import question_key, uniforms
from t2scaling.testbed.evaluate.tokens import Encoded, Tokenizer, encode
from t2scaling.testbed.tasks import Task


@pytest.fixture(scope="module")
def encoded(hf_folder: Path, task: Task) -> Encoded:
    return encode(task.questions("test"), Tokenizer.at(hf_folder), 64)


@pytest.fixture(scope="module")
def model(hf_folder: Path) -> CausalLM:
    return load(hf_folder, "cpu")


@pytest.fixture(scope="module")
def keys(task: Task) -> list[np.ndarray]:
    return [question_key(0, task.name, question.question_id) for question in task.questions("test")]


def never(model: CausalLM) -> np.ndarray:
    return np.zeros(model.vocab_size, dtype=bool)


def drawn(
    model: CausalLM, encoded: Encoded, drawing: Drawing, n: int, first: int = 0
) -> dict[tuple[int, int], list[int]]:
    """(question, sample) → token ids."""
    return {
        (question, start + i): tokens
        for question, start, samples in complete(model, encoded, drawing, n, first=first)
        for i, tokens in enumerate(samples)
    }


def test_random_numbers_are_functions_of_their_names() -> None:
    key = question_key(0, "toy", "q1")
    whole = uniforms(key, 2, 0, 100)
    np.testing.assert_array_equal(uniforms(key, 2, 30, 70), whole[30:])
    others = [
        (key, 3),
        (question_key(0, "toy", "q2"), 2),
        (question_key(1, "toy", "q1"), 2),
        (question_key(0, "b", "q1"), 2),
    ]
    for other, step in others:
        assert not np.intersect1d(uniforms(other, step, 0, 100), whole).size
    many = np.concatenate([uniforms(question_key(0, "toy", f"q{i}"), 0, 0, 64) for i in range(200)])
    assert stats.kstest(many, "uniform").pvalue > 0.01


def test_matching_counts_what_full_completions_give(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> None:
    for temperature in (1.0, 0.7):
        fast = count_matches(model, encoded, keys, 40, temperature=temperature)
        full = drawn(model, encoded, Drawing(keys, encoded.answer_lengths, temperature, never(model)), 40)
        slow = [sum(full[q, s] == list(encoded.answers[q]) for s in range(40)) for q in range(len(encoded))]
        assert fast.sum() > 100
        np.testing.assert_array_equal(fast, slow)


def test_more_samples_extend_the_earlier_ones(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> None:
    drawing = Drawing(keys, np.full(len(encoded), 4), 1.0, never(model))
    few, more = drawn(model, encoded, drawing, 5), drawn(model, encoded, drawing, 12)
    rest = drawn(model, encoded, drawing, 7, first=5)
    assert more == few | rest
    whole = count_matches(model, encoded, keys, 100)
    parts = count_matches(model, encoded, keys, 30) + count_matches(model, encoded, keys, 70, first=30)
    np.testing.assert_array_equal(whole, parts)


def test_batches_change_no_sample(
    model: CausalLM, encoded: Encoded, keys: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = Drawing(keys, np.full(len(encoded), 4), 1.0, never(model))
    whole = drawn(model, encoded, drawing, 6)
    alone = Encoded(encoded.prompts[7:8], encoded.answers[7:8], encoded.dropped[7:8])
    by_itself = drawn(model, alone, Drawing(keys[7:8], drawing.budgets[7:8], 1.0, never(model)), 6)
    assert by_itself == {(0, s): whole[7, s] for s in range(6)}
    monkeypatch.setitem(model_module.BYTES_PER_BATCH, "cpu", 4 * 8 * model.vocab_size)  # four rows at a time
    assert drawn(model, encoded, drawing, 6) == whole


def test_completions_follow_the_model(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> None:
    """The second token's frequencies, given the first, are those of a fresh forward pass (χ² test)."""
    n = 4000
    one = Encoded(encoded.prompts[:1], encoded.answers[:1], encoded.dropped[:1])
    samples = np.array(list(drawn(model, one, Drawing(keys[:1], np.array([2]), 1.0, never(model)), n).values()))
    first = np.bincount(samples[:, 0]).argmax()
    second = samples[samples[:, 0] == first, 1]
    with torch.inference_mode():
        logits = model.model(torch.tensor([[*one.prompts[0], int(first)]])).logits[0, -1]
    expected = torch.softmax(logits.double(), -1).numpy() * len(second)
    observed = np.bincount(second, minlength=len(expected))
    common = expected >= 5
    observed = np.append(observed[common], observed[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    assert len(second) > 200
    assert stats.chisquare(observed, expected).pvalue > 0.001


def test_completions_end_where_they_should(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> None:
    budgets = np.arange(len(encoded)) % 5 + 1
    free = drawn(model, encoded, Drawing(keys, budgets, 1.0, never(model)), 8)
    assert all(len(tokens) == budgets[question] for (question, _), tokens in free.items())
    ends = never(model)
    ends[np.unique([tokens[0] for tokens in free.values()])[::2]] = True
    stopped = drawn(model, encoded, Drawing(keys, budgets, 1.0, ends), 8)
    for name, tokens in free.items():
        places = [i for i, token in enumerate(tokens) if ends[token]]
        assert stopped[name] == (tokens[: places[0] + 1] if places else tokens)
    assert sum(map(len, stopped.values())) < sum(map(len, free.values()))


def test_low_temperature_draws_the_likeliest_token(model: CausalLM, encoded: Encoded, keys: list[np.ndarray]) -> None:
    cold = drawn(model, encoded, Drawing(keys, np.full(len(encoded), 1), 1e-4, never(model)), 3)
    with torch.inference_mode():
        greedy = [int(model.model(torch.tensor([prompt])).logits[0, -1].argmax()) for prompt in encoded.prompts]
    assert [cold[q, s][0] for q in range(len(encoded)) for s in range(3)] == list(np.repeat(greedy, 3))


@pytest.mark.parametrize("route", ["matching", "completions"])
def test_sampling_and_likelihood_give_one_pass_at_k(
    route: str, model: CausalLM, encoded: Encoded, keys: list[np.ndarray]
) -> None:
    """pass@k averaged over questions differs by less than 3.5 exact standard errors of the estimator.

    The unbiased estimate from c ~ Binomial(n, p) has variance Σ_c Bin(c) (estimate(c) − pass@k)², question by question.
    """
    n, ks = 64, np.array([1, 4, 16])
    p = np.exp(-score(model, encoded))
    if route == "matching":
        c = count_matches(model, encoded, keys, n)
    else:
        samples = drawn(model, encoded, Drawing(keys, encoded.answer_lengths, 1.0, never(model)), n)
        c = np.array([sum(samples[q, s] == list(encoded.answers[q]) for s in range(n)) for q in range(len(encoded))])
    counts = np.arange(n + 1)
    estimates = pass_at_k(np.full(n + 1, n), counts, ks)  # (n + 1, K)
    truth = pass_at_k_from_nll(-np.log(p), ks)  # (Q, K)
    weight = stats.binom.pmf(counts[None], n, p[:, None])  # (Q, n + 1)
    variance = np.einsum("qc,qck->qk", weight, (estimates[None] - truth[:, None]) ** 2)
    error = np.sqrt(variance.sum(0)) / len(p)
    difference = (pass_at_k(np.full(len(c), n), c, ks) - truth).mean(0)
    assert np.all(error < 0.03)
    assert np.all(np.abs(difference) < 3.5 * error)
    # Not only on average: standardised counts of single questions, where they are near normal, have unit variance.
    z = ((c - n * p) / np.sqrt(n * p * (1 - p)))[n * p >= 3]
    assert len(z) > 20
    assert 0.001 < stats.chi2.sf((z**2).sum(), len(z)) < 0.999
