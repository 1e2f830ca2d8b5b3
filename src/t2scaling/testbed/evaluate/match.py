"""Repeated sampling graded by exact match, without decoding.

A sample can only match while every token so far equals the answer's, so all samples still in play share one prefix:
the prompt and the answer up to there. One pass over prompt + answer therefore holds every distribution that any of
them draws from. Sample s draws its token at step t with its own random number, and is dropped at the first token that
differs; the count is what decoding all n completions to their end gives (`sample.complete` with the same seed), at
the cost of one likelihood.

Shapes: Q questions, P answer tokens of a batch, V vocabulary, S samples.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from t2scaling.testbed.evaluate.model import CausalLM
from t2scaling.testbed.evaluate.nll import AnswerLogits, answer_logits
from t2scaling.testbed.evaluate.streams import uniforms
from t2scaling.testbed.evaluate.tokens import Encoded


@torch.inference_mode()
def count_matches(
    model: CausalLM,
    encoded: Encoded,
    keys: Sequence[np.ndarray],
    n_samples: int,
    *,
    temperature: float = 1.0,
    first: int = 0,
    advance: Callable[[int], object] | None = None,
) -> np.ndarray:
    """Samples first, …, first + n_samples − 1 of each question that equal its answer token by token, int64 (Q,).

    keys  one random key per question (`streams.question_key`)
    """
    count = np.zeros(len(encoded), dtype=np.int64)
    for batch in answer_logits(model, encoded):
        low, high = _intervals(batch, temperature, model.bytes_per_batch)
        alive = {question: np.ones(n_samples, dtype=bool) for question in batch.questions}
        for question, step, below, above in zip(batch.owner, batch.step, low, high, strict=True):
            matching = alive[question]
            if matching.any():
                drawn = uniforms(keys[question], int(step), first, n_samples)
                matching &= (below <= drawn) & (drawn < above)
        for question, matching in alive.items():
            count[question] = matching.sum()
        if advance:
            advance(len(batch.questions))
    return count


def _intervals(batch: AnswerLogits, temperature: float, most_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """The part [low, high) of [0, 1) that draws each answer token, two float64 arrays (P,)."""
    low, high = [], []
    size = max(1, most_bytes // (8 * batch.logits.shape[1]))
    for logits, target in zip(batch.logits.split(size), batch.target.split(size), strict=True):
        cumulative = cumulative_distribution(logits, temperature)
        high.append(cumulative.gather(1, target[:, None]).squeeze(1))
        below = cumulative.gather(1, (target - 1).clamp(min=0)[:, None]).squeeze(1)
        low.append(torch.where(target > 0, below, 0.0))
    return torch.cat(low).cpu().numpy(), torch.cat(high).cpu().numpy()


def cumulative_distribution(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Cumulative probabilities in float64, (…, V), whose last entry is exactly 1."""
    cumulative = torch.softmax(logits.double() / temperature, dim=-1).cumsum(dim=-1)
    return cumulative / cumulative[..., -1:]
