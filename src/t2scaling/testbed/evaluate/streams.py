"""Random numbers for sampling: the draw of sample s at step t is a pure function of (seed, task, question, s, t).

Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a key and a counter into random bits.
The key names the question, the counter's high word the step, and the low words run over the samples. So more samples
extend the earlier ones, and how questions and samples are batched changes nothing. Two checkpoints that are asked
with one seed meet the same numbers, which sharpens comparisons between them.

A token is drawn by inverting the cumulative distribution, in float64. Logits may differ in their last bits with the
shape of a batch; a draw that lies that close to the edge between two tokens (about once in 10^6) can then fall on
the other side.
"""

import hashlib

import numpy as np


def question_key(seed: int, task: str, question_id: str) -> np.ndarray:
    """The Philox key, uint64 (2,), of one question."""
    name = "\0".join((str(seed), task, question_id)).encode()
    return np.frombuffer(hashlib.blake2b(name, digest_size=16).digest(), dtype="<u8")


def uniforms(key: np.ndarray, step: int, first: int, n: int) -> np.ndarray:
    """Numbers in [0, 1), float64 (n,), for the samples first, …, first + n − 1 of a question at one step."""
    bits = np.random.Philox(key=key, counter=[0, 0, 0, step])
    return np.random.Generator(bits).random(first + n)[first:]
