"""The one boundary where structures that somebody else wrote come in: JSON, JSONL, YAML, Parquet, zip, and names.

Behind it a structure has a bounded depth and size, no key twice, text that can be written as UTF-8, and (after
`validate`) the types that a pydantic model declares. Whatever does not is refused in one paragraph that names the
file, the place in it and a way out: no other exception leaves these functions, and none of them runs for minutes
or takes gigabytes over a small file.

names     names that may become file names, and text that may be shown on a terminal
text      JSON, JSON lines and YAML
archive   members of a zip file
functions a user's own function
parquet   Parquet files
models    contents checked by pydantic models; artefacts of this package read back
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2scaling.foreign.archive import Archive, open_zip
    from t2scaling.foreign.functions import load_function
    from t2scaling.foreign.models import Strict, read_artefact, validate
    from t2scaling.foreign.names import safe_name, short, shown
    from t2scaling.foreign.parquet import check_parquet, guard_polars, parquet_json, read_parquet, scan_parquet
    from t2scaling.foreign.text import parse_json, parse_json_line, read_json, read_jsonl_rows, read_text, read_yaml

# Read when first asked for: `t2 --help` waits neither for pydantic, a fifth of a second, nor for the readers.
_HOLDS = {
    "archive": ("Archive", "open_zip"),
    "functions": ("load_function",),
    "models": ("Strict", "read_artefact", "validate"),
    "names": ("safe_name", "short", "shown"),
    "parquet": ("check_parquet", "guard_polars", "parquet_json", "read_parquet", "scan_parquet"),
    "text": ("parse_json", "parse_json_line", "read_json", "read_jsonl_rows", "read_text", "read_yaml"),
}
_MODULE = {name: module for module, names in _HOLDS.items() for name in names}

__all__ = [
    "Archive",
    "Strict",
    "check_parquet",
    "guard_polars",
    "load_function",
    "open_zip",
    "parquet_json",
    "parse_json",
    "parse_json_line",
    "read_artefact",
    "read_json",
    "read_jsonl_rows",
    "read_parquet",
    "read_text",
    "read_yaml",
    "safe_name",
    "scan_parquet",
    "short",
    "shown",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE[name]}"), name)
    return value
