"""JSON, JSON lines and YAML, with limits that hold before a parser sees the text.

Both formats can be small and yet cost much: 10 kB of `[` overflow a parser's stack, `[[],[],…` takes twenty times its
size in memory, YAML's aliases multiply. So depth and the number of values are bounded by counting brackets and commas
first, which costs a tenth of the parsing. NaN and Infinity are read as Python writes them; a model or a column says
whether it takes them. A key that stands twice in an object is refused: readers differ in which one they take.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NoReturn

from t2scaling.errors import DataError, T2Error
from t2scaling.foreign.names import short

DEEPEST = 200
MOST_BYTES = 256 << 20
MOST_VALUES = 8_000_000  # of one JSON document; Python takes about 100 bytes for each
MOST_YAML = 4 << 20

Refuse = Callable[[str], T2Error]

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_STEP = [1 if code in b"[{" else -1 for code in range(256)]


def read_text(path: str | Path, most: int = MOST_BYTES, error: type[T2Error] = DataError) -> str:
    """The text of a UTF-8 file (a byte order mark is left out).

    Raises `error` for a file that is larger than `most` bytes, or is not UTF-8, naming the line; OSError where it
    cannot be read.
    """
    return decode(_read(Path(path), most, error), f"`{path}`", error)


def decode(content: bytes, where: str, error: type[T2Error] = DataError) -> str:
    """UTF-8 bytes as text. Raises `error` naming the line and the byte that is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as found:
        line = content.count(b"\n", 0, found.start) + 1
        other = "UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "not UTF-8"
        raise error(
            f"{where}, line {line} is {other} text (byte 0x{content[found.start]:02x} at {found.start:,}): save it as "
            "UTF-8 and try again."
        ) from None


def read_json(path: str | Path, error: type[T2Error] = DataError, way_out: str = "Write or copy it again.") -> Any:
    """The content of a JSON file. Raises `error`, naming file and line, for whatever is no bounded JSON."""
    return parse_json(_read(Path(path), MOST_BYTES, error), f"`{path}`", error, way_out)


def parse_json(
    content: bytes, where: str, error: type[T2Error] = DataError, way_out: str = "Write or copy it again."
) -> Any:
    """The structure that UTF-8 bytes of JSON describe.

    where     how an error calls the text: "`runs.json`", or "`a.eval`: header.json"
    way_out   the end of that error
    Raises `error` for text that is no JSON, deeper than 200, larger than 256 MiB or 8 million values, or not UTF-8;
    for a key that stands twice in one object, half a surrogate pair, and a number of 1e100 or more.
    """

    def refuse(reason: str) -> T2Error:
        return error(f"{where} {reason.rstrip('.')}. {way_out}")

    check_bounds(content, refuse)
    text = decode(content, where, error)
    try:
        value = json.loads(text, object_pairs_hook=_no_key_twice, parse_int=_bounded_int, parse_float=_bounded)
    except json.JSONDecodeError as found:
        line = f"line {found.lineno}, " if b"\n" in content.rstrip() else ""
        raise refuse(f"is not JSON ({found.msg} in {line}column {found.colno})") from None
    except (ValueError, RecursionError) as found:
        raise refuse(f"cannot be read: {found}") from None
    if HALF_PAIR.search(content) and (half := _half_pair(value)):
        raise refuse(f"holds half a surrogate pair, which is no character: {short(half)}")
    return value


def check_bounds(content: bytes, refuse: Refuse) -> None:
    """Raise what `refuse` makes of the reason where JSON is too large, too deep or of too many values."""
    if len(content) > MOST_BYTES:
        raise refuse(f"is larger than {MOST_BYTES >> 20} MiB, the most that is read of one JSON text")
    openers = content.count(b"[") + content.count(b"{")
    if content.count(b",") + openers > MOST_VALUES:
        raise refuse(f"holds more than {MOST_VALUES:,} values, the most that is read of one JSON text")
    if openers > DEEPEST and depth(content) > DEEPEST:
        raise refuse(f"is nested more than {DEEPEST} deep")


def depth(content: bytes) -> int:
    """How deep the brackets of JSON text are nested, those in strings aside."""
    brackets = _STRING.sub(b"", content).translate(None, _NO_BRACKET)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {short(twice)} stands twice in one object")
    return found


def _bounded_int(digits: str) -> int:
    if len(digits) > 100:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def _bounded(number: str) -> float:
    value = float(number)
    if abs(value) >= 1e100:  # products of three of what remains are finite
        raise ValueError(f"it holds the number {short(number)}, which is larger than anything measured")
    return value


def _half_pair(value: Any) -> str | None:
    """A text within `value` that cannot be written as UTF-8, if there is one."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
            return item
    return None


def read_jsonl_rows(path: str | Path, error: type[T2Error] = DataError) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, row) of each line of JSON lines that is not blank. Raises like `parse_json_line`."""
    path = Path(path)
    with _open(path, error) as file:
        number = 0
        while line := file.readline(MOST_BYTES + 1):
            number += 1
            if row := parse_json_line(line, path, number, error):
                yield number, row


def parse_json_line(line: bytes, path: Path, number: int, error: type[T2Error] = DataError) -> dict[str, Any]:
    """One line of JSON lines as a row (empty for a blank line). Raises `error` naming file and line otherwise."""
    if not line.strip():
        return {}
    cut = "" if line.endswith(b"\n") else "If the file ends in the middle of this line, it is truncated. "
    row = parse_json(line, f"`{path}`, line {number}", error, f"{cut}Write or copy the file again.")
    if not isinstance(row, dict):
        raise error(f"`{path}`, line {number} is {short(row)}, no object: every line should be one row in {{…}}.")
    return row


def read_yaml(path: str | Path, error: type[T2Error] = DataError) -> Any:
    """The content of a YAML file. Raises `error`, naming file and line, for whatever is no bounded YAML.

    Refused are aliases (`*name`), which can multiply, tags that make other things than plain data, keys that stand
    twice, nesting deeper than 200 and files over 4 MiB.
    """
    import yaml

    def refuse(reason: str, mark: Any = None) -> NoReturn:
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise error(f"`{path}`{line} {reason.rstrip('.')}. Correct the file and try again.") from None

    text = read_text(path, MOST_YAML, error)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, loader), refuse)
        opened = loader(text)
        node = opened.get_single_node()
        _check_nodes(node, refuse)
        content = opened.construct_document(node) if node is not None else None
    except T2Error:  # of `refuse`; some of them are ValueErrors
        raise
    except yaml.YAMLError as found:
        refuse(f"is not YAML: {getattr(found, 'problem', None) or found}", getattr(found, "problem_mark", None))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError) as found:
        refuse(f"holds a value that is none of YAML's plain ones: {short(str(found))}")
    if half := _half_pair(content):
        refuse(f"holds half a surrogate pair, which is no character: {short(half)}")
    return content


def _check_events(events: Any, refuse: Callable[..., NoReturn]) -> None:
    """Refuse aliases and depth on the parser's events, before anything is built from them."""
    import yaml

    level = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            refuse(
                "uses one of YAML's aliases (`*name`), which are not read here: write the value out", event.start_mark
            )
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > DEEPEST:
            refuse(f"is nested more than {DEEPEST} deep", event.start_mark)


def _check_nodes(node: Any, refuse: Callable[..., NoReturn]) -> None:
    """Refuse a key that stands twice in one mapping, and numbers beyond all bounds."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if not isinstance(getattr(item, "value", None), list):
            if len(getattr(item, "value", "")) > 100 and item.tag.endswith(":int"):
                refuse(f"holds a number of {len(item.value):,} digits", item.start_mark)
            continue
        if isinstance(item.value[0] if item.value else None, tuple):
            seen: set[tuple[str, Any]] = set()
            for key, value in item.value:
                name = (key.tag, key.value if isinstance(key.value, str) else id(key))
                if name in seen:
                    refuse(f"has the key {short(key.value)} twice", key.start_mark)
                seen.add(name)
                waiting += [key, value]
        else:
            waiting += item.value


def _read(path: Path, most: int, error: type[T2Error]) -> bytes:
    with _open(path, error) as file:
        content: bytes = file.read(most + 1)
    if len(content) > most:
        raise error(f"`{path}` is larger than {most >> 20} MiB, the most that is read of such a file: split it.")
    return content


def _open(path: Path, error: type[T2Error]) -> Any:
    """The file opened for reading; a folder, a pipe or a device is refused, since reading one may never end."""
    if path.exists() and not path.is_file():
        raise error(f"`{path}` is {'a folder' if path.is_dir() else 'no plain file'}: give a file.")
    return path.open("rb")
