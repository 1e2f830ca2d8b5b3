"""Seeded ways to spoil bytes, text, plain structures, Parquet and zip archives."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

import zipfile_zstd  # noqa: F401  (teaches zipfile method 93)

Rng = random.Random

TOKENS = (
    b"\x00", b"\xef\xbb\xbf", b"\xff", b"\x1b[2J", b"\xe2\x80\xa8", b"\r", b'"', b",", b";", b"\t", b"\n",
    b"\n\n", b"{",
    b"[", b"]", b"}", b":", b"null", b"NaN", b"-Infinity", b"1e999", b"3,91", b"1_000", b"0x10", b"7B",
    b"true", b"&a *a",
    b"*a", b"!!python/object:os.system {}", b"\\ud800", b"'", b"=1+1", b"\xc3\x28", b"%", b"../../x", b"\xed\xa0\x80",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "-0.0", "nan", "inf", "-inf", "1e308", "1e309", "5e-324", "9007199254740993",
    "18446744073709551616", "1.5",
    "3,91", "1,000", "1,00,0", "3_91", "7B", "2T", "0x", "0x10", "1e", "1e400", "٣", "½", "1.2.3", "true",
    "2026-01-02", "",
    " 4 ", "+5", ".5", "5.", "1e-400", "9" * 400, "--1", "1 2", "None", "1d", "3.91m", "20x",
)  # fmt: skip
COLUMNS = ("nll", "n_samples", "n_correct", "n_params", "stage", "seed", "train_flops", "nll_tokens", "k")
STORED = ('{"nll": "sum"}', "[1]", "{", "5", '{"nll": 3}', '{"n_params": "\\u001b"}', "[" * 900, '{"a": []}')
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400, 0.0, -0.0, 1.5, 1e308, 5e-324,
    float("nan"), float("inf"), float("-inf"), "", " ", "x", "nan", "7B", "3,91", "1,000", "\x00",
    "\x1b]0;owned\x07", "\u202e",
    "\ud800", "../../x", "/etc/passwd", "a" * 5000, "é", "{size:999999999}", "{size.__class__}", "(a+)+$", "[" * 50,
    [], {}, [[]], [None], {"a": 1}, [1, 2, 3], ["x"], {"": None}, "2026-01-02", "1e22", "20x", "inf",
)  # fmt: skip


def spoil_bytes(rng: Rng, content: bytes) -> bytes:
    """One to three small changes to bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice((1, 1, 2, 8, 64, 500)))
        change = rng.randrange(6)
        if change == 0 and content:
            at = min(at, len(content) - 1)
            content = content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
        elif change == 1:
            content = content[:at] + content[end:]
        elif change == 2:
            content = content[:at] + content[at:end] + content[at:]
        elif change == 3:
            content = content[:at] + rng.choice(TOKENS) + content[at:]
        elif change == 4:
            content = content[:at] + rng.randbytes(rng.choice((1, 4, 30))) + content[at:]
        else:
            content = content[:at]
    return content


def spoil_lines(rng: Rng, text: str, separator: str) -> str:
    """One change to the lines or cells of a text table."""
    lines = text.split("\n")
    row = rng.randrange(len(lines))
    cells = lines[row].split(separator)
    column = rng.randrange(len(cells))
    change = rng.randrange(9)
    if change < 4:
        cells[column] = rng.choice((*NUMBERS, "x", '"a', '"a\nb"', "\x1b[2J", "é", "\x00", "a" * 3000))
    elif change == 4:
        del cells[column]
    elif change == 5:
        cells.insert(column, rng.choice(NUMBERS))
    elif change == 6:
        lines.insert(rng.randrange(len(lines)), lines[row])
    elif change == 7:
        other = rng.randrange(len(cells))
        cells[column] = cells[other]
    else:
        rows = [line.split(separator) for line in lines if line]
        name = rng.choice(
            ("nll", "n_samples", "n_correct", "n_params", "stage", "seed", "train_flops", "nll_tokens", "k")
        )
        values = [name, *(rng.choice((*NUMBERS, "base", "3", "3")) for _ in rows[1:])]
        return "\n".join(separator.join([*cells, value]) for cells, value in zip(rows, values, strict=True)) + "\n"
    lines[row] = separator.join(cells)
    return "\n".join(lines)


def spoil_structure(rng: Rng, content: Any) -> Any:
    """One or two changes to a copy of plain lists and dicts."""
    content = copy.deepcopy(content)
    for _ in range(rng.choice((1, 1, 1, 2))):
        places = list(_places(content))
        if not places:
            return rng.choice(HOSTILE)
        parent, key = rng.choice(places)
        change = rng.randrange(8)
        if change < 4:
            parent[key] = copy.deepcopy(rng.choice(HOSTILE))
        elif change == 4:
            del parent[key]
        elif change == 5:
            parent[key] = [parent[key]]
        elif change == 6 and isinstance(parent, dict):
            parent[rng.choice((f"{key}s", key.upper(), key[1:], "\x1b", "n_params", "format", "run_id"))] = parent.pop(
                key
            )
        elif change == 6:
            parent.append(parent[key])
        else:
            for _ in range(rng.choice((50, 150, 250, 900))):
                parent[key] = rng.choice(([parent[key]], {"a": parent[key]}))
    return content if rng.random() < 0.98 else rng.choice(HOSTILE)


def _places(content: Any) -> Any:
    """(container, key) of every value within `content`."""
    waiting = [content]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else []
        for key in keys:
            yield item, key
            waiting.append(item[key])


def json_bytes(rng: Rng, content: Any) -> bytes:
    """JSON text in one of the styles that writers have; sometimes with a key twice."""
    try:
        text = json.dumps(content, ensure_ascii=rng.random() < 0.7, indent=rng.choice((None, None, 2)))
    except (RecursionError, ValueError):
        text = "[" * 2000 + "]" * 2000
    if rng.random() < 0.03 and '": ' in text:
        at = text.index('"')
        key = text[at : text.index('": ', at) + 3]
        text = text.replace(key, f"{key}{rng.choice(('1', 'null', '[]'))}, {key}", 1)
    return text.encode("utf-8", "surrogatepass")


def spoil_json(rng: Rng, content: Any) -> bytes:
    """JSON bytes of a spoilt structure, or spoilt bytes of a good one."""
    if rng.random() < 0.75:
        return json_bytes(rng, spoil_structure(rng, content))
    return spoil_bytes(rng, json_bytes(rng, content))


def spoil_jsonl(rng: Rng, rows: list[Any]) -> bytes:
    """The same for JSON lines."""
    lines = [json.dumps(row).encode() for row in rows]
    if rng.random() < 0.75:
        at = rng.randrange(len(rows))
        lines[at] = json_bytes(rng, spoil_structure(rng, rows[at])).replace(b"\n", b" ")
        return b"\n".join(lines) + b"\n"
    return spoil_bytes(rng, b"\n".join(lines) + b"\n")


def spoil_yaml(rng: Rng, content: Any) -> bytes:
    """YAML bytes of a spoilt structure, or spoilt bytes of a good one."""
    import yaml

    if rng.random() < 0.6:
        try:
            spoilt = spoil_structure(rng, content)
            return str(yaml.safe_dump(spoilt, allow_unicode=True, sort_keys=False)).encode("utf-8", "surrogatepass")
        except (RecursionError, yaml.YAMLError, ValueError):
            return b"[" * 500
    return spoil_bytes(rng, str(yaml.safe_dump(content, sort_keys=False)).encode())


def spoil_parquet(rng: Rng, rows: list[dict[str, Any]]) -> bytes:
    """Parquet bytes with a column of another type, odd metadata, or flipped bytes."""
    import polars as pl

    frame = pl.DataFrame(rows)
    metadata: dict[str, str] | None = None
    name = rng.choice(frame.columns)
    column = frame[name]
    changes: tuple[Callable[[], pl.Series], ...] = (
        lambda: pl.Series(name, [[value] for value in column.to_list()], strict=False),
        lambda: pl.Series(name, [{"a": value} for value in column.to_list()], strict=False),
        lambda: column.cast(pl.String),
        lambda: column.cast(pl.String).cast(pl.Categorical),
        lambda: column.cast(pl.String).cast(pl.Binary),
        lambda: column.cast(pl.Float32, strict=False),
        lambda: column.cast(pl.Int128, strict=False),
        lambda: column.cast(pl.Decimal(30, 3), strict=False),
        lambda: pl.Series(name, [None] * len(column)),
        lambda: pl.Series(name, [rng.choice((True, False, None)) for _ in column]),
        lambda: pl.Series(name, range(len(column))).cast(pl.Datetime),
        lambda: pl.Series(name, [rng.choice(NUMBERS) for _ in column]),
        lambda: pl.Series(name, [rng.choice((1.0, float("nan"), float("inf"), -1.0, 1e308)) for _ in column]),
        lambda: pl.Series(name, [rng.choice((2**63, 2**64 - 1, 1)) for _ in column], dtype=pl.UInt64),
    )
    if rng.random() < 0.6:
        frame = frame.with_columns(rng.choice(changes)().alias(name))
    if rng.random() < 0.2:
        frame = frame.rename({name: rng.choice(("x", "\x1b[2J", "n", "stage", "nll_unit", "n_params_convention", ""))})
    if rng.random() < 0.3:
        stored = rng.choice(
            ('{"nll": "sum"}', "[1]", "{", "5", '{"nll": 3}', '{"n_params": "\\u001b"}', "[" * 900, '{"a": []}')
        )
        metadata = {"t2scaling.conventions": stored}
    file = io.BytesIO()
    frame.write_parquet(file, metadata=metadata)
    content = file.getvalue()
    return spoil_bytes(rng, content) if rng.random() < 0.4 else content


def spoil_zip(rng: Rng, members: dict[str, Any]) -> bytes:
    """A zip archive with a spoilt member, directory or byte."""
    members = dict(members)
    names = list(members)
    change, name = rng.randrange(8), rng.choice(names)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression=rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93))) as archive:
        if change == 0:
            del members[name]
        for member, content in members.items():
            spoilt = spoil_json(rng, content) if change < 5 and member == name else json.dumps(content).encode()
            archive.writestr(member, spoilt)
        if change == 5:
            archive.writestr(rng.choice(("samples/q0_epoch_1.json", "_journal/summaries/x.json", "../../x")), b"[1]")
    content = bytearray(file.getvalue())
    if change == 6:  # the flag that says "encrypted", in the directory
        at = content.rfind(b"PK\x01\x02")
        content[at + 8] |= 1
    return spoil_bytes(rng, bytes(content)) if change == 7 else bytes(content)
