"""Second readers, with Python's csv and json, pyarrow and zipfile: what an accepted input says, read independently.

Each returns a sentence on the first difference, or None. What a witness does not understand (`7B`, a spoilt file) it
does not judge.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from originals import finite
from zstandard import ZstdError

DAMAGED = (zipfile.BadZipFile, zlib.error, ZstdError, EOFError, RuntimeError)
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
KEYS = ("run_id", "stage", "task", "question_id")
NUMBERS = (
    "n_params",
    "n_tokens",
    "nll",
    "n_samples",
    "n_correct",
    "seed",
    "train_flops",
    "nll_tokens",
    "unique_tokens",
)


def table(observations: Any, rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Rows of a canonical table, with values as text or as numbers."""
    found = {_key(row): row for row in observations.frame().to_dicts()}
    given = [row for row in rows if any(value not in (None, "") for value in row.values())]
    if len(found) != len(given):
        return f"{len(found)} rows were read, {len(given)} are there"
    for row in given:
        named = {"stage": "base", **{name: row[name] for name in KEYS if row.get(name) not in (None, "")}}
        if not all(isinstance(named.get(key), str) for key in KEYS):
            continue
        named["stage"] = named["stage"].lower()
        read = found.get(_key(named))
        if read is None:
            return f"the row {named} is missing"
        for name in NUMBERS:
            value = _number(row.get(name))
            if value is not None and name in read and not _same(read[name], value):
                return f"`{name}` of {named} is {value!r}, {read[name]!r} was read"
    return None


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a row is about, without white space at the ends; question ids that are one number in two spellings are one
    question, runs and tasks are called what they are called.
    """
    *names, question = (str(row[key]).strip() for key in KEYS)
    number = re.fullmatch(r"[+-]?\d{1,15}(\.0*)?", question)
    return (*names, str(int(float(question))) if number else question)


def _number(value: Any) -> float | int | None:
    if isinstance(value, str):
        text = value.strip()
        return float(text) if PLAIN.fullmatch(text) else None
    return value if finite(value) else None


def _same(read: Any, given: float) -> bool:
    return read is not None and (read == given or abs(read - given) <= 1e-12 * abs(given))


def csv_rows(path: Path, separator: str) -> list[dict[str, Any]] | None:
    """Rows as Python's csv module reads them; None where it does not, or the header names a column twice."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row]
    except (csv.Error, UnicodeDecodeError):
        return None
    if not rows:
        return None
    header = rows[0]
    if len(set(header)) < len(header) or any(len(row) != len(header) for row in rows):
        return None
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def jsonl_rows(path: Path) -> list[dict[str, Any]] | None:
    """Rows as Python's json module reads them."""
    try:
        return [json.loads(line) for line in path.read_bytes().decode().split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None


def parquet_rows(path: Path) -> list[dict[str, Any]] | None:
    """Rows as pyarrow reads them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError, ValueError, NotImplementedError):
        return None
    return found


def lm_eval(observations: Any, path: Path, kind: str) -> str | None:
    """Outcomes of a samples file, computed by hand."""
    rows = jsonl_rows(path)
    if not rows:
        return None
    read = {row["question_id"]: row for row in observations.outcomes.to_dicts()}
    for row in rows:
        if row.get("filter") != rows[0].get("filter") or type(row.get("doc_id")) is not int:
            continue
        outcome = read.get(str(row["doc_id"]))
        if outcome is None:
            return f"question {row['doc_id']} is missing"
        try:
            wanted = _lm_eval_outcomes(row, kind)
        except (LookupError, TypeError, ValueError, AttributeError):
            continue
        if wanted and not any(all(_same(outcome[name], one[name]) for name in one) for one in wanted):
            return f"question {row['doc_id']} says {wanted}, {outcome} was read"
    return None


def _lm_eval_outcomes(row: Mapping[str, Any], kind: str) -> list[dict[str, float]]:
    """What a row may be taken to say: several readings where its gold choice is ambiguous, none where it is odd."""
    if kind == "loglikelihood":
        return [{"nll": -float(row["resps"][0][0][0])}]
    if kind == "multiple_choice":
        logps = [float(choice[0][0]) for choice in row["resps"]]
        texts = [row["arguments"][f"gen_args_{i}"]["arg_1"].strip() for i in range(len(logps))]
        golds = [int(row["target"])] if row["target"].isdecimal() else []
        golds += [i for i, text in enumerate(texts) if text == row["target"].strip()]
        readings = [{"nll": -logps[gold]} for gold in golds if 0 <= gold < len(logps)]
        return [*readings, *({"nll": -logp} for logp in logps if row.get("acc") != 0.0 or len(logps) == 2)]
    responses, target = row["resps"][0], row["target"]
    if not all(isinstance(text, str) for text in [*responses, target]) or target.strip().startswith("["):
        return []
    if {"n_samples", "n_correct", "pass@1"} & set(row) or row["filtered_resps"][:1] != responses[:1]:
        return []
    if len(responses) < 2:
        return []
    right = sum(text.strip() == target.strip() for text in responses)
    return [{"n_samples": len(responses), "n_correct": right}]


def inspect(observations: Any, path: Path) -> str | None:
    """Counts of an .eval log, from its summaries."""
    try:
        with zipfile.ZipFile(path) as archive:
            samples = json.loads(archive.read("summaries.json"))
        counts: dict[str, list[int]] = {}
        for sample in samples:
            value = sample["scores"]["match"]["value"]
            if value not in ("C", "I") or len(sample["scores"]) > 1:
                return None
            n = counts.setdefault(str(sample["id"]), [0, 0])
            n[0] += 1
            n[1] += value == "C"
        if len({sample.get("uuid", id(sample)) for sample in samples}) < len(samples):
            return None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError, *DAMAGED):
        return None
    read = {row["question_id"]: [row["n_samples"], row["n_correct"]] for row in observations.outcomes.to_dicts()}
    return None if read == counts else f"the log says {counts}, {read} was read"


def manifest(observations: Any, rules: Any, known: Mapping[str, str]) -> str | None:
    """N of the runs, by rules whose expressions are among the `known` ones."""
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        return None
    read = dict(observations.runs.select("run_id", "n_params").iter_rows())
    for run, value in read.items():
        for rule in rules:
            if (rule.get("match") and rule["match"] not in known) or "name" in rule:
                return None
            applies = re.search(rule["match"], run) if rule.get("match") else str(rule.get("run_id")) == run
            wanted = _number(rule.get("n_params"))
            if applies and rule.get("n_params") not in (None, ""):
                if wanted is not None and not _same(value, wanted):
                    return f"N of {run} is {wanted!r}, {value!r} was read"
                break
    return None


def values(read: Mapping[str, Any], given: Any) -> str | None:
    """Numbers at dotted paths of a structure, against what was read."""
    for path, value in read.items():
        item = given
        for part in path.split("."):
            if isinstance(item, list) and part.isdecimal() and int(part) < len(item):
                item = item[int(part)]
            elif isinstance(item, dict) and part in item:
                item = item[part]
            else:
                item = None
        wanted = _number(item)
        if wanted is not None and not _same(value, wanted):
            return f"`{path}` is {wanted!r}, {value!r} was read"
    return None
