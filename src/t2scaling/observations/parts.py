"""Parts of a table, from one file or one set of logs each.

A part holds typed columns, split at birth: what is known of its runs, once for each, and one row of outcomes per run,
task and question. It may still lack facts about its runs, which other parts or the manifest know. `assemble` makes one
table of parts, `agree` settles what their numbers mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from t2scaling.errors import DataError
from t2scaling.observations import schema
from t2scaling.observations.aliases import Naming
from t2scaling.observations.casts import Rows, cast
from t2scaling.observations.facts import HELPERS
from t2scaling.observations.report import ReportBuilder
from t2scaling.observations.schema import RUN_COLUMNS, Column
from t2scaling.observations.tabular import Sheet

# Names are kept as numbers with one list of texts beside them: a fifth of the memory.
NAME = pl.Categorical()


@dataclass(frozen=True)
class Part:
    """Rows of one origin, typed, not yet checked.

    where        how an error calls it
    runs         distinct rows of run_id, stage, run columns and the helpers step and tokens_per_step
    outcomes     names (categorical) and outcomes
    conventions  what it states about its numbers; nothing for what it leaves open
    unused       columns of the file that are not canonical
    from_log     True for the log of a harness, whose columns are not the user's to name
    """

    where: str
    runs: pl.DataFrame
    outcomes: pl.DataFrame
    conventions: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    from_log: bool = False


def part_from_log(found: tuple[pl.DataFrame, Mapping[str, str]], where: str) -> Part:
    """A part from what a reader of logs found: canonical columns, the facts of a run in each of its rows."""
    frame, conventions = found
    runs, outcomes = _split(frame, where, Rows())
    return Part(where, runs, outcomes, conventions, from_log=True)


def part_from_sheet(sheet: Sheet, naming: Naming, report: ReportBuilder) -> Part:
    """A part from a table as it stands in a file: columns named and typed, the rest left out and reported.

    naming  which columns of the sheet are which
    """
    report.notes.extend([*sheet.notes, *naming.notes])
    if naming.unused:
        more = f" and {len(naming.unused) - 6} more" if len(naming.unused) > 6 else ""
        report.notes.append(f"columns of {sheet.where} that are not used: {', '.join(naming.unused[:6])}{more}.")
    if not naming.columns:
        schema.require_columns(sheet.columns, sheet.where)
    said: dict[str, set[str]] = {}
    runs, outcomes = [], []
    for frame, rows in sheet.batches(list(naming.columns.values())):
        named = naming.apply(frame)
        for name in schema.STATEMENTS:
            if name in named.columns:
                column = cast(named[name], Column(name, "run", "text", ""), sheet.where, rows)
                said.setdefault(name, set()).update(column.drop_nulls().unique())
        some_runs, some = _split(named, sheet.where, rows)
        runs.append(some_runs)
        outcomes.append(some)
    if not runs:
        raise DataError(f"{sheet.where} has no rows: there is nothing to fit. Check the path, or what wrote it.")
    conventions = {**sheet.stated, **_statements(said, sheet.where)}
    return Part(
        sheet.where, pl.concat(runs).unique(maintain_order=True), pl.concat(outcomes), conventions, naming.unused
    )


def _split(frame: pl.DataFrame, where: str, rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The runs of a frame with their facts, and its outcomes. Raises DataError as `cast` does."""
    columns = {
        column.name: column for column in (*schema.BY_NAME.values(), *(Column(n, "run", "number", "") for n in HELPERS))
    }
    present = [column for name, column in columns.items() if name in frame.columns]
    typed = pl.DataFrame([cast(frame[column.name], column, where, rows) for column in present])
    stage = pl.col("stage").fill_null("base") if "stage" in frame.columns else pl.lit("base")
    typed = typed.with_columns(stage.alias("stage"))
    facts = [name for name in (*schema.RUN_KEYS, *RUN_COLUMNS, *HELPERS) if name in typed.columns]
    measured = [name for name in schema.OUTCOME_COLUMNS if name in typed.columns]
    names = [pl.col(name).cast(NAME) for name in schema.KEYS if name in typed.columns]
    return typed.select(facts).unique(maintain_order=True), typed.select(*names, *measured)


def _statements(said: Mapping[str, set[str]], where: str) -> dict[str, str]:
    """Conventions that the table states in a column, the same in every row."""
    found = {}
    for column, values in said.items():
        if len(values) > 1:
            raise DataError(
                f"`{column}` of {where} has {len(values)} values ({', '.join(sorted(values)[:4])}): mixed units cannot "
                "be compared. Convert the rows to one of them, or read them as two tables."
            )
        for value in values:
            found[schema.STATEMENTS[column]] = value
    return found


def agree(parts: Sequence[Part], overrides: Mapping[str, str], report: ReportBuilder) -> dict[str, str]:
    """What the numbers of all parts mean. Raises DataError where parts give likelihoods in different units."""
    meant = dict(overrides)
    with_nll = [part for part in parts if "nll" in part.outcomes.columns]
    names = {name for part in parts for name in part.conventions} | set(schema.CONVENTIONS)
    for name in sorted(names - set(meant)):
        speakers = with_nll if name == "nll" else parts
        values = list(dict.fromkeys(part.conventions.get(name, schema.CONVENTIONS.get(name, "")) for part in speakers))
        if len(values) == 1:
            meant[name] = values[0]
        elif name == "nll" and values:
            first = {
                value: next(p.where for p in with_nll if p.conventions.get("nll", "sum") == value) for value in values
            }
            raise DataError(
                "the files give nll in mixed units: "
                + ", ".join(f"{unit} in {where}" for unit, where in first.items())
                + ". Import them one by one, or say the unit of all with --nll-unit."
            )
        elif name == "n_params":
            meant[name] = "mixed: " + ", ".join(values)
            report.notes.append(f"n_params is counted in several ways ({', '.join(values)}): compare runs with care.")
    if with_nll and not any("nll" in part.conventions for part in with_nll) and "nll" not in overrides:
        report.notes.append(
            "no unit is stated for nll: taken as the sum over the answer's tokens (--nll-unit mean_per_token if not)."
        )
    return {**schema.CONVENTIONS, **meant}
