"""The `runs` manifest: N, D and other facts about runs, for logs that do not carry them, and better names.

A manifest is a list of rules. A rule names one run (`run_id`) or any number of them (`match`, a regular expression
searched for in the run's name), and gives facts. A named group of the expression that bears the name of a fact is
that fact; any group may be used in a text value as {group}. For each fact of a run the first rule that has it
counts. Where a run has no `n_tokens`, D is its `step` × `tokens_per_step`. The fact `name` is what the run is called
from then on.

Expressions are matched by polars, whose engine takes time linear in the text whatever the expression is; look-around
and back-references are what it lacks. Templates are filled by name only: nothing in them is evaluated.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import field_validator

from t2scaling.errors import ArgumentError, DataError
from t2scaling.foreign import Strict, guard_polars, read_text, read_yaml, short, validate
from t2scaling.foreign.models import Scalar
from t2scaling.observations.facts import FACTS, HELPERS, RunFacts, typed
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import nearest

SELECTORS = ("match", "run_id")
NAME = "name"
LONGEST_MATCH = 1000
MOST_CSV = 64 << 20
_GROUP = re.compile(r"\{(\w+)\}")


class ManifestFile(Strict):
    """What a manifest file may say; `runs` are its rules."""

    runs: list[dict[str, Scalar]] | None = None
    tokens_per_step: Scalar = None
    n_params_convention: Scalar = None
    nll_unit: Scalar = None

    @field_validator("runs", mode="before")
    @classmethod
    def _a_list_of_rules(cls, value: Any) -> Any:
        if value is not None and not (isinstance(value, list) and all(isinstance(rule, Mapping) for rule in value)):
            raise ValueError("it should be a list of rules, each with `match` or `run_id`")
        return value


@dataclass(frozen=True)
class Rule:
    """Facts for the runs whose name equals `run_id` or contains a match of `match`.

    only   True where it is meant for the only run there is
    must   True where it is asked for by name: a run that is not there is refused
    """

    where: str
    match: str | None
    run_id: str | None
    values: Mapping[str, Any]
    only: bool = False
    must: bool = False

    def facts(self, runs: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Run → the facts that the rule gives it, for those of `runs` that it speaks of."""
        if self.only and len(runs) > 1:
            raise DataError(
                f"{self.where} is for one run, but {len(runs)} were read ({', '.join(runs[:3])}, …): say which is "
                "meant, as RUN=NAME (--name, or `names` in Python)."
            )
        if self.match is None:
            if self.must and self.run_id not in runs:
                there = ", ".join(f"`{run}`" for run in runs[:10]) + f" and {len(runs) - 10} more" * (len(runs) > 10)
                raise ArgumentError(f"`name` = {self.run_id} is no run that was read: there is {there}.")
            return {run: dict(self.values) for run in runs if run == self.run_id}
        return {run: self._of(groups) for run, groups in _search(self.match, runs, self.where)}

    def _of(self, groups: Mapping[str, str]) -> dict[str, Any]:
        facts: dict[str, Any] = {name: text for name, text in groups.items() if name in FACTS}
        for name, value in self.values.items():
            facts[name] = self._fill(value, groups) if isinstance(value, str) else value
        return facts

    def _fill(self, text: str, groups: Mapping[str, str]) -> str:
        unknown = [name for name in _GROUP.findall(text) if name not in groups]
        if unknown or re.search(r"[{}]", _GROUP.sub("", text)):
            raise DataError(
                f"{short(text)} in {self.where} uses a group that `match` does not name: in braces stands the name of "
                f"a group and nothing else, and it names {', '.join(groups) or 'none'}."
            )
        return _GROUP.sub(lambda found: groups[found[1]], text)


def _search(pattern: str, runs: Sequence[str], where: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(run, its named groups) for the runs that contain a match. Raises DataError for what is no expression."""
    if len(pattern) > LONGEST_MATCH:
        raise DataError(f"`match` of {where} has {len(pattern):,} characters; write at most {LONGEST_MATCH:,}.")
    names = pl.Series(runs, dtype=pl.String)
    what = f"`match` of {where} is no regular expression that is read here: {short(pattern)}"
    with guard_polars(what, "Look-around and back-references are not known; named groups are (?P<name>…)."):
        found = names.str.contains(pattern)
        groups = names.str.extract_groups(pattern).to_list()
    for run, matches, texts in zip(runs, found, groups, strict=True):
        if matches:
            yield run, {name: text for name, text in texts.items() if text is not None and not name.isdigit()}


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
    if not isinstance(source, str | Path):
        return _manifest(source, "`runs`")
    path = Path(source)
    if not path.exists():
        raise DataError(f"the manifest `{path}` does not exist. Check the path given with --runs.")
    return _manifest(_read_csv(path) if path.suffix.lower() == ".csv" else read_yaml(path), f"the manifest `{path}`")


def renaming(manifest: Manifest, names: str | Mapping[str, str] | None) -> Manifest:
    """The manifest with rules in front that rename runs: `names` is run → name, or the name of the only run."""
    if not names:
        return manifest
    given = {None: names} if isinstance(names, str) else names
    rules = [
        Rule(f"the name `{name}`", "" if run is None else None, run, {NAME: name}, run is None, must=True)
        for run, name in given.items()
    ]
    return replace(manifest, rules=(*rules, *manifest.rules))


def _read_csv(path: Path) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(read_text(path, MOST_CSV), newline=""))
    try:
        names = rows.fieldnames or []
        if len(set(names)) < len(names):
            raise DataError(f"`{path}` has two columns of one name ({', '.join(names)[:200]}): name them apart.")
        found = []
        for row in rows:
            if None in row:
                raise DataError(f"`{path}`, line {rows.line_num} has more cells than the header: save it again.")
            found.append({key: cell for key, cell in row.items() if cell})  # an empty cell says nothing
        return found
    except csv.Error as error:
        raise DataError(
            f"`{path}`, line {rows.line_num} is not CSV ({error}). Save it again, as CSV or YAML."
        ) from None


def _manifest(content: Any, where: str) -> Manifest:
    if not isinstance(content, Mapping):
        content = {"runs": list(content) if isinstance(content, list | tuple) else content}
    read = validate(ManifestFile, dict(content), where)
    conventions = {"n_params": read.n_params_convention, "nll": read.nll_unit}
    steps = read.tokens_per_step
    return Manifest(
        tuple(_rule(rule, f"rule {number} of {where}") for number, rule in enumerate(read.runs or [], 1)),
        {} if steps is None else {"tokens_per_step": typed("tokens_per_step", steps, where)},
        {name: str(value) for name, value in conventions.items() if value is not None},
    )


def _rule(content: Mapping[str, Any], where: str) -> Rule:
    known = (*SELECTORS, NAME, *FACTS)
    for key in content:
        if key not in known:
            raise DataError(
                f"`{short(key)[1:-1]}` in {where} is not known{nearest(key, known)}: the keys are {', '.join(known)}."
            )
    if len([key for key in SELECTORS if content.get(key) is not None]) != 1:
        raise DataError(f"{where} should have either `match` (a regular expression on run names) or `run_id`.")
    values = {key: value for key, value in content.items() if key not in SELECTORS and value is not None}
    match, run_id = content.get("match"), content.get("run_id")
    for name, value in (("match", match), ("run_id", run_id), (NAME, values.get(NAME))):
        if isinstance(value, bool | float):
            raise DataError(f"`{name}` of {where} is {value!r}, no text: put it in quotes.")
    if match is None:
        return Rule(where, None, str(run_id), values)
    rule = Rule(f"{where} (match: {short(str(match))[1:-1]})", str(match), None, values)
    list(_search(rule.match or "", [""], where))
    return rule


def attach(frame: pl.DataFrame, manifest: Manifest, report: ReportBuilder) -> tuple[pl.DataFrame, dict[str, str]]:
    """`frame` with the manifest's facts and names, and with D from step × tokens_per_step where it has none.

    frame   a column `run_id`, and any of the run columns and helpers
    Returns the frame without the helpers, and the conventions that the manifest sets. What a rule says stands in
    place of what a log says; the report tells where that happened, and which rules spoke of no run.
    """
    if not manifest.rules:
        return tokens_from_steps(frame, manifest.defaults.get("tokens_per_step")), dict(manifest.conventions)
    runs = frame["run_id"].unique().sort().to_list()
    told, names = RunFacts(), dict[str, str]()
    given = [rule.facts(runs) for rule in manifest.rules]
    for run in runs:
        found = dict(_facts_of(run, manifest.rules, given))
        if NAME in found:
            names[run] = found.pop(NAME)
        told.add(run, found, "the manifest")
    for rule, facts_of in zip(manifest.rules, given, strict=True):
        if not facts_of:
            report.notes.append(f"{rule.where} speaks of no run that was read.")
    facts = told.frame()
    _note_replaced(frame, facts, report)
    frame = frame.join(facts, on="run_id", how="left", suffix=" of manifest", maintain_order="left")
    for name in facts.columns[1:]:
        if f"{name} of manifest" in frame.columns:
            frame = frame.with_columns(pl.coalesce(f"{name} of manifest", name).alias(name))
    frame = frame.drop([name for name in frame.columns if name.endswith(" of manifest")])
    if names:
        frame = frame.with_columns(pl.col("run_id").replace(names))
    return tokens_from_steps(frame, manifest.defaults.get("tokens_per_step")), _conventions(facts, manifest)


def _facts_of(
    run: str, rules: Sequence[Rule], given: Sequence[Mapping[str, Mapping[str, Any]]]
) -> Iterator[tuple[str, Any]]:
    """What the rules say of a run, each fact as the first of them has it."""
    seen = set()
    for rule, facts_of in zip(rules, given, strict=True):
        for name, value in facts_of.get(run, {}).items():
            if name not in seen:
                seen.add(name)
                yield name, str(value) if name == NAME else typed(name, value, rule.where)


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
