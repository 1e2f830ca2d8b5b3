"""A user's own function, given as `module:function` or `path/to/file.py:function`."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from t2scaling.errors import DataError


def load_function(spec: str, argument: str) -> Callable[..., Any]:
    """The function that `spec` names; a module beside the data is found as `python -m` would find it.

    argument  how the caller typed the option, for the error
    Raises DataError where there is no such module or function. What the module itself raises is its own.
    """
    source, _, name = spec.rpartition(":")
    if not source or not name:
        raise DataError(f"`{argument}` = {spec!r}: write module:function or file.py:function.")
    module = _file(source, spec, argument) if source.endswith(".py") else _module(source, spec, argument)
    function = getattr(module, name, None)
    if not callable(function):
        near = get_close_matches(name, [known for known in vars(module) if callable(getattr(module, known))], n=1)
        hint = f"; did you mean `{near[0]}`?" if near else "."
        raise DataError(f"`{argument}` = {spec!r}: `{source}` has no function `{name}`{hint}")
    return function


def _file(source: str, spec: str, argument: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(Path(source).stem, source)
    if found is None or found.loader is None or not Path(source).is_file():
        raise DataError(f"`{argument}` = {spec!r}: there is no file `{source}`.")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _module(source: str, spec: str, argument: str) -> ModuleType:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(source)
    except ImportError as error:
        raise DataError(
            f"`{argument}` = {spec!r} cannot be imported ({error}): install the module, or give its file: "
            "path/to/file.py:function."
        ) from None
    finally:
        sys.path.remove(here)
