"""The `runs` manifest: N, D and other facts about runs, for logs that do not carry them.

A manifest is a list of rules. A rule names one run (`run_id`) or any number of them (`match`, a regular expression
searched for in the run's name), and gives facts. A named group of the expression that bears the name of a fact is
that fact; any group may be used in a text value as {group}. For each fact of a run the first rule that has it
counts. Where a run has no `n_tokens`, D is its `step` × `tokens_per_step`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations.facts import FACTS, HELPERS, RunFacts, typed
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import nearest

SELECTORS = ("match", "run_id")
TOP_KEYS = ("runs", "tokens_per_step", "n_params_convention", "nll_unit")


@dataclass(frozen=True)
class Rule:
    """Facts for the runs whose name equals `run_id` or contains a match of `match`."""

    name: str
    match: re.Pattern[str] | None
    run_id: str | None
    values: Mapping[str, Any]

    def facts(self, run: str) -> dict[str, Any] | None:
        """Facts that the rule gives to a run; None where it does not speak of it."""
        if self.match is None:
            return dict(self.values) if run == self.run_id else None
        found = self.match.search(run)
        if found is None:
            return None
        groups = {name: text for name, text in found.groupdict().items() if text is not None}
        facts: dict[str, Any] = {name: text for name, text in groups.items() if name in FACTS}
        for name, value in self.values.items():
            facts[name] = self._fill(value, groups) if isinstance(value, str) else value
        return facts

    def _fill(self, text: str, groups: Mapping[str, str]) -> str:
        try:
            return text.format_map(groups)
        except (KeyError, IndexError, ValueError):
            raise DataError(
                f"`{text}` in {self.name} uses a group that `match` does not name: "
                f"it names {', '.join(groups) or 'none'}."
            ) from None


@dataclass(frozen=True)
class Manifest:
    """Rules, and what holds for all runs: tokens_per_step, the convention of n_params, the unit of nll."""

    rules: tuple[Rule, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    conventions: Mapping[str, str] = field(default_factory=dict)


def load_manifest(source: str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Manifest:
    """Read a manifest from a YAML or CSV file, or take it from the same structure in Python.

    Raises DataError for a file that cannot be read, a key that is not known (suggesting the nearest), a rule without
    `match` or `run_id`, and a regular expression that is none.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise DataError(f"the manifest `{path}` does not exist. Check the path given with --runs.")
        content = _read_csv(path) if path.suffix.lower() == ".csv" else _read_yaml(path)
        return _manifest(content, f"`{path}`")
    return _manifest(source, "`runs`")


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise DataError(
            f"the manifest `{path}`{line} is not YAML: {getattr(error, 'problem', None) or error}."
        ) from None


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        # An empty cell says nothing, and a surplus cell (key None) is caught as an unknown key.
        return [{str(key): cell for key, cell in row.items() if cell} for row in csv.DictReader(file)]


def _manifest(content: Any, where: str) -> Manifest:
    if not isinstance(content, Mapping):
        content = {"runs": content}
    _known_keys(content, TOP_KEYS, where)
    rules = content.get("runs") or []
    if (
        not isinstance(rules, Sequence)
        or isinstance(rules, str)
        or not all(isinstance(rule, Mapping) for rule in rules)
    ):
        raise DataError(f"`runs` of the manifest {where} should be a list of rules, each with `match` or `run_id`.")
    defaults = {"tokens_per_step": content["tokens_per_step"]} if "tokens_per_step" in content else {}
    conventions = {
        name: str(content[key])
        for key, name in (("n_params_convention", "n_params"), ("nll_unit", "nll"))
        if key in content
    }
    return Manifest(
        tuple(_rule(rule, f"rule {number} of {where}") for number, rule in enumerate(rules, 1)),
        {name: typed(name, value, where) for name, value in defaults.items()},
        conventions,
    )


def _rule(content: Mapping[str, Any], where: str) -> Rule:
    _known_keys(content, (*SELECTORS, *FACTS), where)
    if len([key for key in SELECTORS if key in content]) != 1:
        raise DataError(f"{where} should have either `match` (a regular expression on run names) or `run_id`.")
    values = {key: value for key, value in content.items() if key in FACTS and value is not None}
    if "run_id" in content:
        return Rule(where, None, str(content["run_id"]), values)
    try:
        return Rule(f"{where} (match: {content['match']})", re.compile(str(content["match"])), None, values)
    except re.error as error:
        raise DataError(f"`match` of {where} is no regular expression: {content['match']!r}: {error}.") from None


def _known_keys(content: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in content:
        if key not in known:
            raise DataError(
                f"`{key}` in {where} is not known{nearest(str(key), known)}: the keys are {', '.join(known)}."
            )


def attach(frame: pl.DataFrame, manifest: Manifest, report: ReportBuilder) -> tuple[pl.DataFrame, dict[str, str]]:
    """`frame` with the manifest's facts, and with D from step × tokens_per_step where it has none.

    frame   a column `run_id`, and any of the run columns and helpers
    Returns the frame without the helpers, and the conventions that the manifest sets. What a rule says stands in
    place of what a log says; the report tells where that happened, and which rules spoke of no run.
    """
    if not manifest.rules:
        return tokens_from_steps(frame, manifest.defaults.get("tokens_per_step")), dict(manifest.conventions)
    runs = frame["run_id"].unique().sort().to_list()
    told = RunFacts()
    for run in runs:
        told.add(run, dict(_facts_of(run, manifest)), "the manifest")
    for rule in manifest.rules:
        if not any(rule.facts(run) is not None for run in runs):
            report.notes.append(f"{rule.name} speaks of no run that was read.")
    facts = told.frame()
    _note_replaced(frame, facts, report)
    frame = frame.join(facts, on="run_id", how="left", suffix=" of manifest", maintain_order="left")
    for name in facts.columns[1:]:
        if f"{name} of manifest" in frame.columns:
            frame = frame.with_columns(pl.coalesce(f"{name} of manifest", name).alias(name))
    frame = frame.drop([name for name in frame.columns if name.endswith(" of manifest")])
    return tokens_from_steps(frame, manifest.defaults.get("tokens_per_step")), _conventions(facts, manifest)


def _facts_of(run: str, manifest: Manifest) -> Iterator[tuple[str, Any]]:
    seen = set()
    for rule in manifest.rules:
        for name, value in (rule.facts(run) or {}).items():
            if name not in seen:
                seen.add(name)
                yield name, typed(name, value, rule.name)


def _note_replaced(frame: pl.DataFrame, facts: pl.DataFrame, report: ReportBuilder) -> None:
    for name in facts.columns[1:]:
        if name not in frame.columns:
            continue
        before = frame.select("run_id", name).unique().join(facts, on="run_id", suffix=" of manifest")
        changed = before.filter(pl.col(name) != pl.col(f"{name} of manifest"))
        if len(changed):
            report.notes.append(
                f"`{name}` of {len(changed)} run{'s' * (len(changed) > 1)} is the manifest's, in place of what the log "
                f"says: {changed['run_id'][0]} {changed[name][0]} → {changed[f'{name} of manifest'][0]}."
            )


def _conventions(facts: pl.DataFrame, manifest: Manifest) -> dict[str, str]:
    """How N is counted, as far as the manifest decides it: its word where it gave N for every run."""
    meant = dict(manifest.conventions)
    if "n_params" in facts.columns and "n_params" not in meant:
        given = facts["n_params"].is_not_null()
        meant["n_params"] = "unstated" if given.all() else "mixed: of the manifest for some runs, of the log for others"
    return meant


def tokens_from_steps(frame: pl.DataFrame, tokens_per_step: float | None = None) -> pl.DataFrame:
    """Fill `n_tokens` with step × tokens per step where it is missing, and drop the two helpers."""
    if "step" in frame.columns:
        size = pl.lit(tokens_per_step, pl.Float64)
        if "tokens_per_step" in frame.columns:
            size = pl.coalesce(pl.col("tokens_per_step").cast(pl.Float64), size)
        known = [pl.col("n_tokens").cast(pl.Float64)] if "n_tokens" in frame.columns else []
        frame = frame.with_columns(pl.coalesce(*known, pl.col("step").cast(pl.Float64) * size).alias("n_tokens"))
    return frame.drop([name for name in HELPERS if name in frame.columns])
