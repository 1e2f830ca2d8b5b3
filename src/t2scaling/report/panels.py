"""A figure taken apart for the page: each pair of axes a drawing of its own, the legend as text.

On a wide screen the drawings stand side by side as in the figure; on a phone they stand below each other at full width.
"""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from t2scaling.report.style import svg, themed

_MARGIN = 0.06  # inches around a drawing
_GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖", "*": "★"}
_COLOURBAR = "<colorbar>"  # how matplotlib labels the axes of one


@dataclass(frozen=True)
class Panel:
    """One pair of axes: its SVG markup, and what it shows in words."""

    svg: str
    text: str


@dataclass(frozen=True)
class Key:
    """One entry of a legend: its mark (line, dashes, dots, or a glyph for points), its colour, its label."""

    mark: str
    colour: str
    label: str


def panels(figure: Figure, key: str) -> list[Panel]:
    """The axes of a figure as drawings, in order; `key` is unique on the page."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what the layout has placed stays where it is
    everything = [*figure.axes, *figure.legends, *([figure._suptitle] if figure.get_suptitle() else [])]  # type: ignore[attr-defined]
    shown = [ax for ax in figure.axes if ax.get_label() != _COLOURBAR and ax.axison]
    bars = [ax for ax in figure.axes if ax.get_label() == _COLOURBAR]
    found = []
    for number, ax in enumerate(shown):
        kept = [ax, *(bars if len(shown) == 1 else [])]
        for artist in everything:
            artist.set_visible(artist in kept)
        name = key if len(shown) == 1 else f"{key}-{number + 1}"
        found.append(Panel(svg(figure, name, _box(figure, kept)), describe(ax)))
    for artist in everything:
        artist.set_visible(True)
    return found


def _box(figure: Figure, kept: list[Axes]) -> Bbox:
    """The part of the figure, in inches, that holds the axes with their labels."""
    inside = Bbox.union([box for ax in kept if (box := ax.get_tightbbox()) is not None])
    return inside.transformed(figure.dpi_scale_trans.inverted()).padded(_MARGIN)


def describe(ax: Axes) -> str:
    """What a pair of axes shows: title, both quantities with their ranges, and the words that stand in it."""
    title = ax.get_title() or ax.get_title("left")
    what = f"{_extent(ax.yaxis, ax.get_ylim())} against {_extent(ax.xaxis, ax.get_xlim())}"
    handles, labels = ax.get_legend_handles_labels()
    named = [label for handle, label in zip(handles, labels, strict=True) if not label.startswith("_") and handle]
    series = f" Shown: {', '.join(dict.fromkeys(named))}." if named else ""
    said = " ".join(text.get_text().replace("\n", ", ") for text in ax.texts) if len(ax.texts) <= 3 else ""
    return f"{title + ': ' if title else ''}{what}.{series}{' ' + said + '.' if said else ''}"


def _extent(axis: Axis, limits: tuple[float, float]) -> str:
    low, high = sorted(limits)
    write: Any = axis.get_major_formatter()
    ends = [write(value, 0) if axis.get_scale() == "log" else f"{value:.3g}" for value in (low, high)]
    return f"{axis.get_label_text() or 'values'} from {ends[0]} to {ends[1]}"


def keys(figure: Figure) -> list[Key]:
    """The entries of a figure's own legend, in order."""
    return [
        _key(handle, text.get_text())
        for legend in figure.legends
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
    ]


def _key(handle: Any, label: str) -> Key:
    line = handle.get_linestyle()
    if line in ("None", "", " "):
        ring = handle.get_markerfacecolor() == "none"
        return Key("○" if ring else _GLYPHS[handle.get_marker()], _hex(handle.get_markeredgecolor()), label)
    return Key({"-": "line", ":": "dots"}.get(line, "dashes"), _hex(handle.get_color()), label)


def _hex(colour: Any) -> str:
    return themed(to_hex(colour))
