"""Contents held to a pydantic model, and artefacts of this package read back."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from t2scaling.errors import DataError, T2Error
from t2scaling.foreign.names import short, shown
from t2scaling.foreign.text import read_json

Model = TypeVar("Model", bound=BaseModel)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError("it should be text, a number, or true or false")


# A value as it stands in a YAML or CSV file, whose meaning is settled later.
Scalar = Annotated[Any, BeforeValidator(_plain)]


class Strict(BaseModel):
    """A base for models of files whose keys are all ours: an unknown key and a number that is not finite are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def validate(
    model: type[Model],
    content: Any,
    where: str,
    error: type[T2Error] = DataError,
    way_out: str = "Correct it there and try again.",
) -> Model:
    """`content` as an instance of `model`.

    where    how an error calls the content: "`study.yaml`", or "`a.eval`: header.json"
    way_out  the end of that error
    Raises `error` in one paragraph with the first three things that do not fit, each with its key path and value.
    """
    try:
        return model.model_validate(content)
    except ValidationError as found:
        items = found.errors(include_url=False, include_context=False)
        more = f" (and {len(items) - 3} more)" if len(items) > 3 else ""
        said = "; ".join(_sentence(item, model) for item in items[:3])
        raise error(f"{where}: {said}{more}. {way_out}") from None
    except RecursionError:
        raise error(f"{where} refers to itself. {way_out}") from None


def _sentence(item: Any, model: type[BaseModel]) -> str:
    """One of pydantic's errors in words."""
    place = shown(".".join(str(part) for part in item["loc"]), 80)
    reason = item["msg"].removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
    if item["type"] == "missing":
        return f"`{place}` is missing"
    if item["type"] == "extra_forbidden":
        near = get_close_matches(str(item["loc"][-1]), _keys_at(model, item["loc"][:-1]), n=1, cutoff=0.5)
        return f"`{place}` is not known{f' (did you mean `{near[0]}`?)' if near else ''}"
    if item["type"] == "model_type":
        reason = "it should be an object with keys"
    if item["type"] == "value_error" and "`" in reason:  # a sentence of ours, which names the key itself
        return reason
    if not place:
        return reason if item["type"] == "value_error" else f"it holds {short(item['input'])}: {reason}"
    return f"`{place}` is {short(item['input'])}: {reason}"


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Names of the fields of the model that stands at `path`, as far as models lead there."""
    for part in path:
        if not isinstance(part, str):
            continue
        kind = model.model_fields[part].annotation if part in model.model_fields else None
        inner = next((one for one in (kind, *getattr(kind, "__args__", ())) if _is_model(one)), None)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def read_artefact(
    path: str | Path, model: type[Model], format: str, made_by: str, error: type[T2Error] = DataError
) -> Model:
    """An artefact that this package wrote, such as fit.json.

    format   the tag that its key `format` bears, name and version, such as "t2scaling/fit/2"
    made_by  the command that makes it: "t2 fit … -o fit.json"
    Raises `error` for a file that is no such artefact, is one of another version, or is damaged; OSError where it
    cannot be read. `model` need not declare `format`.
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
    if "format" not in model.model_fields:
        content = {key: value for key, value in content.items() if key != "format"}
    return validate(model, content, f"`{path}` is damaged", error, way_out)
