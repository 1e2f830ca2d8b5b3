"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2scaling.units import format_flops, format_number, format_ratio, parse_number, parse_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e22", 1e22), ("2.56e19", 2.56e19), ("7B", 7e9), ("2T", 2e12), ("20x", 20), ("350M", 3.5e8), ("1,000", 1000)]
    + [("14k", 14e3), (".5B", 5e8), (" 3 ", 3), ("-2", -2), ("1_000", 1000), ("1.5E3", 1500), ("2 T", 2e12)],
)
def test_reads(text: str, value: float) -> None:
    assert parse_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "B", "seven", "7BB", "1e999", "nan", "7Z", "1e"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_number(text)


def test_lists() -> None:
    assert parse_numbers("1,2, 4,8") == [1, 2, 4, 8]
    assert parse_numbers("100M,1B") == [1e8, 1e9]
    with pytest.raises(ValueError, match="empty"):
        parse_numbers(" , ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(7e9, "7B"), (2e12, "2T"), (2.56e19, "2.56e19"), (1, "1"), (12345, "12.3K"), (999960, "1M"), (0.5, "0.5")]
    + [(0, "0"), (1e22, "1e22"), (79.45, "79.5"), (1e-5, "1e-5"), (float("inf"), "inf")],
)
def test_writes(value: float, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(1e-3, 1e26))
def test_round_trip_within_the_digits_kept(value: float) -> None:
    assert parse_number(format_number(value, digits=6)) == pytest.approx(value, rel=1e-5)


def test_ratios() -> None:
    assert format_ratio(19.6) == "20x"
    assert format_ratio(26930) == "26,930x"
    assert format_ratio(2.5) == "2.5x"
    assert format_ratio(1.7e8) == "170Mx"


@pytest.mark.parametrize(("flops", "text"), [(2.56e19, "2.56e19"), (2e9, "2e9"), (1e22, "1e22"), (1.4e11, "1.4e11")])
def test_flops_are_written_as_in_the_field(flops: float, text: str) -> None:
    assert format_flops(flops) == text
