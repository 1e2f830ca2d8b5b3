"""The end of a study: collect → fit → plan → report, from whatever has been measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2scaling.costs import sample_flops
from t2scaling.errors import DataError, FitError
from t2scaling.foreign import read_json
from t2scaling.testbed.study.manifest import write_manifest

if TYPE_CHECKING:
    from t2scaling.allocate import Plan
    from t2scaling.laws import FitResult
    from t2scaling.observations import Observations
    from t2scaling.testbed.study.jobs import Study


@dataclass(frozen=True)
class Finished:
    """What was put together; a part that could not be made is None, and `problems` says why."""

    observations: Path
    manifest: Path
    fits: dict[str, FitResult]
    plan: Plan | None
    report: Path | None
    results: Path | None
    problems: tuple[str, ...]

    def paths(self) -> list[Path]:
        """The files for people and for the next command."""
        return [path for path in (self.observations, self.results, self.report) if path is not None]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: paths, the plan, and what went wrong."""
        return {
            "observations": self.observations,
            "manifest": self.manifest,
            "fits": {law: fit.to_dict()["law"] for law, fit in self.fits.items()},
            "plan": self.plan.to_dict() if self.plan else None,
            "report": self.report,
            "results": self.results,
            "problems": list(self.problems),
        }


def finish(study: Study, tell: Callable[[str], None]) -> Finished | None:
    """Collect the measurements, fit the laws, plan and report. None where nothing has been measured.

    A law that cannot be fitted is left out and named in `problems`.
    """
    from t2scaling.observations import collect

    layout, config = study.layout, study.config
    if not any(layout.evals.glob("*/*.parquet")):
        return None
    observations = collect(layout.evals, layout.observations)
    verdicts = [read_json(layout.verdict)] if layout.verdict.is_file() else []
    facts = {"name": config.name, "seed": study.suite.seed, "verdicts": verdicts}
    write_manifest(layout.manifest, layout.runs, layout.observations, facts)
    tell(f"collected {len(observations.runs)} runs into {layout.observations}")
    problems: list[str] = []
    fits = _fit(study, observations, problems)
    plan = _plan(study, fits, problems)
    report = _report(study, fits, plan, observations, problems) if config.report and plan else None
    results = _results(study, observations, problems) if config.report else None
    return Finished(layout.observations, layout.manifest, fits, plan, report, results, tuple(problems))


def _fit(study: Study, observations: Observations, problems: list[str]) -> dict[str, FitResult]:
    from t2scaling.laws import fit

    given = study.config.fit
    fits: dict[str, FitResult] = {}
    for law in given.laws:
        try:
            fits[law] = fit(
                observations,
                law=law,
                task=given.task,
                inference_flops=given.inference_flops,
                bootstrap=given.bootstrap,
                seed=study.config.seed,
            )
        except (DataError, FitError, ValueError) as error:
            problems.append(f"`fit.laws`: {law}: {error}")
            continue
        fits[law].save(study.layout.fit(law, main=law == given.laws[0]))
    return fits


def _plan(study: Study, fits: dict[str, FitResult], problems: list[str]) -> Plan | None:
    from t2scaling.allocate import plan

    given, law = study.config.plan, study.config.fit.laws[0]
    if law not in fits:
        return None
    largest = max(study.suite.cells, key=lambda cell: cell.n_params)
    budget = given.train_flops or 10 * max(cell.level for cell in study.suite.cells)
    one_sample = float(sample_flops(largest.n_params, 1))
    serving = (given.inference_flops or one_sample) if fits[law].law.samples else None
    try:
        made = plan(fits[law], train_flops=budget, inference_flops=serving)
    except ValueError as error:
        problems.append(f"`plan`: {error}")
        return None
    made.save(study.layout.plan)
    return made


def _report(
    study: Study, fits: dict[str, FitResult], plan: Plan, observations: Observations, problems: list[str]
) -> Path | None:
    from t2scaling.report import report

    main = study.config.fit.laws[0]
    others = [fit for law, fit in fits.items() if law != main]
    try:
        return report(fits[main], plan, path=study.layout.report, extra_fits=others, observations=observations)
    except (DataError, ValueError) as error:
        problems.append(f"`report`: {error}")
        return None


def _results(study: Study, observations: Observations, problems: list[str]) -> Path | None:
    from t2scaling.report.results import write_results

    manifest = read_json(study.layout.manifest)
    try:
        return write_results(
            observations,
            study.layout.results,
            inference_flops=study.config.plan.inference_flops,
            manifest=manifest,
            seed=study.config.seed,
        )
    except (DataError, FitError, ValueError) as error:
        problems.append(f"results.md: {error}")
        return None
