"""`t2 results`: what a suite says on the paper's questions, as a page of Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from t2scaling.cli.common import JsonFlag, Seed, emit, number_option, output_option, wrote


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
    seed: Seed = 0,
    output: Annotated[Path, output_option("The page to write.", ".md")] = Path("results.md"),
    as_json: JsonFlag = False,
) -> None:
    """Write results.md: does test-time compute move the optimum, are held-out cells forecast, does it survive tuning.

    Every number comes from the observations; nothing is drawn but what the fits draw from --seed.
    """
    from t2scaling.observations import load_suite, read
    from t2scaling.observations.suites import SUITES, suite_manifest
    from t2scaling.report.results import read_manifest, write_results

    table = load_suite(observations) if observations in SUITES else read(observations)
    effort = suite_manifest(observations) if manifest is None else read_manifest(manifest)
    path = write_results(table, output, inference_flops=inference_flops, manifest=effort, seed=seed)
    emit({"results": path}, as_json=as_json)
    wrote(path)
