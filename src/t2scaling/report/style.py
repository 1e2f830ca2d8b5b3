"""How every figure looks, and how it becomes SVG that follows the page's light or dark theme.

`canvas` gives a figure with plain axes, `log_axis` labels a logarithmic axis with the field's units (37M, 2.56e19),
and `svg` turns a figure into markup in which ink, grid and paper are CSS variables. The colours are safe for
colour-blind readers (Okabe and Ito's blue, vermilion and green) and legible on white and on near-black.
"""

import io
import re
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axis import XAxis, YAxis
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from t2scaling.laws import LAWS
from t2scaling.units import format_flops, format_number

INK, MUTED, GRID, PAPER = "#1f2328", "#6e7781", "#d8dee4", "#fefefe"
T2_RED, T2_BLUE, T2_GREEN = "#cf3a2b", "#0072b2", "#009e73"
LAW_COLOURS = {"loss": T2_RED, "accuracy": T2_BLUE, "naive": T2_GREEN, "chinchilla": INK}
SEQUENCE = LinearSegmentedColormap.from_list("t2", ["#3a5fb5", "#2a9d9a", "#7fae4b", "#e8a33d"])

RASTER_FROM = 600  # points in a scatter from which on it is drawn as pixels

# Colours that become CSS variables in SVG, so that one figure suits the light, the dark and the printed page.
_THEMED = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", PAPER: "var(--card)"}
_RC: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.labelsize": 10.0,
    "legend.fontsize": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "axes.unicode_minus": True,
}

styled = matplotlib.rc_context(_RC)  # decorates the functions that draw


def canvas(
    rows: int, columns: int, width: float, height: float, sharex: Any = False, sharey: Any = False
) -> tuple[Figure, NDArray[np.object_]]:
    """A figure of rows × columns plain axes, width × height inches; axes come as an array (rows, columns)."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(True, color=GRID, linewidth=0.7)
        ax.set_axisbelow(True)
    return figure, axes


def log_axis(axis: XAxis | YAxis, label: str, ticks: int = 6) -> None:
    """Make an axis logarithmic, with ticks like 10M, or like 1e12 for FLOPs, and minor ticks unlabelled."""
    write = format_flops if "FLOPs" in label else format_number
    which, ax = axis.axis_name, axis.axes
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis.set_label_text(label)
    low, high = sorted(ax.get_xlim() if which == "x" else ax.get_ylim())
    axis.set_major_locator(_locator(low, high, ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())
    if high / low > 1e4 or high / low < 5:
        axis.set_minor_locator(NullLocator())


def _locator(low: float, high: float, ticks: int) -> Locator:
    """Powers of ten over a wide range; round numbers within few decades, so that no axis is left unlabelled."""
    decades = np.log10(high / low)
    if decades < 0.7:
        return MaxNLocator(5)
    if decades < 1.3:
        return LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0), numticks=12)
    return LogLocator(subs=(1.0, 3.0) if decades < 2.6 else (1.0,), numticks=ticks)


def budget_colours(train_flops: ArrayLike) -> list[tuple[float, float, float, float]]:
    """One colour per training budget, blue (least) to amber (most)."""
    flops = np.asarray(train_flops, dtype=float)
    low, high = float(flops.min()), float(flops.max())
    norm = LogNorm(low, high if high > low else low * 10)
    return [SEQUENCE(float(norm(value))) for value in flops]


def law_colour(name: str) -> str:
    """The colour that a law keeps through the whole report."""
    return LAW_COLOURS.get(name, T2_GREEN)


def law_label(name: str) -> str:
    """A law's name for people."""
    return LAWS[name].label if name in LAWS else f"{name} law"


def step_colours(count: int) -> list[tuple[float, float, float, float]]:
    """As many colours, evenly spaced from blue to amber."""
    return [SEQUENCE(position) for position in np.linspace(0, 1, count)]


def save(figure: Figure, path: Any, file_format: str = "svg", dpi: int = 200) -> None:
    """Write a figure as a file on its own: svg, pdf or png, without a date, so that equal figures give equal bytes."""
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(file_format)
    with matplotlib.rc_context({**_RC, "svg.hashsalt": "t2scaling"}):
        # A legend or title wider than the axes is not cut off.
        figure.savefig(path, format=file_format, dpi=dpi, metadata=dates, bbox_inches="tight", pad_inches=0.08)


def svg(figure: Figure, key: str, box: Any = None) -> str:
    """SVG markup of a figure for inlining: no prologue, ids prefixed with `key`, themed colours, no date.

    key   a name unique on the page; it also seeds the ids, so that equal figures give equal bytes
    box   the part of the figure to keep, in inches; all of it
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({**_RC, "svg.fonttype": "none", "svg.hashsalt": key}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches=box)
    markup = buffer.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>", "", markup, flags=re.DOTALL)
    markup = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{key}-", markup)
    markup = re.sub(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', _svg_tag, markup, count=1, flags=re.DOTALL)
    return themed(compact(markup)).strip()


def compact(markup: str) -> str:
    """The same picture in half of the bytes: coordinates to a tenth of a point, no names of groups, one space."""

    def rounded(found: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d+", lambda one: f"{float(one[0]):.1f}".removesuffix(".0"), " ".join(found[0].split()))

    markup = re.sub(r"<!-- .*? -->", "", markup)
    markup = re.sub(r'(?<= )(d|x|y|transform)="[^"]*"', rounded, markup)
    markup = re.sub(
        r"font-family: [^;\"]*(Sans|serif)[^;\"]*", "font-family: 'DejaVu Sans', Verdana, sans-serif", markup
    )
    for at, name in enumerate(dict.fromkeys(re.findall(r'id="(?:[\w-]*-)?([mp][0-9a-f]{10})"', markup))):
        markup = markup.replace(name, f"m{at}")
    markup = re.sub(r">\s+<", "><", re.sub(r'<g id="[^"]*"', "<g", markup))
    for _ in range(2):  # a mark stands in two groups that say nothing
        markup = re.sub(r"<g>(<use [^>]*/>)</g>", r"\1", markup)
    return markup


def themed(markup: str) -> str:
    """Markup with ink, grid and paper as the page's CSS variables."""
    for colour, variable in _THEMED.items():
        markup = markup.replace(colour, variable)
    return markup


def _svg_tag(match: re.Match[str]) -> str:
    """An opening tag that scales with the page, up to a width at which its text is as large as in other figures."""
    width = 1.22 * float(match[1].split()[2])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true" '
        f'viewBox="{match[1]}" preserveAspectRatio="xMidYMid meet" style="max-width: {width:.0f}px">'
    )
