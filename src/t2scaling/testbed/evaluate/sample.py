"""Repeated sampling: n completions per question, the prompt read once.

Questions with prompts of one length are read together; the keys and values of each prompt are then repeated for its
samples, and all rows take one step at a time. Rows that have ended leave the batch. No row is padded, so no mask is
needed and any architecture with a cache works.

Shapes: B questions of a group, S samples each, R rows in play (at most B × S), V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from t2scaling.testbed.evaluate.match import cumulative_distribution
from t2scaling.testbed.evaluate.model import CausalLM
from t2scaling.testbed.evaluate.streams import uniforms
from t2scaling.testbed.evaluate.tokens import Encoded


@dataclass(frozen=True)
class Drawing:
    """How completions are drawn.

    keys         one random key per question (`streams.question_key`)
    budgets      (Q,) most tokens of a completion, per question
    temperature  divides the logits; above 0
    ends         (V,) true for tokens that end a completion (they are kept in it)
    """

    keys: Sequence[np.ndarray]
    budgets: np.ndarray
    temperature: float
    ends: np.ndarray


@torch.inference_mode()
def complete(
    model: CausalLM,
    encoded: Encoded,
    drawing: Drawing,
    n_samples: int,
    *,
    first: int = 0,
    advance: Callable[[int], object] | None = None,
) -> Iterator[tuple[int, int, list[list[int]]]]:
    """Yield (question, first sample, completions as token ids), group by group.

    A question whose samples do not fit one batch comes in several parts.
    """
    for group, start, n in _groups(model, encoded, drawing.budgets, n_samples):
        tokens = _draw_group(model, encoded, drawing, group, first + start, n)  # (B, S, steps)
        for row, question in enumerate(group):
            yield int(question), first + start, [_trim(sample) for sample in tokens[row]]
        if advance and start + n == n_samples:
            advance(len(group))


def _groups(
    model: CausalLM, encoded: Encoded, budgets: np.ndarray, n_samples: int
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Questions of one prompt length with a range of samples (start, n), as many as the cache has room for."""
    lengths = encoded.prompt_lengths
    for length in np.unique(lengths)[::-1]:
        alike = np.flatnonzero(lengths == length)
        row_bytes = model.cache_bytes_per_token() * int(length + budgets[alike].max())
        rows = max(1, model.bytes_per_batch // max(row_bytes, 8 * model.vocab_size))
        size = max(1, rows // n_samples)
        for i in range(0, len(alike), size):
            for start in range(0, n_samples, rows):
                yield alike[i : i + size], start, min(rows, n_samples - start)


def _draw_group(
    model: CausalLM, encoded: Encoded, drawing: Drawing, group: np.ndarray, first: int, n: int
) -> np.ndarray:
    """Token ids (B, n, steps), −1 after a completion's end."""
    prompts = torch.tensor([encoded.prompts[question] for question in group], device=model.device)
    budgets = np.repeat(drawing.budgets[group], n)  # (B·n,)
    tokens = np.full((len(group) * n, budgets.max()), -1, dtype=np.int64)
    logits, cache = model.read(prompts)  # (B, V)
    rows = np.arange(len(tokens))  # rows in play
    source = rows // n  # where the cache holds what each of them has read: at first, its question's prompt
    for step in range(tokens.shape[1]):
        tokens[rows, step] = picked = _pick(
            logits, _uniforms(drawing, group, step, first, n)[rows], drawing.temperature
        )
        going = ~drawing.ends[picked] & (step + 1 < budgets[rows])
        if not going.any():
            break
        if step == 0 or not going.all():
            cache.batch_select_indices(torch.from_numpy(source[going]).to(model.device))
            rows, picked = rows[going], picked[going]
        logits, cache = model.read(torch.from_numpy(picked[:, None]).to(model.device), cache)  # (R, V)
        source = np.arange(len(rows))
    return tokens.reshape(len(group), n, -1)


def _uniforms(drawing: Drawing, group: np.ndarray, step: int, first: int, n: int) -> np.ndarray:
    """Random numbers of every row of a group at one step, (B·n,)."""
    return np.concatenate([uniforms(drawing.keys[question], step, first, n) for question in group])


def _pick(logits: torch.Tensor, drawn: np.ndarray, temperature: float) -> np.ndarray:
    """Tokens, int64 (R,), at which the cumulative distributions of logits (L, V) pass `drawn` (R,).

    Each row of logits serves R / L rows in play that follow one another.
    """
    numbers = torch.from_numpy(drawn.reshape(len(logits), -1)).to(logits.device)
    picked = torch.searchsorted(cumulative_distribution(logits, temperature), numbers, right=True)
    return picked.flatten().cpu().numpy()


def _trim(sample: np.ndarray) -> list[int]:
    return sample[sample >= 0].tolist()
