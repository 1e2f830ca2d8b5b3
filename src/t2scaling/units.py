"""Numbers as people write them: `2.56e19`, `7B`, `2T`, `20x`, and back.

Suffixes are the field's: K, M, B (10^9) and T (10^12). `20x` means 20 tokens per parameter where a command
accepts a ratio, and is the plain number 20 elsewhere.
"""

from __future__ import annotations

import math
import re

_SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12, "x": 1.0, "p": 1e15}
_NUMBER = re.compile(r"([+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]?)")


def parse_number(text: str | float | int) -> float:
    """Read `1e22`, `7B`, `2T`, `350M`, `20x` or `1,000` as a float.

    Raises ValueError if the text is no finite number.
    """
    if isinstance(text, int | float):
        return float(text)
    match = _NUMBER.fullmatch(text.strip())
    if match is None or match[2].lower() not in _SUFFIX:
        raise ValueError(f"`{text}` is not a number: write it like 2.56e19, 7B, 2T, 350M or 20x.")
    value = float(match[1].replace(",", "").replace("_", "")) * _SUFFIX[match[2].lower()]
    if not math.isfinite(value):
        raise ValueError(f"`{text}` is not finite: write a number like 2.56e19 or 7B.")
    return value


def parse_numbers(text: str) -> list[float]:
    """Read a comma-separated list, such as `1,2,4,8` or `100M,300M,1B`. Raises ValueError like `parse_number`."""
    parts = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    if not parts:
        raise ValueError("an empty list of numbers: write them like 1,2,4,8.")
    return [parse_number(part) for part in parts]


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
    mantissa, exponent = f"{flops:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
