"""From fits and a plan to figures and one self-contained HTML page. Depends on `laws` and `allocate`.

`report` writes the page; `report.figures` has each figure as a function that returns a matplotlib Figure.
"""

from t2scaling.report.page import report

__all__ = ["report"]
