"""`t2 results`: what a suite says on the paper's questions, as a page of Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from t2scaling.cli.common import JsonFlag, Seed, emit, number_option, output_option, wrote

if TYPE_CHECKING:
    from t2scaling.report.results import Suite


def command(
    observations: Annotated[str, typer.Argument(metavar="OBS", help="Table of a suite, or the shipped suite `world`.")],
    manifest: Annotated[
        Path | None,
        typer.Option(help="manifest.json of the suite: what it cost.", show_default="the shipped suite's own"),
    ] = None,
    inference_flops: Annotated[
        float | None,
        number_option(
            "The smaller inference budget, FLOPs per token served.",
            "--inference-flops",
            default_text="one sample of the largest model",
            positive=True,
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the paper's Figures 2 to 8 of this suite, as SVG, PDF and PNG.")
    ] = None,
    seed: Seed = 0,
    output: Annotated[Path, output_option("The page to write.", ".md")] = Path("results.md"),
    as_json: JsonFlag = False,
) -> None:
    """Write results.md: does test-time compute move the optimum, are held-out cells forecast, does it survive tuning.

    Every number comes from the observations; nothing is drawn but what the fits draw from --seed.
    """
    from t2scaling.artefacts import check_target, write_text
    from t2scaling.observations import read
    from t2scaling.observations.suites import suite_manifest
    from t2scaling.report.results import gather, read_manifest, render

    if figures is not None:
        check_target(figures / "figure.svg")
    effort = suite_manifest(observations) if manifest is None else read_manifest(manifest)
    suite = gather(read(observations), inference_flops=inference_flops, manifest=effort, seed=seed)
    path = write_text(output, render(suite))
    drawn = [] if figures is None else _draw(suite, figures)
    emit({"results": path, "figures": drawn}, as_json=as_json)
    wrote(path)
    if figures is not None:
        wrote(f"{len(drawn)} files in {figures}")


def _draw(suite: Suite, folder: Path) -> list[Path]:
    from t2scaling.report.drawings import save
    from t2scaling.report.suite_drawings import suite_drawings

    return save(suite_drawings(suite), folder)
