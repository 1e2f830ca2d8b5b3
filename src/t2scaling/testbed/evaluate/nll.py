"""Negative log-likelihood of the correct answer, in nats, summed over its tokens.

With p = exp(−nll) the probability that one sample at temperature 1 is the answer, pass@k follows in closed form
(Roberts et al. 2026, arXiv:2604.01411, eq. 3). Questions are scored in batches of like length, padded on the right
by a token or two; logits are computed for the answer's positions alone, and normalised in float32.

Shapes: B questions of a batch, T tokens, V vocabulary, P answer tokens of a batch, Q questions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from t2scaling.errors import DataError
from t2scaling.testbed.evaluate.model import CausalLM
from t2scaling.testbed.evaluate.tokens import Encoded


@dataclass(frozen=True)
class AnswerLogits:
    """Logits where a batch of questions has its answers.

    questions  (B,) the questions of the batch, as indices into `Encoded`
    owner      (P,) which question each answer token belongs to
    step       (P,) its place within the answer
    target     (P,) its id, on the model's device
    logits     (P, V) float32: the logits that predict it
    """

    questions: np.ndarray
    owner: np.ndarray
    step: np.ndarray
    target: torch.Tensor
    logits: torch.Tensor


@torch.inference_mode()
def score(model: CausalLM, encoded: Encoded, advance: Callable[[int], object] | None = None) -> np.ndarray:
    """Nats of each answer given its prompt, float64 (Q,).

    advance  called with the number of questions done after each batch
    Raises DataError if a likelihood is not finite, which damaged weights give.
    """
    nll = np.zeros(len(encoded))
    for batch in answer_logits(model, encoded):
        picked = batch.logits.gather(1, batch.target[:, None]).squeeze(1)
        losses = torch.logsumexp(batch.logits, dim=1) - picked  # (P,)
        np.add.at(nll, batch.owner, losses.cpu().numpy().astype(np.float64))
        if advance:
            advance(len(batch.questions))
    broken = np.flatnonzero(~np.isfinite(nll))
    if broken.size:
        raise DataError(
            f"{broken.size} of {nll.size} likelihoods are not finite: the weights hold NaN or infinity. "
            "Look at the run's training loss, or evaluate an earlier checkpoint."
        )
    return nll


def answer_logits(model: CausalLM, encoded: Encoded) -> Iterator[AnswerLogits]:
    """Run the model over all questions and yield the logits of their answers, batch by batch."""
    lengths = encoded.prompt_lengths + encoded.answer_lengths - 1  # the last answer token is not read
    for questions in batches(lengths, encoded.answer_lengths, model):
        ids = np.zeros((len(questions), lengths[questions].max()), dtype=np.int64)
        rows: list[int] = []
        columns: list[int] = []
        targets: list[int] = []
        steps: list[int] = []
        for row, question in enumerate(questions):
            prompt, answer = encoded.prompts[question], encoded.answers[question]
            ids[row, : lengths[question]] = prompt + answer[:-1]
            rows += [row] * len(answer)
            columns += range(len(prompt) - 1, len(prompt) + len(answer) - 1)
            steps += range(len(answer))
            targets += answer
        row_ids = torch.tensor(rows, device=model.device)
        column_ids = torch.tensor(columns, device=model.device)
        logits = model.logits_at(torch.from_numpy(ids).to(model.device), row_ids, column_ids)
        target = torch.tensor(targets, device=model.device)
        yield AnswerLogits(questions, questions[rows], np.array(steps), target, logits)


def batches(lengths: np.ndarray, answer_lengths: np.ndarray, model: CausalLM) -> Iterator[np.ndarray]:
    """Indices of questions, longest first, in batches that fit the model's budget of tokens and of logits.

    lengths         (Q,) tokens to read
    answer_lengths  (Q,) positions that need logits
    Longest first, so that a batch too large for memory shows at once.
    """
    order = np.argsort(-lengths, kind="stable")
    most_logits = model.bytes_per_batch // (4 * model.vocab_size)
    start = 0
    while start < len(order):
        size = max(1, model.tokens_per_batch // int(lengths[order[start]]))
        wanted = np.cumsum(answer_lengths[order[start : start + size]])
        size = max(1, int(np.searchsorted(wanted, most_logits, side="right")))
        yield order[start : start + size]
        start += size
