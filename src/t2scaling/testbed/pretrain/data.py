"""The text of a run: the corpus less its last tokens, which are kept for the validation loss."""

from dataclasses import replace

import torch

from t2scaling.errors import SuiteError
from t2scaling.testbed.corpus import Corpus
from t2scaling.testbed.pretrain.device import Place
from t2scaling.testbed.pretrain.model import Model
from t2scaling.testbed.suite import Suite

VALIDATION_ROWS = 32


def split(corpus: Corpus, suite: Suite) -> tuple[Corpus, torch.Tensor]:
    """The part of the corpus to train on, and the held-out tokens as (rows, seq_len + 1).

    Raises SuiteError where the corpus has another vocabulary than the suite, or too little text for it.
    """
    if corpus.vocab_size != suite.vocab_size:
        raise SuiteError(
            f"`vocab_size` = {suite.vocab_size} in suite `{suite.name}`, but the tokenizer at "
            f"`{corpus.tokenizer_dir}` has {corpus.vocab_size} entries: prepare a corpus for this suite."
        )
    rows = suite.heldout_tokens // suite.seq_len
    n_train = corpus.n_tokens - rows * suite.seq_len - 1
    if rows < 1 or n_train < suite.seq_len + 1:
        raise SuiteError(
            f"`heldout_tokens` = {suite.heldout_tokens} of suite `{suite.name}` must be at least one sequence of "
            f"{suite.seq_len} tokens and leave text to train on; the corpus at `{corpus.dir}` has {corpus.n_tokens:,}."
        )
    tokens = torch.from_numpy(corpus.tokens(n_train, rows * suite.seq_len + 1))
    heldout = tokens.unfold(0, suite.seq_len + 1, suite.seq_len)
    return replace(corpus, n_tokens=n_train), heldout


def validation_loss(model: Model, heldout: torch.Tensor, where: Place) -> float:
    """Mean cross-entropy in nats per token on the held-out sequences."""
    total = 0.0
    with torch.no_grad():
        for part in heldout.split(VALIDATION_ROWS):
            ids = part.to(where.device)
            _, ce = model.loss(ids[:, :-1], ids[:, 1:])
            total += float(ce) * len(part)
    return total / len(heldout)
