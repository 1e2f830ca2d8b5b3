"""From fits and a plan to figures and one self-contained HTML page. Depends on `laws` and `allocate`.

`report` writes the page; `report.figures` has each figure as a function that returns a matplotlib Figure;
`report.results` says what a suite shows. The package itself can be called: `t2.report(fit, plan, path=…)`.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from t2scaling.report.page import report

__all__ = ["report"]


class _Callable(ModuleType):
    """`t2scaling.report` names a package and a public function; it serves as both."""

    def __call__(self, *args: Any, **options: Any) -> Path:
        return report(*args, **options)


sys.modules[__name__].__class__ = _Callable
