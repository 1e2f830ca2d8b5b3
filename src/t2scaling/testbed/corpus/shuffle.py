"""A random order of 0 … n − 1 that is computed per element and needs no memory.

A four-round Feistel network permutes the integers of an even number of bits; an image outside the range is permuted
again until it falls inside (cycle walking; Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
"""

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 4


def shuffled(index: NDArray[np.int64], n: int, key: tuple[int, ...]) -> NDArray[np.int64]:
    """Images of `index` (each in 0 … n − 1) under the permutation that `key` names; int64, the shape of `index`."""
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    round_keys = np.random.SeedSequence(key).generate_state(_ROUNDS, np.uint64).astype(np.uint64)
    image = _permute(index.astype(np.uint64), half, round_keys)
    while (outside := image >= n).any():
        image[outside] = _permute(image[outside], half, round_keys)
    return image.astype(np.int64)


def _permute(value: NDArray[np.uint64], half: int, round_keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = value >> shift, value & mask
    for key in round_keys:
        left, right = right, left ^ (_mix(right ^ key) & mask)
    return (left << shift) | right


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al. 2014): every bit of the result depends on every bit of the value."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
