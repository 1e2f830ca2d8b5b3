"""Every figure that some fits and plans allow, with title and caption: what the page shows and `--figures` saves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from numpy.typing import NDArray

from t2scaling.allocate import Plan
from t2scaling.artefacts import write_with
from t2scaling.errors import unknown
from t2scaling.laws import FitResult, PublishedLaw
from t2scaling.report import figures
from t2scaling.report.agreement import hold_out
from t2scaling.units import format_flops

FORMATS = ("svg", "pdf", "png")


@dataclass(frozen=True)
class Drawing:
    """A figure with a name for files and anchors, a title and a caption."""

    key: str
    title: str
    figure: Figure
    caption: str

    @property
    def columns(self) -> int:
        """Axes that stand side by side."""
        grid = self.figure.axes[0].get_gridspec()
        return 1 if grid is None else grid.ncols


def drawings(
    laws: Sequence[FitResult | PublishedLaw],
    plans: Sequence[Plan],
    inference_flops: float,
    guess: NDArray | None = None,
) -> list[Drawing]:
    """Every figure of these laws, in the order of the page. Published laws have a forecast and nothing else."""
    fits = [law for law in laws if isinstance(law, FitResult)]
    shown = [_profiles(fits, inference_flops)] if fits else []
    shown.append(_forecast(laws, plans, inference_flops))
    if not fits:
        return shown
    caption = "Which sizes were trained on which budgets, with tokens per parameter."
    grid = Drawing("grid", "The checkpoints", figures.checkpoint_grid(fits[0].curves), caption)
    shown += [_agreement(fits, inference_flops), grid]
    if len(fits[0].curves.k) > 1:
        shown.append(_coverage(fits, guess))
    shown.append(
        Drawing(
            "residuals",
            "Residuals",
            figures.residuals(fits),
            "What each law misses at every run and k of its fit. A trend means that its form does not hold there.",
        )
    )
    return shown


def beside(
    laws: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan], inference_flops: float, names: Sequence[str]
) -> list[Drawing]:
    """The figures of each law on their own, those of one kind next to each other."""
    columns = [drawings([law], [plan], inference_flops) for law, plan in zip(laws, plans, strict=True)]
    return [
        replace(one, key=f"{key}-{number}", title=f"{one.title}: {name}")
        for key in dict.fromkeys(one.key for column in columns for one in column)
        for number, (column, name) in enumerate(zip(columns, names, strict=True), 1)
        for one in column
        if one.key == key
    ]


def _profiles(fits: Sequence[FitResult], inference_flops: float) -> Drawing:
    sampling = any(fit.law.samples for fit in fits)
    caption = "Each colour is a training budget: dots are runs, thin lines the fitted law. " + (
        "One frontier follows Chinchilla's choice of N, the other the law's own: first with one sample per problem, "
        f"then with as many as {format_flops(inference_flops)} FLOPs per token served afford a model of that size."
        if sampling
        else "The frontier is the compute-optimal N of each budget."
    )
    figure = figures.isoflop_profiles(fits, inference_flops)
    return Drawing("isoflop", "IsoFLOP profiles and frontiers", figure, caption)


def _forecast(laws: Sequence[FitResult | PublishedLaw], plans: Sequence[Plan], inference_flops: float) -> Drawing:
    sampling = any(law.law.samples for law in laws)
    caption = (
        "Compute-optimal tokens per parameter, parameters and tokens"
        + (f", at {format_flops(inference_flops)} FLOPs per token served" if sampling else "")
        + ". The shaded span is the data; dashed lines beyond it are extrapolated. Stars are the plans of this report"
        + ("; bands hold 90% of the bootstrap laws." if any(law.bootstrap for law in laws) else ".")
    )
    return Drawing(
        "forecast", "Forecast over training budgets", figures.forecast(laws, inference_flops, plans), caption
    )


def _agreement(fits: Sequence[FitResult], inference_flops: float) -> Drawing:
    held = [hold_out(fit) for fit in fits]
    each = f"Each run at the k that {format_flops(inference_flops)} FLOPs per token served afford it. "
    caption = (each if any(fit.law.samples for fit in fits) else "") + (
        "The ringed overtrained runs are predicted by the law fitted without them."
        if any(held)
        else "All runs were part of the fit, so the error is not that of a forecast."
    )
    figure = figures.predicted_observed(fits, inference_flops, held)
    return Drawing("agreement", "Predicted against observed", figure, caption)


def _coverage(fits: Sequence[FitResult], guess: NDArray | None) -> Drawing:
    best = next((fit for fit in fits if "pass_at_k" in fit.law.metrics), fits[0])
    lines = f"; lines are the {best.law.label}'s" if "pass_at_k" in best.law.metrics else ""
    dotted = "; the dotted line is a guesser that knows only the questions' form" if guess is not None else ""
    caption = f"Mean pass@k of each size at its longest training, with two standard errors{lines}{dotted}."
    return Drawing("coverage", "pass@k over samples", figures.coverage(best, guess), caption)


def save(drawn: Sequence[Drawing], folder: str | Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write every figure to `folder` as KEY.svg, KEY.pdf and KEY.png, or the formats given; returns the paths."""
    for name in formats:
        if name not in FORMATS:
            raise unknown("formats", name, FORMATS)
    paths = []
    for one in drawn:
        for name in formats:
            target = Path(folder) / f"{one.key}.{name}"
            paths.append(write_with(target, partial(figures.save, one.figure, file_format=name)))
    return paths
