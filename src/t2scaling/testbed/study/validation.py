"""The step `validate` of a study: write the forecast and stop; started again, train its cells and judge it.

forecast.json             written once, from the suite's measurements, before any of its cells is trained
validation/               the cells' own small study: suite.json, runs, evals, observations.parquet
validation/verdict.json   predicted beside measured, for each point
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2scaling.artefacts import write_json
from t2scaling.testbed.study.config import PosttrainSection, ValidateSection
from t2scaling.testbed.study.forecast import Forecast, fitted_to, judge, make
from t2scaling.testbed.study.jobs import Study
from t2scaling.testbed.study.layout import Layout


def write_forecast(study: Study, section: ValidateSection, tell: Callable[[str], None]) -> None:
    """Make and write the forecast of a study whose cells are measured."""
    from t2scaling.observations import read

    path = study.layout.observations
    forecast = make(read(path), path, study.suite, section)
    forecast.save(study.layout.forecast)
    runs = len(forecast.cells().cells)
    tell(f"wrote {study.layout.forecast}: keep it under version control, then start again to train its {runs} runs")


def of_forecast(study: Study) -> Study:
    """The study of the forecast's cells, in a folder of its own that shares text and questions."""
    layout = Layout(study.layout.validation)
    layout.root.mkdir(exist_ok=True)
    for shared in ("corpus", "tasks"):
        if not (layout.root / shared).exists():
            (layout.root / shared).symlink_to(Path("..") / shared)
    suite = Forecast.load(study.layout.forecast).cells()
    suite.save(layout.suite)
    config = study.config.model_copy(update={"posttrain": PosttrainSection(), "validation": None})
    return Study(config, suite, layout)


def write_verdict(study: Study, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Collect the measurements of the forecast's cells and put them beside the predictions."""
    from t2scaling.observations import collect

    own, forecast = of_forecast(study), Forecast.load(study.layout.forecast)
    rows = judge(forecast, collect(own.layout.evals, own.layout.observations))
    write_json(study.layout.verdict, {"fitted_to": fitted_to(forecast, study.suite), "points": rows})
    tell(f"wrote {study.layout.verdict}")
    return rows
