"""The stateless shuffle is a permutation that depends on its key."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.testbed.corpus.shuffle import shuffled


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 1000, 4097])
def test_is_a_permutation(n):
    image = shuffled(np.arange(n), n, (1, 2))
    assert sorted(image) == list(range(n))
    one_by_one = [int(shuffled(np.array([index]), n, (1, 2))[0]) for index in range(min(n, 50))]
    assert one_by_one == image[:50].tolist()


def test_key_changes_the_order_and_neighbours_part():
    first, second = shuffled(np.arange(5000), 5000, (0, 0)), shuffled(np.arange(5000), 5000, (0, 1))
    assert np.mean(first == second) < 0.01
    assert abs(np.corrcoef(np.arange(5000), first)[0, 1]) < 0.1
    assert np.mean(np.abs(np.diff(first)) == 1) < 0.01


def test_order_does_not_change_between_releases():
    # Shipped measurements belong to this order of the training text.
    assert shuffled(np.arange(8), 8, (0, 0)).tolist() == [1, 2, 6, 4, 7, 0, 5, 3]
