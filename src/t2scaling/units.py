"""Numbers as people write them: `2.56e19`, `7B`, `2T`, `20x`, and back.

One grammar for each kind of number, so that nothing is read as what it does not mean:
    a count     `2.56e19`, `7B`, `350M`, `1,000`: suffixes K, M, B (10^9) and T (10^12), commas or underscores in
                groups of three only (`1,00,0` and the decimal comma `3,91` are refused)
    a whole     a count that is a whole number, exact however large
    a decimal   `3.91` or `1e-3`: no suffix, no comma; what likelihoods are written in
    a ratio     `20x`: tokens per parameter; a plain number is taken too
"""

import math
import re
from decimal import Decimal
from typing import Any

from t2scaling.errors import ArgumentError, require

_POWER = {"": 0, "k": 3, "m": 6, "b": 9, "g": 9, "t": 12, "p": 15}
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:_\d{3})+(?:\.\d+)?"
_COUNT = re.compile(rf"([+-]?(?:{_GROUPED}|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{{1,4}})?))\s*([A-Za-z]?)", re.ASCII)
_RATIO = re.compile(r"(.*\S)\s*[xX×]", re.DOTALL)


def parse_number(text: str | float | int) -> float:
    """Read a count: `1e22`, `7B`, `2T`, `350M` or `1,000`, as a float.

    >>> parse_number("7B"), parse_number("1,000")
    (7000000000.0, 1000.0)

    Raises ArgumentError if the text is no finite number, or a ratio such as `20x`.
    """
    if isinstance(text, str):
        return _finite(float(_exact(text)), text)
    if isinstance(text, bool):
        raise ArgumentError(f"`{text}` is true or false, not a number: write it like 2.56e19 or 7B.")
    return _finite(float(text), text)


def parse_whole(text: str | float | int) -> int:
    """Read a count that is a whole number, without a detour through floats: exact above 2^53 too.

    >>> parse_whole("9007199254740993"), parse_whole("2K")
    (9007199254740993, 2000)

    Raises ArgumentError as `parse_number` does, for a fraction, and for a float above 2^53, which may not be the
    number that was meant.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    if isinstance(text, str):
        _finite(float(value := _exact(text)), text)
    else:
        value = Decimal(parse_number(text))
        if abs(value) > 2**53:
            raise ArgumentError(f"`{text}` is a float above 2^53, where floats skip whole numbers: give an integer.")
    if value != value.to_integral_value():
        raise ArgumentError(f"`{text}` is no whole number: write it like 64 or 2K.")
    return int(value)


def parse_decimal(text: str | float | int) -> float:
    """Read a plain decimal number: no suffix, no comma, no underscore. Raises ArgumentError for anything else."""
    if not isinstance(text, str):
        return parse_number(text)
    if _DECIMAL.fullmatch(text.strip()) is None:
        hint = ", with a point in decimals and no separator" if re.search(r"[,_;]", text) else ""
        raise ArgumentError(f"`{text}` is not a plain decimal number: write it like 3.91 or 1e-3{hint}.")
    return _finite(float(text), text)


def check_seed(seed: int, argument: str = "seed") -> int:
    """A seed that every generator takes. Raises ArgumentError where it is negative or has more than 63 bits."""
    require(0 <= seed < 2**63, argument, seed, "lie between 0 and 2^63 − 1")
    return seed


def check_level(level: float) -> float:
    """The level of an interval, such as 0.9. Raises ArgumentError outside (0, 1)."""
    require(isinstance(level, float) and 0 < level < 1, "level", level, "lie between 0 and 1, such as 0.9")
    return level


def named_number(argument: str, value: Any) -> float | None:
    """`parse_number` of what was given for `argument`, which its errors name; None stays None."""
    try:
        return None if value is None else parse_number(value)
    except (ValueError, TypeError, OverflowError) as error:
        said = str(error) if isinstance(error, ArgumentError) else "give a number, or text such as 7B."
        raise ArgumentError(f"`{argument}` = {value!r}: {said}") from None


def parse_numbers(text: str, argument: str = "") -> list[float]:
    """Read a comma-separated list, such as `1,2,4,8` or `100M,300M,1B`.

    argument   what it was given for, which errors name
    Raises ArgumentError like `parse_number`, and for `1,024`, which may be a list or a number.
    """
    if argument:
        try:
            return parse_numbers(text)
        except ArgumentError as error:
            raise ArgumentError(f"`{argument}` = {text}: {error}") from None
    parts = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    if not parts:
        raise ArgumentError(f"`{text}` is an empty list of numbers: write them like 1,2,4,8.")
    for part in parts:
        if re.match(r"[+-]?0\d", part):
            raise ArgumentError(f"`{text}`: is `{part}` the end of a number? In a list, write 1,024 as 1024.")
    return [parse_number(part) for part in parts]


def _exact(text: str) -> Decimal:
    match = _COUNT.fullmatch(text.strip())
    if match is None or match[2].lower() not in _POWER:
        raise ArgumentError(f"`{text}` is not a number: {_way_out(text)}.")
    return Decimal(match[1].replace(",", "").replace("_", "")).scaleb(_POWER[match[2].lower()])


def _way_out(text: str) -> str:
    """What to write in place of `text`, by what is wrong with it."""
    if _RATIO.fullmatch(text.strip()):
        return "it is a ratio, tokens per parameter; write a count like 2.56e19 or 7B"
    if re.search(r"\d[,_]\d", text):
        return (
            "commas and underscores stand between groups of three digits, and decimals have a point, like 1,000 or 3.91"
        )
    return "write it like 2.56e19, 7B, 2T or 350M"


def _finite(value: float, text: object) -> float:
    if not math.isfinite(value):
        raise ArgumentError(f"`{text}` is not finite: write a number like 2.56e19 or 7B.")
    return value


def format_number(value: float, digits: int = 3) -> str:
    """Write a count for people: 1.23M, 45.6B, 2T; scientific above 1e15 and below 1e-3.

    digits   significant digits kept
    """
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size != 0 and (size >= 1e15 or size < 1e-3):
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}"
    # Rounding can lift a value over the next suffix (999.96K), so the suffix is chosen after rounding.
    rounded = float(f"{value:.{digits - 1}e}")
    for factor, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(rounded) >= factor:
            return f"{rounded / factor:.{digits}g}{suffix}"
    return f"{rounded:.{digits}g}"


def format_ratio(tokens_per_param: float) -> str:
    """Write tokens per parameter for people: 20x, 26,900x."""
    if not math.isfinite(tokens_per_param):
        return str(tokens_per_param)
    if tokens_per_param >= 1e6:
        return f"{format_number(tokens_per_param)}x"
    return f"{tokens_per_param:,.0f}x" if tokens_per_param >= 10 else f"{tokens_per_param:.2g}x"


def format_flops(flops: float) -> str:
    """Write FLOPs the field's way, always with an exponent: 2.56e19, 2e9."""
    if not math.isfinite(flops):
        return str(flops)
    mantissa, exponent = f"{flops:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
