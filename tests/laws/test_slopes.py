"""What a search asks of a law: the slopes are those of the score, and the score is defined far from the data."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws import AccuracyLaw, ChinchillaLaw, LossLaw, NaiveLaw

LOSS = ChinchillaLaw(4, 400, 0.34, 1200, 0.37)
LAWS = [
    LossLaw(1, 400, 0.34, 1200, 0.37, 6, 0.2),
    AccuracyLaw(LOSS, (10, 0.6, 0.9, 1, -0.1)),
    NaiveLaw(LOSS, (10, 0.6, 0.9)),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_slopes_are_those_of_the_score(law):
    """Central differences, from easy questions (success near 0.9) to hard ones."""
    loss, log_k = np.meshgrid([5.0, 9.0, 12.0], [0.0, 0.7, 2.0])
    step = 1e-5
    by_loss = (law.score(loss + step, log_k) - law.score(loss - step, log_k)) / (2 * step)
    by_k = (law.score(loss, log_k + step) - law.score(loss, log_k - step)) / (2 * step)
    np.testing.assert_allclose(law.slopes(loss, log_k), [by_loss, by_k], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("law", LAWS[1:], ids=lambda law: law.name)
def test_where_success_underflows_all_samples_fail(law):
    assert law.score(np.array([1e5]), np.array([2.0])) == 0
