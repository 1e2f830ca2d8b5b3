"""The colours of series can be told apart with protanopia, deuteranopia and tritanopia, and stand out from the card.

Machado, Oliveira and Fernandes 2009 (doi 10.1109/TVCG.2009.113), severity 1.0, on linear RGB; distances in CIELAB
(D65), where about 2.3 is just noticeable.
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from t2scaling.report import style

SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ.sum(axis=1)
APART = 14.0  # six times what is just noticeable


def linear(colour: str) -> NDArray[np.float64]:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    t = XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    low, high = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def themes() -> dict[str, dict[str, str]]:
    """The variables of the page's style sheets, light and dark."""
    folder = files("t2scaling.report") / "assets"
    css = "".join((folder / name).read_text(encoding="utf-8") for name in ("report.css", "planner.css"))
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    for dark, block in re.findall(r"(dark\) \{\s*)?:root \{(.*?)\}", css, flags=re.DOTALL):
        found["dark" if dark else "light"].update(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    return found


def palettes() -> dict[str, tuple[list[str], str]]:
    """Colours that meet in one figure, with what they stand on."""
    page = {
        name: ([theme[key] for key in ("law", "rival", "data", "guess")], theme["card"])
        for name, theme in themes().items()
    }
    return {**page, "figures": ([*style.LAW_COLOURS.values()], style.PAPER)}


def test_white_and_black_are_where_cielab_has_them() -> None:
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=1e-3)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("name", ["light", "dark", "figures"])
def test_series_can_be_told_apart(name: str, sight: str) -> None:
    colours, _ = palettes()[name]
    seen = {colour: lab(SIGHT[sight] @ linear(colour)) for colour in colours}
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > APART, (one, other)


@pytest.mark.parametrize("name", ["light", "dark", "figures"])
def test_series_stand_out_from_the_card(name: str) -> None:
    colours, card = palettes()[name]
    assert min(contrast(colour, card) for colour in colours) >= 3  # WCAG 2, non-text
