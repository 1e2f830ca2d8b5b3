"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2scaling.errors import ArgumentError
from t2scaling.units import (
    format_flops,
    format_number,
    format_ratio,
    parse_decimal,
    parse_number,
    parse_numbers,
    parse_whole,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e22", 1e22), ("2.56e19", 2.56e19), ("7B", 7e9), ("2T", 2e12), ("350M", 3.5e8), ("1,000", 1000)]
    + [("14k", 14e3), (".5B", 5e8), (" 3 ", 3), ("-2", -2), ("1_000", 1000), ("1.5E3", 1500), ("2 T", 2e12)]
    + [("1,234,567.5", 1234567.5), ("12,345K", 12345e3), ("2_500_000", 2.5e6)],
)
def test_reads(text: str, value: float) -> None:
    assert parse_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "B", "seven", "7BB", "1e999", "nan", "7Z", "1e", "0x10", "1e99999", "٣", "1 000"])
def test_refuses(text: str) -> None:
    for parse in (parse_number, parse_whole, parse_decimal):
        with pytest.raises(ArgumentError, match="write"):
            parse(text)


@pytest.mark.parametrize("text", ["3,91", "1,00,0", "3_91", "1,0000", ",100", "1,,000", "1_000,000", "1,000e3", "1,2B"])
def test_commas_stand_between_groups_of_three_only(text: str) -> None:
    for parse in (parse_number, parse_whole, parse_decimal):
        with pytest.raises(ArgumentError, match="number"):
            parse(text)


@pytest.mark.parametrize("text", ["20x", "0x", "20 X", "1.5×"])
def test_a_ratio_is_no_count(text: str) -> None:
    with pytest.raises(ArgumentError, match="ratio"):
        parse_number(text)


def test_whole_numbers_keep_their_digits() -> None:
    assert parse_whole("9007199254740993") == 2**53 + 1
    assert parse_whole("9_007_199_254_740_993") == 2**53 + 1
    assert [parse_whole(value) for value in ("1e3", "1.5K", 7, 8.0, "-3", "2.0")] == [1000, 1500, 7, 8, -3, 2]
    for value in ("1.5", 1.5, 2.0**53 + 2, True, float("nan"), "1e-400"):
        with pytest.raises(ArgumentError):
            parse_whole(value)


def test_decimals_have_no_suffix_and_no_comma() -> None:
    assert [parse_decimal(value) for value in ("3.91", " 1e-3 ", ".5", "5.", 2)] == [3.91, 1e-3, 0.5, 5, 2]
    for text in ("1,000", "3.91m", "7B", "1_000", "1;5"):
        with pytest.raises(ArgumentError, match="plain decimal"):
            parse_decimal(text)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf")])
def test_numbers_that_are_none(value: float) -> None:
    for parse in (parse_number, parse_whole, parse_decimal):
        with pytest.raises(ArgumentError):
            parse(value)


def test_lists() -> None:
    assert parse_numbers("1,2, 4,8") == [1, 2, 4, 8]
    assert parse_numbers("100M,1B") == [1e8, 1e9]
    with pytest.raises(ValueError, match="empty"):
        parse_numbers(" , ")
    with pytest.raises(ArgumentError, match="1,024 as 1024"):
        parse_numbers("1,024")
    assert parse_numbers("0,0.5") == [0, 0.5]


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


@pytest.mark.parametrize(
    ("flops", "text"), [(float("nan"), "nan"), (2.56e19, "2.56e19"), (2e9, "2e9"), (1e22, "1e22"), (1.4e11, "1.4e11")]
)
def test_flops_are_written_as_in_the_field(flops: float, text: str) -> None:
    assert format_flops(flops) == text
