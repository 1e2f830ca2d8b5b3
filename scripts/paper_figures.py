"""The figures and tables of the paper for the suites that ship, under docs/figures: `make figures`.

Each suite has a folder with its figures as SVG and a README.md that shows them, and a page of tables; every number
comes from the observations.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import matplotlib

from t2scaling.artefacts import write_text
from t2scaling.observations import load_observations
from t2scaling.observations.suites import suite_manifest
from t2scaling.report import style
from t2scaling.report.drawings import Drawing
from t2scaling.report.results import gather, render
from t2scaling.report.suite_drawings import suite_drawings

FOLDER = Path(__file__).parents[1] / "docs" / "figures"
# The suites that are shown, and where their tables go: `simulated` is drawn from a law, `world-0.1.0` stays as it was.
RESULTS = {"world": FOLDER.parent / "results.md", "english": FOLDER.parent / "results-english.md"}
NOT_IN_THE_PAPER = ("tasks-bottleneck",)
MOST_BYTES = 2_500_000


def main(names: list[str]) -> None:
    """Write the folders of the suites named, or of those that are shown."""
    unknown = set(names) - set(RESULTS)
    if unknown:
        sys.exit(f"no suite {', '.join(sorted(unknown))} is shown: there is {', '.join(RESULTS)}.")
    for name in names or RESULTS:
        write_suite(name, FOLDER / name)
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    print(f"{FOLDER}: {size:,} bytes")
    if size > MOST_BYTES:
        sys.exit(f"that is more than {MOST_BYTES:,}: leave a suite out, or draw fewer points.")


def write_suite(name: str, folder: Path) -> None:
    """One suite's figures and tables; figures that it no longer has are removed."""
    suite = gather(load_observations(name), manifest=suite_manifest(name))
    drawn = [one for one in suite_drawings(suite) if one.key not in NOT_IN_THE_PAPER]
    for one in drawn:
        buffer = io.BytesIO()
        # Text stays text, lines lose the points that nobody sees, and clouds of points are pixels of one point's size.
        with matplotlib.rc_context({"svg.fonttype": "none", "path.simplify_threshold": 0.5}):
            style.save(one.figure, buffer, dpi=96)
        write_text(folder / f"{one.key}.svg", small(buffer.getvalue().decode()))
    for left in set(folder.glob("*.svg")) - {folder / f"{one.key}.svg" for one in drawn}:
        left.unlink()
    write_text(folder / "README.md", page(name, drawn))
    write_text(RESULTS[name], render(suite))


def small(markup: str) -> str:
    """The same picture in a third of the bytes: compact, lines as steps, each style written once."""
    styles: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return f' class="{styles.setdefault(found[1], f"s{len(styles)}")}"'

    markup = re.sub(r"<metadata>.*?</metadata>", "", markup[markup.index("<svg") :], flags=re.DOTALL)
    markup = re.sub(r"M ([-\d. L]+)(?=\")", _relative, style.compact(markup))
    markup = re.sub(r' style="([^"]*)"', named, markup)
    sheet = "".join(f".{name}{{{rule}}}" for rule, name in styles.items())
    markup = markup.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    return markup.replace("<defs>", f"<style>{sheet}</style><defs>", 1) + "\n" if sheet else markup


def _relative(line: re.Match[str]) -> str:
    """A line as its first point and the steps from there."""
    tenths = [round(10 * float(number)) for number in line[1].replace("L", "").split()]
    steps = tenths[:2] + [tenths[at] - tenths[at - 2] for at in range(2, len(tenths))]
    return "m " + " ".join(f"{step / 10:g}" for step in steps)


def page(name: str, drawn: list[Drawing]) -> str:
    """The figures with their captions."""
    shown = [f"## {one.title}\n\n![{one.title}]({one.key}.svg)\n\n{one.caption}" for one in drawn]
    tables = f"The tables stand in [{RESULTS[name].name}](../../{RESULTS[name].name})."
    return "\n\n".join([f"# Figures of the suite `{name}`", tables, *shown]) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
