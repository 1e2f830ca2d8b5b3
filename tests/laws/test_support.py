"""The judge of extrapolation: ranges, how far, and the same verdict in words and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from t2scaling.laws.support import Support

N, D = np.array([1e6, 1e7, 1e8]), np.array([1e8, 2e9, 2e9])
SEEN = Support.of(N, D, k=[1, 4, 64])


def test_the_ranges_of_runs():
    assert SEEN["N"] == (1e6, 1e8)
    assert SEEN["tokens_per_param"] == (20, 200)
    assert SEEN["train_flops"] == pytest.approx((6e14, 1.2e18))
    assert SEEN["k"] == (1, 64)
    assert set(Support.of(N, D)) == {"N", "D", "tokens_per_param", "train_flops"}
    assert Support.of(N, D, train=[1e15, 1e16, 2e18])["train_flops"] == (1e15, 2e18)


@pytest.mark.parametrize(
    ("point", "axis"),
    [
        ((9e5, 1e8, 1), "N ="),
        ((1.2e8, 2.4e9, 1), "N ="),
        ((1.9e7, 2.1e9, 1), "D ="),
        ((1e7, 1.5e8, 1), "D/N ="),
        ((1e7, 1e9, 65), "k ="),
    ],
)
def test_numbers_and_words_agree_on_each_axis(point, axis):
    assert SEEN.outside(*point)
    assert any(text.startswith(axis) for text in SEEN.sentences(*point))


def test_compute_alone_can_be_outside():
    seen = Support({"train_flops": (1e15, 1e17)})
    assert seen.outside(1e8, 1e9)
    assert (
        "C = 6e17 training FLOPs is 6× above the largest that the law was fitted on (1e17)"
        in seen.sentences(1e8, 1e9)[0]
    )


def test_ends_as_they_are_shown_are_inside():
    seen = Support({"N": (1234567.0, 9876543.0)})
    assert not seen.outside([1.23e6, 9.88e6], 1.0).any()
    assert seen.outside([1.22e6, 9.95e6], 1.0).all()
    assert not seen.sentences(1.23e6, 1.0)


def test_distance_is_the_largest_over_size_tokens_compute_and_ratio():
    assert SEEN.distance(1e7, 1e9) == 0
    assert SEEN.distance(1e9, 2e9) == pytest.approx(np.log(10))  # N 10×; D/N is 2, also 10× below
    assert SEEN.distance(1e8, 2e10) == pytest.approx(np.log(10))
    assert SEEN.distance(1e6, 2e9) == pytest.approx(np.log(10))  # D/N = 2000
    far = SEEN.distance(np.array([1e7, 1e9]), np.array([[1e9], [2e10]]))
    assert far.shape == (2, 2)
    assert far[1, 1] == pytest.approx(np.log(100))  # 6·N·D = 1.2e20


def test_a_product_beyond_floats_is_outside():
    assert Support({"train_flops": (1e18, 1e20)}).outside(1e308, 1e308)


def test_what_is_not_known_judges_nothing_and_nan_is_outside():
    assert not Support().outside([1.0, 1e30], 1.0, 1e9).any()
    assert Support().distance(1.0, 1e30) == 0
    assert SEEN.outside(np.nan, 1e9)
