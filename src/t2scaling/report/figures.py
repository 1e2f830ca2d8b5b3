"""Every figure of the report, as functions that return a matplotlib Figure (nothing is shown or saved).

isoflop_profiles    metric against N per training budget, with both frontiers   (the paper's Figure 3)
forecast            D/N, N and D over training FLOPs                             (Figure 2)
predicted_observed  agreement, with the error on overtrained runs                (Figure 4)
stages              profiles before and after post-training                      (Figure 5)
task_profiles       profiles by task and inference budget                        (Figures 6 and 7)
checkpoint_grid     which runs there are                                         (Figure 8)
residuals           what the law misses, against N, D/N and k
coverage            pass@k against k per model
"""

from t2scaling.report.fit_quality import predicted_observed, residuals
from t2scaling.report.forecast import forecast
from t2scaling.report.isoflop import isoflop_profiles, stages, task_profiles
from t2scaling.report.style import save, svg
from t2scaling.report.suite_figures import checkpoint_grid, coverage

__all__ = [
    "checkpoint_grid",
    "coverage",
    "forecast",
    "isoflop_profiles",
    "predicted_observed",
    "residuals",
    "save",
    "stages",
    "svg",
    "task_profiles",
]
