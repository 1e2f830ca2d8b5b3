"""plan.json read back: which files are one, and how its numbers are read.

`Plan` and its parts say by their annotations what each field may hold, and pydantic holds a file to them; a number
that does not exist is null there and NaN here.
"""

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from t2scaling.errors import DataError
from t2scaling.foreign import read_json

FORMAT = "t2scaling/plan/2"
WAY_OUT = "Write it anew with `t2 plan … -o plan.json`."


def _nan(value: Any) -> Any:
    return math.nan if value is None else value


def _unbounded(value: Any) -> Any:
    return math.inf if value is None else value


def _size(value: float) -> float:
    if not 1e-30 < value < 1e30 and not math.isnan(value):
        raise ValueError(f"{value:g} is no number of parameters or tokens")
    return value


def _distance(value: float) -> float:
    if not 0 <= value <= 700 and not math.isnan(value):
        raise ValueError(f"{value:g} is no distance between 0 and 700")
    return value


Number = Annotated[float, BeforeValidator(_nan)]
Size = Annotated[Number, AfterValidator(_size)]
Distance = Annotated[Number, AfterValidator(_distance)]
Reach = Annotated[float, BeforeValidator(_unbounded)]


def read_plan(path: str | Path) -> dict[str, Any]:
    """The content of plan.json. Raises DataError for any other file, with the command that makes it anew."""
    content = read_json(path, DataError, "Write one with `t2 plan … -o plan.json`.")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"`{path}` {_what(content)}: make it anew with `{_command(content)}`.")
    return content


def _what(content: Any) -> str:
    if isinstance(content, dict) and "optimum" in content and "format" not in content:
        return "is a plan of version 0.1.0, which kept neither its limits nor how it stands"
    return "is not a plan.json"


def _command(content: Any) -> str:
    """The command that makes an old plan anew, as far as it kept its budget."""
    options = ["train_flops", "inference_flops", "total_flops", "tokens_served"]
    given = {name: content.get(name) for name in options} if isinstance(content, dict) else {}
    words = [
        f"--{name.replace('_', '-')} {value:g}"
        for name, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return " ".join(["t2 plan fit.json", *(words or ["…"]), "-o plan.json"])
