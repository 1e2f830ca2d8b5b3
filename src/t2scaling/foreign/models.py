"""Contents held to a pydantic model, and artefacts of this package read back."""

import dataclasses
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, TypeAdapter, ValidationError, validate_call
from pydantic_core import PydanticCustomError

from t2scaling.errors import DataError, T2Error
from t2scaling.foreign.names import short, shown
from t2scaling.foreign.text import read_json

T = TypeVar("T")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise PydanticCustomError("scalar", "it should be text, a number, or true or false")


# A value as it stands in a YAML or CSV file, whose meaning is settled later.
Scalar = Annotated[Any, BeforeValidator(_plain)]


def _floats(value: Any) -> Any:
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        array = np.array(np.inf)
    if np.isinf(array).any():
        raise PydanticCustomError("floats", "it should hold finite numbers or null, all rows of one length")
    return array


# An array of any shape as lists of numbers, null being NaN.
Floats = Annotated[NDArray[np.float64], PlainValidator(_floats)]


class Strict(BaseModel):
    """A base for models of files whose keys are all ours: an unknown key and a number that is not finite are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def validate(
    kind: type[T],
    content: Any,
    where: str,
    error: type[T2Error] = DataError,
    way_out: str = "Correct it there and try again.",
) -> T:
    """`content` as an instance of `kind`: a pydantic model, a dataclass, or a type such as list[Model].

    where    how an error calls the content: "`study.yaml`", or "`a.eval`: header.json"
    way_out  the end of that error
    Raises `error` in one paragraph with the first three things that do not fit, each with its key path and value.
    """
    adapter: Any = _adapter
    try:
        checked: T = adapter(kind).validate_python(content)
    except ValidationError as found:
        items = found.errors(include_url=False, include_context=False)
        more = f" (and {len(items) - 3} more)" if len(items) > 3 else ""
        said = "; ".join(_sentence(item, kind) for item in items[:3])
        raise error(f"{where}: {said}{more}. {way_out}") from None
    except RecursionError:
        raise error(f"{where} refers to itself. {way_out}") from None
    return checked


def call(function: Callable[..., T], arguments: dict[str, Any], where: str, error: type[T2Error] = DataError) -> T:
    """`function(**arguments)`, with arguments of the types that it declares. Raises `error` as `validate` does."""
    try:
        checked: Callable[..., T] = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(function)
        return checked(**arguments)
    except ValidationError as found:
        items = found.errors(include_url=False, include_context=False)
        raise error(f"{where}: {_sentence(items[0], None)}. Correct it there and try again.") from None


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _sentence(item: Any, kind: Any) -> str:
    """One of pydantic's errors in words."""
    place = shown(".".join(str(part) for part in item["loc"]), 80)
    reason = item["msg"].removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
    if item["type"] == "missing":
        return f"`{place}` is missing"
    if item["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        near = get_close_matches(str(item["loc"][-1]), _keys_at(kind, item["loc"][:-1]), n=1, cutoff=0.5)
        return f"`{place}` is not known{f' (did you mean `{near[0]}`?)' if near else ''}"
    if item["type"] == "value_error":  # a sentence of ours, which names the value itself
        return f"`{place}`: {shown(reason)}" if place else shown(reason)
    if item["type"] in ("model_type", "dataclass_type"):
        reason = "it should be an object with keys"
    return f"`{place}` is {short(item['input'])}: {reason}" if place else f"it holds {short(item['input'])}: {reason}"


def _keys_at(kind: Any, path: tuple[Any, ...]) -> list[str]:
    """Names of the fields of the model or dataclass that stands at `path`, as far as they lead there."""
    fields = _fields(kind)
    for part in path:
        if isinstance(part, str):
            kind = fields.get(part)
            fields = next((found for one in (kind, *getattr(kind, "__args__", ())) if (found := _fields(one))), {})
    return list(fields)


def _fields(kind: Any) -> dict[str, Any]:
    """Name → type of the fields of a model or a dataclass; empty for anything else."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return get_type_hints(kind)
    return {}


def read_artefact(path: str | Path, kind: type[T], format: str, made_by: str, error: type[T2Error] = DataError) -> T:
    """An artefact that this package wrote, such as fit.json.

    format   the tag that its key `format` bears, name and version, such as "t2scaling/fit/2"
    made_by  the command that makes it: "t2 fit … -o fit.json"
    Raises `error` for a file that is no such artefact, is one of another version, or is damaged; OSError where it
    cannot be read. `kind` need not declare `format`.
    """
    way_out = f"Make it anew with `{made_by}`."
    content = read_json(path, error, way_out)
    name, _, version = format.rpartition("/")
    if not isinstance(content, dict) or not isinstance(content.get("format"), str):
        raise error(f"`{path}` is no {name.rpartition('/')[2]}.json: it has no `format`. {way_out}")
    if content["format"] != format:
        same = content["format"].rpartition("/")[0] == name
        reason = f"this version of t2 reads version {version}" if same else f"{short(format)} is wanted"
        raise error(f"`{path}` has `format` {short(content['format'])}: {reason}. {way_out}")
    if "format" not in _fields(kind):
        content = {key: value for key, value in content.items() if key != "format"}
    return validate(kind, content, f"`{path}` is damaged", error, way_out)
